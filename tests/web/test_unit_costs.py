"""What a token costs: one report behind page, API and command, and it adds up."""

from datetime import UTC, datetime
from decimal import Decimal

import pytest
from django.test import Client

from aiobserve.pipeline.check import check_all
from aiobserve.reports.scope import Scope, resolve
from aiobserve.reports.spend import spend
from aiobserve.reports.units import BOUGHT, CLASSES, DIMENSIONS, UnitRow, unit_costs
from collectors.simulated import serving

pytestmark = pytest.mark.django_db

LAST_WEEK = {"first_day": "2026-10-30", "end_day": "2026-11-06"}


def last_week(slug: str) -> Scope:
    return resolve(clock_at=datetime(2026, 11, 24, tzinfo=UTC), organisation=slug, **LAST_WEEK)


def by(rows: tuple[UnitRow, ...], name: str) -> dict[str, UnitRow]:
    return {row.keys[name]: row for row in rows}


def test_input_cached_output_and_idle_sum_to_the_ledger(demo_org: str) -> None:
    scope = last_week(demo_org)
    served = spend(scope, group_by=("workload_type",), filters={"workload_type": ["interactive"]}).total
    bought = spend(scope, group_by=("component",), filters={"component": ["api"]}).total

    total = unit_costs(scope).total.total

    assert total.cost_microusd == served.cost_microusd + bought.cost_microusd > 0
    assert total.energy_millij == served.energy_millij > 0
    assert total.carbon_microg == served.carbon_microg > 0
    assert check_all(demo_org)["balanced"]


@pytest.mark.parametrize("name", DIMENSIONS)
def test_any_grouping_comes_to_the_same(demo_org: str, name: str) -> None:
    scope = last_week(demo_org)
    found = unit_costs(scope, group_by=(name,))

    for part in (*CLASSES, "idle"):
        sums = [getattr(row, part) for row in found.rows]
        whole = getattr(found.total, part)
        assert sum(one.cost_microusd for one in sums) == whole.cost_microusd
        assert sum(one.tokens for one in sums) == whole.tokens


def test_prices_times_tokens_and_the_residual_are_the_cost(demo_org: str) -> None:
    for row in unit_costs(last_week(demo_org), group_by=("model", "tenant", "day")).rows:
        priced = sum((getattr(row, name).usd_per_million or Decimal(0)) * getattr(row, name).tokens for name in CLASSES)
        assert priced + row.residual_microusd == row.total.cost_microusd - row.idle.cost_microusd


def test_bought_tokens_cost_what_the_price_list_says(demo_org: str) -> None:
    scope = resolve(
        clock_at=datetime(2026, 11, 24, tzinfo=UTC), organisation=demo_org, first_day="2026-11-02", end_day="2026-11-05"
    )

    large = by(unit_costs(scope, group_by=("model",)).rows, "model")["frontier-large"]

    assert large.output.usd_per_million == Decimal("12")  # 15 less a fifth
    assert large.cached.usd_per_million == Decimal("0.24")
    assert large.total.energy_millij == 0


def test_a_generated_token_of_an_own_server_costs_more_than_a_prompt_token_and_a_cached_one_least(
    demo_org: str,
) -> None:
    rows = by(unit_costs(last_week(demo_org), group_by=("model",)).rows, "model")

    for model in serving.SECONDS_PER_TOKEN:
        unit = rows[model]
        prices = [getattr(unit, name).usd_per_million for name in ("cached", "input", "output")]
        assert prices == sorted(prices)
        assert 0 < unit.output.j_per_token < 100


def test_two_hours_without_a_request_are_idle_serving_capacity(demo_org: str) -> None:
    scope = resolve(
        clock_at=datetime(2026, 11, 24, tzinfo=UTC), organisation=demo_org, first_day="2026-11-04", end_day="2026-11-05"
    )

    idle = by(unit_costs(scope, group_by=("model",)).rows, "model")

    share = idle["chat-7b"].idle.cost_microusd / idle["chat-7b"].total.cost_microusd
    assert share == pytest.approx(2 / 24, abs=0.01)
    assert idle["chat-70b"].idle.cost_microusd < idle["chat-70b"].total.cost_microusd / 1000


def test_a_restarted_replica_loses_no_token(demo_org: str) -> None:
    """On the day of the restart as many tokens are counted as on the day before, give or take the load."""
    days = by(unit_costs(last_week(demo_org), group_by=("day", "model")).rows, "day")
    tokens = {
        day: sum(
            row.output.tokens
            for row in unit_costs(last_week(demo_org), group_by=("day", "model")).rows
            if row.keys == {"day": day, "model": "chat-70b"}
        )
        for day in days
    }

    load = spend(last_week(demo_org), group_by=("day",), filters={"model": ["chat-70b"]})
    assert len(load.rows) == 7
    assert tokens["2026-11-02"] == pytest.approx(tokens["2026-11-03"], rel=0.15)


def test_the_team_that_runs_a_server_does_not_pay_for_the_others(demo_org: str) -> None:
    teams = by(unit_costs(last_week(demo_org), group_by=("tenant",)).rows, "tenant")

    assert {"Assistant", "Search", "Vision", "Speech", ""} <= set(teams)
    assert teams["Search"].output.tokens > 0


def test_the_api_prints_the_same_figures(demo_org: str, client: Client) -> None:
    found = unit_costs(last_week(demo_org), group_by=("model", "gpu"))

    answer = client.get(
        "/api/v1/unit-costs", {"org": demo_org, "from": LAST_WEEK["first_day"], "to": LAST_WEEK["end_day"]}
    ).json()

    assert answer["totals"]["total"]["cost_microusd"] == str(found.total.total.cost_microusd)
    assert [row["dimensions"] for row in answer["data"]] == [row.keys for row in found.rows]
    assert [row["output"]["usd_per_million"] for row in answer["data"]] == [
        str(row.output.usd_per_million) for row in found.rows
    ]
    assert {row["dimensions"]["gpu"] for row in answer["data"]} >= {BOUGHT}
    assert all(one["source"].startswith(("measured", "fitted", "assumed")) for one in answer["weights"])


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ("colour=red", "unknown parameter 'colour'"),
        ("group_by=colour", "cannot group unit costs by 'colour'"),
        ("org=a%00b", "NUL"),
    ],
)
def test_a_query_that_cannot_be_understood_is_a_problem_that_says_why(
    demo_org: str, client: Client, query: str, said: str
) -> None:
    response = client.get(f"/api/v1/unit-costs?{query}")

    assert response.status_code == 400
    assert said in response.json()["detail"]
