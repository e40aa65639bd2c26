from datetime import UTC, date, datetime, timedelta
from zoneinfo import available_timezones

import pytest

from aiobserve.domain.window import NotAligned, Span, local_day, window_floor


@pytest.mark.parametrize(
    ("day", "zone", "hours"),
    [
        (date(2026, 10, 25), "Europe/Berlin", 25),
        (date(2026, 3, 29), "Europe/Berlin", 23),
        (date(2026, 11, 1), "America/New_York", 25),
        (date(2026, 6, 1), "Asia/Kathmandu", 24),
        (date(2026, 4, 5), "Australia/Lord_Howe", 24.5),
    ],
)
def test_a_local_day_has_the_hours_that_its_clocks_show(day: date, zone: str, hours: float) -> None:
    assert local_day(day, zone).duration_s == hours * 3600


def test_days_of_every_zone_begin_on_a_window() -> None:
    for zone in sorted(available_timezones()):
        for day in (date(2025, 3, 30), date(2026, 1, 1), date(2026, 10, 25)):
            span = local_day(day, zone)
            assert span.start_at == window_floor(span.start_at), zone
            assert span.end_at == local_day(day + timedelta(days=1), zone).start_at, zone


def test_a_naive_instant_is_refused() -> None:
    with pytest.raises(NotAligned, match="no time zone"):
        Span(datetime(2026, 1, 1), datetime(2026, 1, 2, tzinfo=UTC))  # noqa: DTZ001


def test_a_span_touches_each_of_its_days_once() -> None:
    span = Span(datetime(2026, 1, 1, 23, 59, tzinfo=UTC), datetime(2026, 1, 3, tzinfo=UTC))

    assert list(span.days()) == [date(2026, 1, 1), date(2026, 1, 2)]
