"""Bills and budgets in the store: each bill once, the newest counts, and what it is compared with."""

from datetime import UTC, date, datetime
from pathlib import Path

import pandas as pd
import pytest
from django.db import IntegrityError, transaction

from aiobserve.domain.bill_frames import BILL_RULES
from aiobserve.ledger.budget import Budget
from aiobserve.ledger.reconcile import Line
from aiobserve.pipeline.budgets import remove_budget, set_budget
from aiobserve.pipeline.collect import collect
from aiobserve.pipeline.sweep import attribute_due
from aiobserve.reports.budgets import standings
from aiobserve.reports.forecast import month_forecast
from aiobserve.reports.reconciliation import Reconciled, reconciliation
from aiobserve.reports.scope import Scope, resolve
from aiobserve.store.models import BillDocument, BillLine, BillRule, IngestRejection
from aiobserve.store.models import Budget as StoredBudget
from aiobserve.store.write.billing import write_bill_rules
from aiobserve.store.write.organisation import ensure_organisation
from collectors.billing.collector import FocusBill
from collectors.billing.rules import COLUMNS, BillRules
from tests.store.ledgers import collected, holding, run
from tests.store.test_periods import IN_APRIL, close, world
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


def test_a_bill_that_is_imported_again_after_another_counts_again(tmp_path: Path) -> None:
    organisation_id = ensure_organisation("bills", name="Bills")
    first = bill(tmp_path / "first.csv", {"BilledCost": "10"})
    second = bill(tmp_path / "second.csv", {"BilledCost": "11"})

    taken = [collect(organisation_id, one, now_at=CLOCK_AT).rows for one in (first, second, first, first)]

    standing = BillLine.objects.filter(document__organisation_id=organisation_id, document__replaced_by__isnull=True)
    assert [one.billed_microusd for one in standing] == [10 * USD]
    assert taken == [1, 1, 1, 0]


def test_rules_that_are_imported_again_after_others_hold_again(tmp_path: Path) -> None:
    organisation_id = ensure_organisation("bills", name="Bills")
    files = []
    for part in ("capacity", "electricity"):
        files.append(tmp_path / f"{part}.csv")
        files[-1].write_text(f"{','.join(COLUMNS)}\nClo*,,,,,,lab,,,{part}\n")
    capacity, electricity = (BillRules(path) for path in files)

    taken = [collect(organisation_id, one, now_at=CLOCK_AT).rows for one in (capacity, electricity, capacity, capacity)]

    assert [one.part for one in BillRule.objects.filter(organisation_id=organisation_id)] == ["capacity"]
    assert taken == [1, 1, 1, 0]


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


def test_a_late_correction_raises_what_is_expected_by_what_it_is() -> None:
    # Ten days of April on one GPU, half of the last one over; then a job of four hours that March had missed.
    organisation_id = collected("one", world(), holding("april", start=720, end=948), now_at=IN_APRIL)
    attribute_due(organisation_id, now_at=IN_APRIL)
    close()
    set_budget(organisation_id, Budget("NLP", "team", "NLP", "cost", 2_000 * USD))

    def told() -> list[list[int]]:
        scope = resolve(clock_at=IN_APRIL, organisation="one")
        month = month_forecast(scope, by="team", subject="NLP")
        (held,) = standings(scope.organisation)
        assert month is not None
        return [
            [held.spent, held.expected, held.low, held.high],
            [month.spent, month.expected, month.run_rate, month.ahead[0][1], *month.intervals[0][1:]],
        ]

    before = told()
    run("one", holding("late", start=9, end=13), now_at=IN_APRIL)
    after = told()

    correction = after[0][0] - before[0][0]
    assert correction > 8 * USD
    assert after == [[one + correction for one in figures] for figures in before]
