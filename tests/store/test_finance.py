"""Bills in the store, and the planted facts of the simulated company's finances, each found by its name."""

from datetime import UTC, date, datetime
from pathlib import Path

import pandas as pd
import pytest
from django.db import IntegrityError, transaction

from aiobserve.domain.frames import BILL_RULES
from aiobserve.ledger.budget import Budget, State
from aiobserve.ledger.drivers import DRIVERS
from aiobserve.ledger.reconcile import Line, Status
from aiobserve.pipeline.budgets import remove_budget, set_budget
from aiobserve.pipeline.collect import collect
from aiobserve.pipeline.sweep import attribute_due
from aiobserve.reports.anomalies import anomaly_report
from aiobserve.reports.budgets import answer, standings
from aiobserve.reports.forecast import month_forecast
from aiobserve.reports.reconciliation import Reconciled, reconciliation
from aiobserve.reports.scope import Scope, organisation_of, resolve
from aiobserve.reports.spend import spend
from aiobserve.store.models import BillDocument, BillLine, IngestRejection
from aiobserve.store.models import Budget as StoredBudget
from aiobserve.store.write.billing import write_bill_rules
from aiobserve.store.write.organisation import ensure_organisation
from collectors.billing.collector import FocusBill
from collectors.simulated.finance import PRICED_NODE, ROUNDED_NODE, SUPPORT, UNKNOWN_USD
from tests.worlds import World, at

pytestmark = pytest.mark.django_db

USD = 1_000_000
CLOCK_AT = datetime(2026, 11, 24, tzinfo=UTC)


def bill(path: Path, *rows: dict[str, str]) -> FocusBill:
    plain = {
        "ProviderName": "Cloud", "BillingAccountId": "1", "BillingCurrency": "USD", "ServiceName": "GPU",
        "BillingPeriodStart": "2026-03-01T00:00:00Z", "BillingPeriodEnd": "2026-04-01T00:00:00Z",
        "ChargePeriodStart": "2026-03-02T00:00:00Z", "ChargePeriodEnd": "2026-03-03T00:00:00Z",
        "ChargeCategory": "Usage",
    }  # fmt: skip
    frame = pd.DataFrame([{**plain, **row} for row in rows]).fillna("")
    frame["EffectiveCost"] = frame["EffectiveCost"] if "EffectiveCost" in frame else frame["BilledCost"]
    frame.to_csv(path, index=False)
    return FocusBill(path)


def lab() -> int:
    """Two GPUs for a day at 2 USD an hour: 96 USD of capacity, and electricity apart."""
    organisation_id = ensure_organisation("lab-bills", name="Lab")
    collect(organisation_id, World(), now_at=at(100))
    world = World(name="again").job("train", start=0, end=24)
    collect(organisation_id, world, now_at=at(100))
    attribute_due(organisation_id, now_at=at(100))
    return organisation_id


def day(first: str = "2026-03-02", end: str = "2026-03-03") -> Scope:
    return resolve(clock_at=CLOCK_AT, organisation="lab-bills", first_day=first, end_day=end)


def lines(found: Reconciled) -> tuple[Line, ...]:
    assert found.found is not None
    return found.found.lines


def test_a_bill_goes_in_once_and_a_newer_one_of_the_month_replaces_it(tmp_path: Path) -> None:
    organisation_id = ensure_organisation("bills", name="Bills")
    first = bill(tmp_path / "first.csv", {"BilledCost": "10"}, {"BilledCost": "ten"})

    once, twice = (collect(organisation_id, first, now_at=CLOCK_AT) for _ in range(2))
    collect(organisation_id, bill(tmp_path / "second.csv", {"BilledCost": "11"}), now_at=CLOCK_AT)

    assert (once.rows, once.rejected, twice.rows) == (1, 1, 0)
    assert IngestRejection.objects.get(batch__organisation_id=organisation_id).position == 2
    standing = BillLine.objects.filter(document__organisation_id=organisation_id, document__replaced_by__isnull=True)
    assert [one.billed_microusd for one in standing] == [11 * USD]
    assert BillDocument.objects.filter(organisation_id=organisation_id).count() == 2


def test_a_part_of_a_bill_adds_to_what_is_there(tmp_path: Path) -> None:
    organisation_id = ensure_organisation("bills", name="Bills")
    collect(organisation_id, bill(tmp_path / "one.csv", {"BilledCost": "10"}), now_at=CLOCK_AT)
    bill(tmp_path / "two.csv", {"BilledCost": "5"})
    collect(organisation_id, FocusBill(tmp_path / "two.csv", is_part=True), now_at=CLOCK_AT)

    standing = BillLine.objects.filter(document__organisation_id=organisation_id, document__replaced_by__isnull=True)
    assert sum(one.billed_microusd for one in standing) == 15 * USD


def test_a_bill_of_the_whole_site_is_compared_by_a_rule(tmp_path: Path) -> None:
    organisation_id = lab()
    rules = {"position": 0, "provider": "Clo*", "service": "", "resource": "", "sku": "", "sub_account": "", "region": "",
             "site": "lab", "node": "", "device_sku": "", "part": "capacity", "valid_from_at": at(-100), "valid_to_at": pd.NaT}  # fmt: skip
    hours = {"ConsumedQuantity": "48", "ConsumedUnit": "GPU-Hours"}
    collect(organisation_id, bill(tmp_path / "b.csv", {"BilledCost": "120", **hours}), now_at=CLOCK_AT)

    before = lines(reconciliation(day()))
    write_bill_rules(organisation_id, BILL_RULES.check(pd.DataFrame([rules])))
    (after,) = lines(reconciliation(day()))

    assert [line.unexplained_microusd for line in before] == [120 * USD]
    assert (after.ledger_microusd, after.explained["price"], after.unexplained_microusd) == (96 * USD, 24 * USD, 0)
    assert after.words == "price 2.5000 instead of 2.0000 USD a GPU-hour"


def test_lines_of_a_node_are_known_by_its_name_and_hours_not_billed_are_time(tmp_path: Path) -> None:
    organisation_id = lab()
    row = {"BilledCost": "80", "ResourceId": "node-1", "ConsumedQuantity": "20", "ConsumedUnit": "Hours"}
    collect(organisation_id, bill(tmp_path / "b.csv", row), now_at=CLOCK_AT)

    (line,) = lines(reconciliation(day()))

    assert (line.explained["time"], line.unexplained_microusd) == (-16 * USD, 0)
    assert line.words == "40.0 GPU-hours billed, 48.0 offered"


def test_a_purchase_of_a_year_is_spread_and_neighbouring_scopes_sum_to_it(tmp_path: Path) -> None:
    organisation_id = lab()
    year = {
        "ChargePeriodStart": "2026-03-01T00:00:00Z",
        "ChargePeriodEnd": "2027-03-01T00:00:00Z",
        "ChargeCategory": "Purchase",
    }
    collect(organisation_id, bill(tmp_path / "b.csv", {"BilledCost": "1000.000007", **year}), now_at=CLOCK_AT)

    def billed(first: str, end: str) -> tuple[int, int]:
        found = reconciliation(day(first, end)).found
        assert found is not None
        return found.billed_microusd, found.billed_microusd - found.explained["amortisation"]

    whole = billed("2026-03-01", "2026-04-01")
    parts = [billed("2026-03-01", "2026-03-11"), billed("2026-03-11", "2026-04-01")]

    assert whole == tuple(map(sum, zip(*parts, strict=True)))
    assert whole[0] == 1_000_000_007
    assert whole[1] == 1_000_000_007 * 31 // 365


def test_without_a_bill_nothing_is_compared() -> None:
    lab()

    found = reconciliation(day())

    assert (found.found, found.sentence, found.unexplained_microusd) == (None, "", 0)


# The simulated company.


def months(finance_org: str, first: str = "2026-09-05", end: str = "2026-11-06", zone: str = "UTC") -> Scope:
    return resolve(clock_at=CLOCK_AT, organisation=finance_org, first_day=first, end_day=end, timezone=zone)


def test_what_is_planted_in_the_bill_is_found_and_everything_else_matches(finance_org: str) -> None:
    scope = months(finance_org)
    found = reconciliation(scope)

    planted = {line.resources: line for line in lines(found) if line.difference_microusd}
    assert set(planted) == {(PRICED_NODE,), (ROUNDED_NODE,), ()}
    assert planted[(PRICED_NODE,)].explained["price"] == 192 * USD  # 8 GPUs x 24 h x 20 days x 5 cents
    assert planted[(ROUNDED_NODE,)].explained["rounding"] == 124_000  # 31 days x 0.4 cents
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

    assert [(one.budget.name, one.state) for one in found][:2] == [
        ("Science, week", State.OVER),
        ("Company, month", State.WARN),
    ]
    assert [one.state for one in found][2:] == [State.OK, State.OK]
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


def test_a_budget_is_set_replaced_and_removed() -> None:
    organisation_id = ensure_organisation("budgets", name="Budgets")
    plain = Budget("b", "whole", "", "cost", 5 * USD)

    assert set_budget(organisation_id, plain) is True
    assert set_budget(organisation_id, Budget("b", "team", "NLP", "energy", 7, is_hard=True)) is False
    stored = StoredBudget.objects.get(organisation_id=organisation_id)
    assert (stored.scope, stored.subject, stored.measure, stored.amount, stored.is_hard) == (
        "team",
        "NLP",
        "energy",
        7,
        True,
    )
    assert (remove_budget(organisation_id, "b"), remove_budget(organisation_id, "b")) == (True, False)


def test_the_database_refuses_a_budget_that_makes_no_sense() -> None:
    organisation_id = ensure_organisation("budgets", name="Budgets")
    plain = {"organisation_id": organisation_id, "scope": "whole", "measure": "cost", "amount": 1, "window": "month",
             "timezone": "UTC", "is_hard": False, "thresholds": [100], "valid_from": date(2026, 1, 1)}  # fmt: skip

    for number, wrong in enumerate(
        ({"amount": 0}, {"window": "custom"}, {"subject": "NLP"}, {"scope": "team"}, {"valid_to": date(2025, 1, 1)})
    ):
        with pytest.raises(IntegrityError), transaction.atomic():
            StoredBudget.objects.create(name=str(number), **{**plain, **wrong})
