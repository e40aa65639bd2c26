"""Closed months stay what they were sealed as; what comes late is a correction in the open month."""

from datetime import UTC, date, datetime
from itertools import count

import pytest
from django.db import IntegrityError, connection, transaction
from hypothesis import given, settings
from hypothesis import strategies as st

from aiobserve.attribution import engine
from aiobserve.domain.account import MEASURES
from aiobserve.pipeline import attribute as attribute_module
from aiobserve.pipeline.check import check_all
from aiobserve.pipeline.close import CannotClose, close_period, reopen_period
from aiobserve.reports.restatements import restatements
from aiobserve.store.models import LedgerAudit, LedgerBatch, LedgerPeriod, Posting
from aiobserve.store.read.periods import audit, closed_periods, periods
from aiobserve.store.write.organisation import ensure_organisation
from tests.examples import examples
from tests.store.ledgers import Piece, Sums, booked, holding, incurred, price, run, without
from tests.store.test_windows import fresh, undone
from tests.worlds import World, at, by_hand

pytestmark = pytest.mark.django_db

MARCH, APRIL = date(2026, 3, 1), date(2026, 4, 1)
# The world's telemetry ends with its first two days; the rest of the month has none.
IN_APRIL, IN_MAY = datetime(2026, 4, 10, 12, tzinfo=UTC), datetime(2026, 5, 10, 12, tzinfo=UTC)


def world() -> World:
    return World().power("busy_gpu", watts=100, start=0, end=24).power("idle_gpu", watts=20, start=0, end=24)


def close(
    slug: str = "one", month: date = MARCH, *, now_at: datetime = IN_APRIL, reason: str = "no telemetry after the 2nd"
) -> str:
    organisation_id = ensure_organisation(slug, name=slug)
    return close_period(
        organisation_id, month, timezone="UTC", by="ada", now_at=now_at, force=bool(reason), reason=reason
    ).hash


def of_month(sums: Sums, month: date) -> Sums:
    return {key: amounts for key, amounts in sums.items() if key[0].date().replace(day=1) == month}  # type: ignore[attr-defined]


def totals(sums: Sums) -> dict[str, int]:
    """Return what was charged: everything but the metered side."""
    rows = [amounts for key, amounts in sums.items() if key[1] != 0]
    return dict(zip(MEASURES, map(sum, zip(*rows, strict=True)), strict=True)) if rows else dict.fromkeys(MEASURES, 0)


def test_a_month_with_unfinished_days_is_not_closed_and_they_are_named() -> None:
    run("one", world(), now_at=IN_APRIL)

    with pytest.raises(CannotClose, match=r"(?s)unfinished.*2026-03-03 at lab: never attributed"):
        close(reason="")
    with pytest.raises(CannotClose, match="needs a reason"):
        close_period(
            ensure_organisation("one", name="one"), MARCH, timezone="UTC", by="ada", now_at=IN_APRIL, force=True
        )
    assert not closed_periods(ensure_organisation("one", name="one"))


def test_a_month_that_is_not_over_is_not_closed_even_by_force() -> None:
    run("one", world(), now_at=IN_APRIL)

    with pytest.raises(CannotClose, match="ends at 2026-05-01T00:00:00"):
        close(month=APRIL)


def test_months_are_closed_in_turn_and_reopened_last_first() -> None:
    run("one", world(), now_at=IN_APRIL)
    with pytest.raises(CannotClose, match="close the months before 2026-04 first"):
        close(month=APRIL, now_at=IN_MAY)
    close()
    close(month=APRIL, now_at=IN_MAY)
    organisation_id = ensure_organisation("one", name="one")

    with pytest.raises(CannotClose, match="2026-04 is closed on top of 2026-03"):
        reopen_period(organisation_id, MARCH, by="ada", reason="late invoice")
    with pytest.raises(CannotClose, match="is closed, or overlaps"):
        close()


def test_closing_and_reopening_leave_their_trace() -> None:
    run("one", world(), now_at=IN_APRIL)
    organisation_id = ensure_organisation("one", name="one")
    first = close()
    reopen_period(organisation_id, MARCH, by="grace", reason="late invoice")
    second = close()

    found = audit(organisation_id)

    assert [(one.action, one.by, one.reason) for one in found] == [
        ("closed by force", "ada", "no telemetry after the 2nd"),
        ("re-opened", "grace", "late invoice"),
        ("closed by force", "ada", "no telemetry after the 2nd"),
    ]
    assert {"site": "lab", "day": "2026-03-03", "why": "never attributed"} in found[0].details
    assert first == second
    assert [bool(one.reopened_at) for one in periods(organisation_id)] == [True, False]


def test_the_hash_hangs_on_the_month_before() -> None:
    run("one", world(), now_at=IN_APRIL)
    run("two", world(), holding("train", start=1, end=2), now_at=IN_APRIL)
    for slug in ("one", "two"):
        close(slug)

    # April is the same, empty, in both.
    assert close("one", APRIL, now_at=IN_MAY) != close("two", APRIL, now_at=IN_MAY)


def test_late_data_of_a_closed_month_is_a_correction_in_the_open_one() -> None:
    run("one", world(), now_at=IN_APRIL)
    close()
    before = booked("one")

    run("one", holding("late", start=9, end=10), now_at=IN_APRIL)

    after = booked("one")
    assert of_month(after, MARCH) == before
    assert {key[0] for key in of_month(after, APRIL)} == {IN_APRIL}
    assert incurred("one") == fresh("two", world(), holding("late", start=9, end=10))
    corrections = LedgerBatch.objects.filter(organisation__slug="one", corrects_period__isnull=False)
    assert {one.corrects_period.month for one in corrections if one.corrects_period} == {MARCH}
    assert set(Posting.objects.filter(batch__in=corrections).values_list("corrects_window_start_at", flat=True)) == {
        at(hour) for hour in (9, 9.25, 9.5, 9.75)
    }
    assert check_all("one")["balanced"]


def test_two_corrections_of_a_closed_window_come_to_the_last_one() -> None:
    run("one", world(), now_at=IN_APRIL)
    close()
    run("one", holding("late", start=9, end=10), now_at=IN_APRIL)

    run("one", holding("later", start=9.5, end=10, device="idle_gpu"), now_at=IN_APRIL)
    close(month=APRIL, now_at=IN_MAY)
    run("one", holding("latest", start=9, end=9.5, device="idle_gpu"), now_at=IN_MAY)

    late = (holding("late", start=9, end=10), holding("later", start=9.5, end=10, device="idle_gpu"))
    assert incurred("one") == fresh("two", world(), *late, holding("latest", start=9, end=9.5, device="idle_gpu"))
    assert check_all("one")["balanced"]


def test_corrections_move_back_into_a_month_that_is_opened_again() -> None:
    run("one", world(), now_at=IN_APRIL)
    close()
    run("one", holding("late", start=9, end=10), now_at=IN_APRIL)
    reopen_period(ensure_organisation("one", name="one"), MARCH, by="ada", reason="the invoice is not out yet")

    run("one", now_at=IN_APRIL)

    assert booked("one") == incurred("one") == fresh("two", world(), holding("late", start=9, end=10))
    assert check_all("one")["balanced"]


def test_a_closed_month_altered_by_hand_is_found_by_its_hash() -> None:
    run("one", world(), now_at=IN_APRIL)
    close()
    # Balanced, and the seal made to agree: only the hash of the month tells.
    with by_hand(), connection.cursor() as cursor:
        mine = [ensure_organisation("one", name="one")]
        cursor.execute("UPDATE posting SET component = 2 WHERE account = 2 AND organisation_id = %s", mine)
        cursor.execute("DELETE FROM ledger_batch WHERE postings = 0 AND organisation_id = %s", mine)

    checked = check_all("one")

    assert [one["month"] for one in checked["altered_periods"]] == ["2026-03"]
    assert not checked["balanced"]


def test_a_restatement_says_what_moved_and_why() -> None:
    base = [
        Piece("telemetry", {"telemetry": next(iter(world().collect())).frames["telemetry"]}),
        *(price(f"from {start}", 100, start=start, end=end) for start, end in ((0, 9), (9, 10), (10, 24))),
    ]
    run("one", without(world(), signals=("electricity_usd_per_mwh",)), *base, now_at=IN_APRIL)
    before = totals(incurred("one"))

    run("one", price("corrected", 200, start=9, end=10), now_at=IN_APRIL)

    found = restatements(ensure_organisation("one", name="one"))
    assert [(one.reason, one.windows, one.corrects_month) for one in found.rows] == [("signal revision", 4, None)]
    # (100 W + 20 W) x 1.2 for an hour at 100 USD/MWh more.
    assert found.rows[0].difference["electricity_microusd"] == 14_400
    assert found.difference == {name: totals(incurred("one"))[name] - before[name] for name in MEASURES}
    assert LedgerBatch.objects.filter(organisation__slug="one", kind=LedgerBatch.Kind.FIRST).count() == 1


def test_a_new_method_is_named_as_the_reason(monkeypatch: pytest.MonkeyPatch) -> None:
    run("one", world(), now_at=IN_APRIL)
    monkeypatch.setattr(attribute_module, "METHOD_VERSION", engine.METHOD_VERSION + 1)

    run("one", holding("late", start=9, end=10), now_at=IN_APRIL)

    found = restatements(ensure_organisation("one", name="one"))
    assert [one.reason for one in found.rows] == ["jobs, method"]
    assert (found.rows[0].old_methods, found.rows[0].new_method) == (
        (engine.METHOD_VERSION,), engine.METHOD_VERSION + 1,
    )  # fmt: skip


LATE = st.one_of(
    st.builds(
        lambda start, length, device: ("hold", start / 4, (start + length) / 4, device),
        st.integers(0, 80), st.integers(1, 12), st.sampled_from(["busy_gpu", "idle_gpu"]),
    ),
    st.builds(lambda start, usd: ("price", start / 4, start / 4 + 2, usd), st.integers(0, 80), st.integers(1, 300)),
)  # fmt: skip
STEPS = st.lists(st.one_of(LATE, st.sampled_from(["close", "reopen", "attribute"])), min_size=2, max_size=8)


@settings(max_examples=examples(6), deadline=None)
@given(STEPS)
def test_closed_months_and_corrections_sum_to_a_fresh_attribution_of_the_final_inputs(steps: list[object]) -> None:
    with undone():
        organisation_id = ensure_organisation("one", name="one")
        run("one", world(), now_at=IN_APRIL)
        first = totals(incurred("one"))
        sealed: dict[date, Sums] = {}
        numbers, inputs = count(), [world()]
        for step in steps:
            if step == "close" and not sealed:
                run("one", now_at=IN_APRIL)
                close()
                sealed[MARCH] = of_month(booked("one"), MARCH)
            elif step == "reopen" and sealed:
                reopen_period(organisation_id, MARCH, by="ada", reason="again")
                sealed.clear()
            elif step == "attribute":
                run("one", now_at=IN_APRIL)
            elif isinstance(step, tuple):
                inputs.append(piece(step, f"late {next(numbers)}"))  # type: ignore[arg-type]
                run("one", inputs[-1], now_at=IN_APRIL)
            if sealed:
                assert of_month(booked("one"), MARCH) == sealed[MARCH]
        run("one", now_at=IN_APRIL)

        # Prices are revisions of each other, so they come in the same order there.
        assert incurred("one") == fresh("two", *inputs)
        if not sealed:
            assert booked("one") == incurred("one")
        assert check_all("one")["balanced"]
        moved = {name: totals(incurred("one"))[name] - first[name] for name in MEASURES}
        assert restatements(organisation_id).difference == moved


def piece(step: tuple[str, float, float, object], name: str) -> Piece:
    kind, start, end, what = step
    if kind == "hold":
        return holding(name, start=start, end=end, device=str(what))
    return price(name, float(str(what)), start=start, end=end)


APPEND_ONLY = {
    "posting": ("UPDATE posting SET energy_millij = 0", "DELETE FROM posting", "TRUNCATE posting"),
    "ledger_batch": (
        "UPDATE ledger_batch SET checksum = 0", "DELETE FROM ledger_batch", "TRUNCATE ledger_batch CASCADE",
    ),
    "ledger_window": ("UPDATE ledger_window SET digest = 0", "DELETE FROM ledger_window", "TRUNCATE ledger_window"),
    "ledger_period": (
        "UPDATE ledger_period SET hash = ''", "UPDATE ledger_period SET reopened_at = NULL", "DELETE FROM ledger_period",
        "TRUNCATE ledger_period CASCADE",
    ),
    "ledger_audit": ("UPDATE ledger_audit SET by = ''", "DELETE FROM ledger_audit", "TRUNCATE ledger_audit"),
}  # fmt: skip


@pytest.mark.parametrize("statement", [one for statements in APPEND_ONLY.values() for one in statements])
def test_the_database_refuses_to_alter_the_books(statement: str) -> None:
    run("one", world(), now_at=IN_APRIL)
    close()
    before = booked("one")
    with connection.cursor() as cursor:
        # What the test itself inserted is checked at once, as it would be at the end of its transaction.
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")

    with (
        pytest.raises(IntegrityError, match="the ledger is append-only: (UPDATE|DELETE|TRUNCATE) of"),
        transaction.atomic(),
    ):
        with connection.cursor() as cursor:
            cursor.execute(statement)

    assert booked("one") == before
    assert [model.objects.filter(organisation__slug="one").count() for model in (LedgerPeriod, LedgerAudit)] == [1, 1]


def test_another_role_has_no_right_to_alter_the_books_either() -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            """SELECT count(*) FROM information_schema.role_table_grants
               WHERE table_name IN ('posting', 'ledger_batch', 'ledger_audit')
               AND privilege_type IN ('UPDATE', 'DELETE', 'TRUNCATE') AND grantee <> current_user"""
        )

        assert cursor.fetchone() == (0,)
