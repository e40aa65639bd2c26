"""The same figure on page, API, exports and mail, to the last unit."""

import csv
import hashlib
import io
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

import pytest
from django.test import Client

from aiobserve.emails.weekly import week_ending, weekly_digest
from aiobserve.exports.files import write_csv
from aiobserve.exports.focus import COLUMNS, focus_rows
from aiobserve.exports.ledger_csv import ledger_header, ledger_rows
from aiobserve.reports.scope import Scope, resolve
from aiobserve.reports.spend import spend
from dashboards import formats

pytestmark = pytest.mark.django_db

FOCUS_UNITS = {
    "x_CostMicrousd": "cost_microusd",
    "x_EnergyMillij": "energy_millij",
    "x_CarbonMicrog": "carbon_microg",
    "x_GpuMillis": "gpu_millis",
}
CLOCK_AT = datetime(2026, 11, 24, tzinfo=UTC)


def last_week(zone: str) -> Scope:
    return week_ending(resolve(clock_at=CLOCK_AT, organisation="demo", timezone=zone))


@pytest.mark.parametrize("zone", ["UTC", "Europe/Berlin", "America/New_York", "Asia/Kathmandu"])
def test_page_api_exports_and_mail_agree_to_the_unit(demo_org: str, client: Client, zone: str) -> None:
    scope = last_week(zone)
    total = spend(scope, group_by=()).total
    query = {"org": demo_org, "from": scope.first_day.isoformat(), "to": scope.end_day.isoformat(), "tz": zone}

    page = client.get("/", query).content.decode()
    answer = client.get(
        "/api/v1/costs", {**query, "group_by": "account,team,model", "granularity": "day", "limit": 1000}
    ).json()
    focus = [dict(zip(COLUMNS, row, strict=True)) for row in focus_rows(scope)]
    plain = [dict(zip(ledger_header(), row, strict=True)) for row in ledger_rows(scope)]
    digest = weekly_digest(scope)

    assert total.cost_microusd > 0
    assert f'data-measure="cost" data-exact="{total.cost_microusd}"' in page
    assert f'data-measure="energy" data-exact="{total.energy_millij}"' in page
    assert f'data-measure="carbon" data-exact="{total.carbon_microg}"' in page
    assert formats.money(total.cost_microusd) in page
    for name in ("cost_microusd", "energy_millij", "carbon_microg", "gpu_millis"):
        assert answer["totals"]["exact"][name] == str(getattr(total, name))
        assert sum(int(row["exact"][name]) for row in answer["data"]) == getattr(total, name)
        assert sum(row[name] for row in plain) == getattr(total, name)
    assert sum((Decimal(row["BilledCost"]) for row in focus), Decimal(0)) * 1_000_000 == total.cost_microusd
    assert sum(row["x_CostMicrousd"] for row in focus) == total.cost_microusd
    for column, name in FOCUS_UNITS.items():
        assert sum(int(row[column]) for row in focus if row[column] != "") == getattr(total, name)
    assert sum((Decimal(row["ListCost"]) for row in focus), Decimal(0)) * 1_000_000 == total.list_microusd
    for column, whole in (
        ("x_EnergyErrorKwh", total.energy_error_kwh),
        ("x_CarbonMarketKgCO2e", total.carbon_market_kg),
        ("x_EmbodiedKgCO2e", total.embodied_kg),
        ("x_WaterL", total.water_l),
    ):
        assert whole > 0
        # Each row is rounded by itself: to the gram or watt-hour, and to a tenth of a litre.
        allowed = Decimal("0.06" if column == "x_WaterL" else "0.0006") * len(focus)
        assert abs(sum(Decimal(row.get(column) or 0) for row in focus) - whole) <= allowed
    assert answer["totals"]["energy"] == {
        "value": str(total.energy_kwh), "unit": "kWh", "error": str(total.energy_error_kwh),
    }  # fmt: skip
    assert answer["totals"]["emissions_market"]["value"] == str(total.carbon_market_kg)
    assert answer["totals"]["list_cost"]["amount"] == str(total.list_usd)
    assert f"± {formats.energy(total.energy_error_millij, total.energy_millij)}" in page
    assert f"at list price {formats.money(total.list_microusd)}" in page
    assert f"market-based {formats.carbon(total.carbon_market_microg, total.carbon_microg)}" in page
    for figure in (f"${total.cost_usd:,}", f"{total.energy_kwh:,} kWh", f"{total.carbon_kg:,} kgCO2e"):
        assert figure in digest.text
        assert figure in digest.html
    assert f": ${total.cost_usd:,} from " in digest.subject


def test_the_text_of_the_mail_has_every_number_of_its_html(demo_org: str) -> None:
    digest = weekly_digest(last_week("UTC"))

    rows = spend(last_week("UTC"), group_by=("account", "team")).rows
    for row in rows:
        for number in (row.amounts.cost_usd, row.amounts.energy_kwh, row.amounts.carbon_kg):
            assert f"{number:,}" in digest.html
            assert f"{number:,}" in digest.text
    assert max(map(len, digest.text.splitlines())) <= 72
    assert len(digest.html.encode()) < 90_000


def test_local_days_sum_to_the_same_span_in_any_zone(demo_org: str) -> None:
    scope = resolve(
        clock_at=CLOCK_AT,
        organisation=demo_org,
        first_day="2026-10-31",
        end_day="2026-11-03",
        timezone="America/New_York",
    )

    days = spend(scope, group_by=("day",))
    hours = spend(scope, group_by=("hour",))

    assert scope.span.duration_s == 73 * 3600
    assert [row.keys["day"] for row in days.rows] == ["2026-10-31", "2026-11-01", "2026-11-02"]
    assert days.total == hours.total


def test_filters_and_groups_do_not_depend_on_their_order(demo_org: str) -> None:
    scope = last_week("UTC")
    whole = spend(scope, group_by=("team",))

    parts = [spend(scope, group_by=("model",), filters={"team": [row.keys["team"]]}).total for row in whole.rows]

    assert sum(part.cost_microusd for part in parts) == whole.total.cost_microusd
    assert spend(scope, group_by=("team", "model")).total == spend(scope, group_by=("model", "team")).total


def test_a_written_export_can_be_read_back_and_matches_its_manifest(demo_org: str, tmp_path: Path) -> None:
    scope = last_week("UTC")
    path = tmp_path / "out.csv"
    manifest = write_csv(path, ledger_header(), ledger_rows(scope))

    rows = list(csv.DictReader(io.StringIO(path.read_text(encoding="utf-8-sig"))))
    assert len(rows) == manifest["rows"]
    assert hashlib.sha256(path.read_bytes()).hexdigest() == manifest["sha256"]
    assert sum(int(row["cost_microusd"]) for row in rows) == spend(scope, group_by=()).total.cost_microusd
    assert [one.name for one in tmp_path.iterdir()] == ["out.csv"]
