"""Closed months at the surfaces: FOCUS corrections, commands and API."""

import json
from collections import defaultdict
from decimal import Decimal
from typing import Any

import pytest
from click.testing import CliRunner
from django.test import Client

from aiobserve.commands.ledger import ledger
from aiobserve.exports.focus import COLUMNS, focus_rows
from aiobserve.exports.focus_corrections import ADDITIVE, correction_rows
from aiobserve.ledger.correct import Method
from aiobserve.reports.scope import Scope, resolve
from aiobserve.reports.spend import spend
from tests.store.ledgers import holding, run
from tests.store.test_periods import IN_APRIL, close, world

pytestmark = pytest.mark.django_db


@pytest.fixture
def corrected() -> Scope:
    """A closed March, and a job of it that came in April: an hour that was idle became a team's."""
    run("one", world(), now_at=IN_APRIL)
    close()
    run("one", holding("late", start=9, end=10), now_at=IN_APRIL)
    return resolve(clock_at=IN_APRIL, organisation="one", first_day="2026-04-01", end_day="2026-05-01")


def records(scope: Scope, method: Method) -> list[dict[str, Any]]:
    return [dict(zip(COLUMNS, row, strict=True)) for row in correction_rows(scope, method)]


def sums(rows: list[dict[str, Any]]) -> dict[tuple[str, str], Decimal]:
    found: dict[tuple[str, str], Decimal] = defaultdict(Decimal)
    for row in rows:
        for name in ADDITIVE:
            found[row["ResourceId"], name] += Decimal(str(row[name]))
    return {key: amount for key, amount in found.items() if amount}


def test_a_correction_is_booked_in_the_open_month_and_charged_in_the_closed_one(corrected: Scope) -> None:
    rows = records(corrected, Method.DELTA)

    # Two dollars of capacity and a cent of electricity (0.1 kWh at ten cents) went from idle and nobody to the team.
    by_team = {(row["SubAccountName"], row["SkuMeter"]): row["BilledCost"] for row in rows}
    assert by_team == {
        ("idle", "GPU-Hours"): Decimal("-2.000000"),
        ("idle", "kWh"): Decimal("-0.002000"),
        ("unattributed", "kWh"): Decimal("-0.008000"),
        ("NLP", "GPU-Hours"): Decimal("2.000000"),
        ("NLP", "kWh"): Decimal("0.010000"),
    }
    assert {row["ChargeClass"] for row in rows} == {"Correction"}
    assert {(row["ChargePeriodStart"], row["ChargePeriodEnd"]) for row in rows} == {
        ("2026-03-02T00:00:00Z", "2026-03-03T00:00:00Z")
    }
    assert {(row["BillingPeriodStart"], row["BillingPeriodEnd"]) for row in rows} == {
        ("2026-04-01T00:00:00Z", "2026-05-01T00:00:00Z")
    }
    assert {row["x_CorrectedPeriod"] for row in rows} == {"2026-03"}


def test_by_ledger_and_by_delta_sum_to_the_same(corrected: Scope) -> None:
    by_ledger, by_delta = (records(corrected, method) for method in Method)

    # Idle is negated whole for the day's hour and stated again; the delta says the difference alone.
    assert len(by_ledger) > len(by_delta)
    assert sums(by_ledger) == sums(by_delta)


def test_focus_sums_to_the_ledger_with_its_corrections(corrected: Scope) -> None:
    scope = resolve(clock_at=IN_APRIL, organisation="one", first_day="2026-03-01", end_day="2026-05-01")
    position = COLUMNS.index("x_CostMicrousd")
    for method in Method:
        rows = [*focus_rows(scope), *correction_rows(scope, method)]

        assert sum(int(row[position]) for row in rows) == spend(scope, group_by=()).total.cost_microusd


def test_the_closed_month_is_exported_as_it_was(corrected: Scope) -> None:
    march = resolve(clock_at=IN_APRIL, organisation="one", first_day="2026-03-01", end_day="2026-04-01")

    assert records(march, Method.LEDGER) == []
    assert {row[COLUMNS.index("SubAccountName")] for row in focus_rows(march)} == {"idle", "unattributed", "overhead"}


@pytest.fixture
def command(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Run a command below `aiobserve ledger` against the test's own database; returns its exit code and output."""
    monkeypatch.setenv("DATABASE_URL", "the connection that is open")

    def invoke(*arguments: str) -> Any:
        return CliRunner().invoke(ledger, [*arguments, "--org", "one"])

    return invoke


def test_the_commands_close_list_audit_and_reopen(command: Any) -> None:
    run("one", world(), now_at=IN_APRIL)

    refused = command("close", "2026-03", "--by", "ada")
    closed = command("close", "2026-03", "--by", "ada", "--force", "--reason", "no telemetry", "--json")
    listed = command("periods")
    reopened = command("reopen", "2026-03", "--by", "grace", "--reason", "late invoice")
    audited = command("audit")

    assert refused.exit_code == 1
    assert "2026-03-03 at lab: never attributed" in refused.output
    assert json.loads(closed.output)["closed"] is True
    assert "2026-03 UTC  closed" in listed.output
    assert json.loads(closed.output)["hash"] in listed.output
    assert reopened.output == "2026-03 is open again\n"
    assert "re-opened by grace: late invoice" in audited.output
    assert "left out 2026-03-03 at lab: never attributed" in audited.output
    assert command("check").exit_code == 0


def test_the_commands_show_what_was_restated(command: Any, corrected: Scope) -> None:
    found = json.loads(command("restatements", "--json").output)

    assert [(one["reason"], one["windows"], one["corrects_month"]) for one in found["restatements"]] == [
        ("jobs", 4, "2026-03")
    ]
    assert found["difference"]["gpu_millis"] == 0
    assert "4 windows, jobs, corrects 2026-03" in command("restatements").output
    assert json.loads(command("restatements", "--from", "2026-03-03", "--json").output)["restatements"] == []


def test_a_text_that_is_no_month_is_refused(command: Any) -> None:
    assert "is no month; write it as 2026-10" in command("close", "March").output


def test_the_api_lists_the_closed_months(corrected: Scope, client: Client) -> None:
    body = client.get("/api/v1/periods", {"org": "one"}).json()

    assert [(one["month"], one["closed"], one["closed_by"]) for one in body["data"]] == [("2026-03", True, "ada")]
    # Two GPUs for the day that was attributed.
    assert body["data"][0]["sums"]["gpu_millis"] == str(2 * 24 * 3600 * 1000)
    assert client.get("/api/v1/periods", {"organisation": "one"}).status_code == 400
