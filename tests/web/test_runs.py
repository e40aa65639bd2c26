"""Runs of the demo: they sum to the ledger, and command, API and page say the same."""

from datetime import UTC, datetime

import pytest
from django.test import Client

from aiobserve.domain.account import MEASURES
from aiobserve.reports.amounts import Amounts
from aiobserve.reports.scope import resolve
from aiobserve.reports.spend import spend
from aiobserve.reports.training import runs

pytestmark = pytest.mark.django_db


def amounts(one: Amounts) -> dict[str, int]:
    return {name: getattr(one, name) for name in MEASURES}


def test_the_runs_of_the_demo_sum_to_the_ledger(demo_org: str) -> None:
    scope = resolve(clock_at=datetime(2026, 11, 24, tzinfo=UTC), organisation=demo_org)

    found = runs(scope, workload_types=())

    ledger = spend(scope, group_by=("job",))
    posted = {row.keys["job"]: amounts(row.amounts) for row in ledger.rows if row.keys["job"]}
    assert {one.key: amounts(one.amounts) for run in found.rows for one in run.attempts} == posted
    for run in found.rows:
        for one in run.attempts:
            if one.is_waste:
                assert {name: amounts(one.kept)[name] + amounts(one.lost)[name] for name in MEASURES} == amounts(
                    one.amounts
                )
    assert amounts(found.waste) == {name: amounts(found.kept)[name] + amounts(found.lost)[name] for name in MEASURES}
    assert found.waste.cost_microusd > found.lost.cost_microusd > found.lost_assumed.cost_microusd > 0


def test_api_and_page_say_the_same(demo_org: str, client: Client) -> None:
    found = runs(resolve(clock_at=datetime(2026, 11, 24, tzinfo=UTC), organisation=demo_org))

    answer = client.get("/api/v1/runs", {"org": demo_org}).json()
    page = client.get("/runs", {"org": demo_org}).content.decode()

    for name in ("total", "waste", "kept", "lost"):
        assert answer[name]["cost_microusd"] == str(getattr(found, name).cost_microusd)
    for measure, amounts_of in (("waste", found.waste), ("kept", found.kept), ("lost", found.lost)):
        assert f'data-measure="{measure}" data-exact="{amounts_of.cost_microusd}"' in page
    assert [run["name"] for run in answer["runs"]] == [run.name for run in found.rows]
    assert client.get("/api/v1/runs?workload_types=sleep").status_code == 400
