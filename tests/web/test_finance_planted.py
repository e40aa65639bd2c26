"""The planted facts of the simulated company's finances, each found by its name."""

from datetime import UTC, date, datetime

import pytest

from aiobserve.ledger.budget import State
from aiobserve.ledger.drivers import DRIVERS
from aiobserve.ledger.reconcile import Line, Status
from aiobserve.reports.anomalies import anomaly_report
from aiobserve.reports.budgets import answer, standings
from aiobserve.reports.forecast import month_forecast
from aiobserve.reports.reconciliation import Reconciled, reconciliation
from aiobserve.reports.scope import Scope, organisation_of, resolve
from aiobserve.reports.spend import spend
from collectors.simulated.finance import BUDGETS, PRICED_NODE, ROUNDED_NODE, SUPPORT, UNKNOWN_USD

pytestmark = pytest.mark.django_db

USD = 1_000_000
# A tenth of a cent.
NEAR = 1_000
CLOCK_AT = datetime(2026, 11, 24, tzinfo=UTC)


def lines(found: Reconciled) -> tuple[Line, ...]:
    assert found.found is not None
    return found.found.lines


def months(finance_org: str, first: str = "2026-09-05", end: str = "2026-11-06", zone: str = "UTC") -> Scope:
    return resolve(clock_at=CLOCK_AT, organisation=finance_org, first_day=first, end_day=end, timezone=zone)


def test_what_is_planted_in_the_bill_is_found_and_everything_else_matches(finance_org: str) -> None:
    scope = months(finance_org)
    found = reconciliation(scope)

    # A spot price that changes inside windows leaves the two sides a few microdollars a month apart: rounding.
    small = [line for line in lines(found) if abs(line.difference_microusd) < NEAR]
    assert all(line.unexplained_microusd == 0 for line in small)
    planted = {line.resources: line for line in lines(found) if line not in small}
    assert set(planted) == {(PRICED_NODE,), (ROUNDED_NODE,), ()}
    assert planted[(PRICED_NODE,)].explained["price"] == pytest.approx(
        192 * USD, abs=NEAR
    )  # 8 GPUs x 24 h x 20 days x 5 cents
    assert planted[(ROUNDED_NODE,)].explained["rounding"] == pytest.approx(124_000, abs=NEAR)  # 31 days x 0.4 cents
    assert (planted[()].service, planted[()].unexplained_microusd) == (SUPPORT, UNKNOWN_USD * USD)
    assert [line.status for line in planted.values() if line.unexplained_microusd] == [Status.BREACH]
    assert len(lines(found)) == 3 * 3 + 1


@pytest.mark.parametrize("zone", ["UTC", "Europe/Berlin", "Asia/Kathmandu"])
def test_bill_is_ledger_and_explained_and_unexplained_in_every_zone(finance_org: str, zone: str) -> None:
    scope = months(finance_org, "2026-10-01", "2026-11-01", zone)
    found = reconciliation(scope)

    whole = found.found
    assert whole is not None
    assert whole.billed_microusd == whole.ledger_microusd + sum(whole.explained.values()) + whole.unexplained_microusd
    assert whole.ledger_microusd + whole.outside_microusd == spend(scope, group_by=()).total.cost_microusd
    assert found.ledger_total_microusd == spend(scope, group_by=()).total.cost_microusd


def test_one_budget_is_over_and_it_is_the_planted_one(finance_org: str) -> None:
    found = standings(organisation_of(finance_org))

    assert [one.budget.name for one in found if one.state == State.OVER] == ["Science, week"]
    assert found[0].budget.name == "Science, week" and len(found) == len(BUDGETS)
    week = spend(
        resolve(clock_at=CLOCK_AT, organisation=finance_org, first_day="2026-11-02", end_day="2026-11-06"),
        group_by=(),
        filters={"team": ["Science"]},
    )
    assert found[0].spent == week.total.cost_microusd


def test_a_scheduler_is_told_no_with_the_reason(finance_org: str) -> None:
    organisation = organisation_of(finance_org)

    refused = answer(organisation, expected=5 * USD, team="Science")

    assert refused.allowed is False and "Science, week" in refused.words
    assert answer(organisation, expected=5 * USD, team="Language").allowed is True


def test_the_month_is_forecast_within_its_interval_and_agrees_with_the_ledger(finance_org: str) -> None:
    month = month_forecast(months(finance_org))

    assert month is not None
    spent = spend(months(finance_org, "2026-11-01"), group_by=()).total.cost_microusd
    assert (month.spent, month.first, len(month.complete), len(month.ahead)) == (spent, date(2026, 11, 1), 5, 25)
    (_, low, high), (_, lowest, highest) = month.intervals
    assert month.spent <= lowest <= low <= month.expected <= high <= highest


def test_the_price_change_is_the_driver_that_is_named(finance_org: str) -> None:
    found = anomaly_report(months(finance_org, "2026-10-01", "2026-11-06"))

    whole = [one for one in found.episodes if one.first.scope == "everything"]
    assert whole[0].driver == "price"
    assert whole[0].change_microusd < 0
    assert "2.9500 to 2.4500 USD a GPU-hour" in whole[0].peak.words or "from prices" in whole[0].peak.words
    for episode in found.episodes:
        assert sum(episode.parts.values()) == episode.change_microusd
        for one in episode.anomalies:
            assert tuple(one.parts) == DRIVERS
            assert sum(one.parts.values()) == one.cost_microusd - one.expected_microusd


def test_a_day_that_is_told_costs_what_the_ledger_says(finance_org: str) -> None:
    episode = anomaly_report(months(finance_org, "2026-10-01", "2026-11-06")).episodes[0]
    told = episode.peak

    following = date.fromordinal(told.day.toordinal() + 1)
    own = spend(months(finance_org, told.day.isoformat(), following.isoformat()), group_by=()).total

    assert told.scope == "everything"
    assert told.cost_microusd == own.cost_microusd
