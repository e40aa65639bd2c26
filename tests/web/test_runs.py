"""Runs of the demo: they sum to the ledger, and command, API and page say the same."""

from datetime import UTC, datetime

import pytest

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
