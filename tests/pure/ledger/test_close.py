import hashlib
from datetime import UTC, date, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aiobserve.domain.window import Span
from aiobserve.ledger.close import FORM, month_span, next_month, period_hash

MARCH = Span(datetime(2026, 3, 1, tzinfo=UTC), datetime(2026, 4, 1, tzinfo=UTC))


@pytest.mark.parametrize(
    ("zone", "start", "end"),
    [
        ("UTC", "2026-03-01T00:00", "2026-04-01T00:00"),
        ("Europe/Berlin", "2026-02-28T23:00", "2026-03-31T22:00"),
        ("Asia/Kathmandu", "2026-02-28T18:15", "2026-03-31T18:15"),
    ],
)
def test_a_month_is_whole_windows_in_its_zone(zone: str, start: str, end: str) -> None:
    span = month_span(date(2026, 3, 17), zone)

    assert (span.start_at, span.end_at) == tuple(datetime.fromisoformat(f"{text}+00:00") for text in (start, end))


@given(
    st.dates(date(2000, 1, 1), date(2100, 1, 1)), st.sampled_from(["UTC", "America/New_York", "Australia/Lord_Howe"])
)
def test_months_meet_without_a_gap(day: date, zone: str) -> None:
    assert month_span(day, zone).end_at == month_span(next_month(day), zone).start_at


def test_the_hash_is_that_of_its_head_and_lines() -> None:
    head = f"{FORM}\n\n2026-03-01T00:00:00+00:00\n2026-04-01T00:00:00+00:00\n".encode()

    assert period_hash("", MARCH, [b"1\t0\n2\t", b"0\n"]) == (hashlib.sha256(head + b"1\t0\n2\t0\n").hexdigest(), 2)


def test_the_hash_vouches_for_the_months_before() -> None:
    assert period_hash("a", MARCH, [])[0] != period_hash("b", MARCH, [])[0]
