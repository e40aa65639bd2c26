"""Idle and overhead shared out at report time: same totals on every surface, whatever the policy."""

from dataclasses import replace
from datetime import UTC, datetime
from itertools import product

import pytest
from django.test import Client

from aiobserve.attribution.share_out import IDLE_POLICIES, OVERHEAD_POLICIES
from aiobserve.domain.units import usd
from aiobserve.emails.weekly import week_ending, weekly_digest
from aiobserve.exports.focus import COLUMNS, focus_rows
from aiobserve.exports.ledger_csv import ledger_header, ledger_rows
from aiobserve.reports.scope import BadScope, Scope, resolve
from aiobserve.reports.sharing import Sharing
from aiobserve.reports.spend import spend

pytestmark = pytest.mark.django_db

POLICIES = [Sharing(idle, overhead) for idle, overhead in product(IDLE_POLICIES, OVERHEAD_POLICIES)]


def last_week(sharing: Sharing | None = None, zone: str = "UTC") -> Scope:
    scope = week_ending(resolve(clock_at=datetime(2026, 11, 24, tzinfo=UTC), organisation="demo", timezone=zone))
    return replace(scope, sharing=sharing or Sharing())


@pytest.mark.parametrize("sharing", POLICIES, ids=str)
def test_no_policy_changes_a_total_or_what_was_idle(demo_org: str, sharing: Sharing) -> None:
    before, after = (spend(last_week(one), group_by=("account", "component")) for one in (None, sharing))

    assert after.total == before.total
    assert {tuple(row.keys.values()): row.amounts for row in after.rows} == {
        tuple(row.keys.values()): row.amounts for row in before.rows
    }


@pytest.mark.parametrize("dimension", ["site", "model", "job_name", "hour", "day", "month", "hour_of_day"])
def test_a_team_bears_the_same_however_it_is_broken_down(demo_org: str, dimension: str) -> None:
    scope = last_week(Sharing("by_use", "shared"), "Asia/Kathmandu")
    by_team = {row.keys["team"]: row.amounts for row in spend(scope, group_by=("team",)).rows}

    for team in ("Language", "Science"):
        parts = spend(scope, group_by=(dimension,), filters={"team": [team]})
        assert parts.total == by_team[team]


def test_teams_bear_more_and_nobody_less_when_idle_is_shared(demo_org: str) -> None:
    before, after = (
        {row.keys["team"]: row.amounts.cost_microusd for row in spend(last_week(one), group_by=("team",)).rows}
        for one in (None, Sharing("by_use", "shared"))
    )

    assert all(after[team] > cost for team, cost in before.items() if team)
    assert after[""] < before[""]


def test_page_api_exports_and_mail_share_alike(demo_org: str, client: Client) -> None:
    scope = last_week(Sharing("even", "shared", 800))
    query = {
        "org": demo_org, "from": scope.first_day.isoformat(), "to": scope.end_day.isoformat(),
        "idle": "even", "overhead": "shared", "utilisation_floor": "80%",
    }  # fmt: skip
    expected = {
        row.keys["team"]: row.amounts.cost_microusd for row in spend(scope, group_by=("team",)).rows if row.keys["team"]
    }

    answer = client.get("/api/v1/costs", {**query, "group_by": "team"}).json()
    plain = [dict(zip(ledger_header(("team",)), row, strict=True)) for row in ledger_rows(scope, ("team",))]
    focus = [dict(zip(COLUMNS, row, strict=True)) for row in focus_rows(scope)]
    page = client.get("/", query).content.decode()
    digest = weekly_digest(scope)

    assert {
        row["dimensions"]["team"]: int(row["exact"]["cost_microusd"])
        for row in answer["data"]
        if row["dimensions"]["team"]
    } == expected
    assert {row["team"]: row["cost_microusd"] for row in plain if row["team"]} == expected
    for team, cost_microusd in expected.items():
        assert sum(row["x_CostMicrousd"] for row in focus if row["SubAccountId"] == team) == cost_microusd
        assert f'data-exact="{cost_microusd}"' in page
        assert str(usd(cost_microusd)) in digest.text
    assert answer["sharing"] == {"idle": "even", "overhead": "shared", "utilisation_floor": "0.8"}


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ("idle=mine", "no policy; choose from separate, reserver, by_use, even"),
        ("overhead=gone", "no policy; choose from separate, shared"),
        ("idle=by_use&utilisation_floor=0", "must lie above 0"),
        ("idle=by_use&utilisation_floor=NaN", "must lie above 0"),
        ("utilisation_floor=0.8", "goes with idle=by_use or idle=even"),
    ],
)
def test_a_policy_that_is_not_known_is_refused_in_words(demo_org: str, client: Client, query: str, said: str) -> None:
    answer = client.get(f"/api/v1/costs?{query}")

    assert answer.status_code == 400
    assert said in answer.json()["detail"]
    assert client.get(f"/?{query}").status_code == 400
    with pytest.raises(BadScope, match="choose from"):
        resolve(clock_at=datetime(2026, 11, 24, tzinfo=UTC), idle="mine")
