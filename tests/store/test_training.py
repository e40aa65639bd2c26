"""Runs from the ledger: attempts, waste and checkpoint loss, in a real PostgreSQL."""

from datetime import date

import pytest

from aiobserve.domain.account import MEASURES
from aiobserve.pipeline.collect import collect
from aiobserve.pipeline.sweep import attribute_due
from aiobserve.reports.amounts import Amounts
from aiobserve.reports.scope import Scope, organisation_of
from aiobserve.reports.training import runs
from aiobserve.store.models import Checkpoint, Job
from aiobserve.store.write.organisation import ensure_organisation
from tests.worlds import World, at

pytestmark = pytest.mark.django_db


def amounts(one: Amounts) -> dict[str, int]:
    return {name: getattr(one, name) for name in MEASURES}


def test_a_requeued_attempt_is_waste_and_what_came_after_its_checkpoint_is_lost() -> None:
    organisation_id = ensure_organisation("world", name="World")
    world = (
        World()
        .job("train:1", start=1, end=4, name="train", state="requeued", attempt=1)
        .job("train:2", start=5, end=7, name="train", attempt=2)
        .power("busy_gpu", watts=100, start=0, end=25)
        .power("idle_gpu", watts=20, start=0, end=25)
    )
    collect(organisation_id, world, now_at=at(100))
    Checkpoint.objects.create(job=Job.objects.get(organisation_id=organisation_id, key="train:1"), at=at(3))
    attribute_due(organisation_id, now_at=at(100))

    found = runs(Scope(organisation_of("world"), date(2026, 3, 2), date(2026, 3, 3), "UTC"))

    (run,) = found.rows
    # Three hours and two hours at two dollars and 0.1 kWh of ten cents each; two of the three were saved.
    assert [(one.attempt, one.state, one.amounts.cost_microusd) for one in run.attempts] == [
        (1, "requeued", 6_030_000),
        (2, "completed", 4_020_000),
    ]
    assert (run.waste.cost_microusd, run.attempts[0].kept.cost_microusd, run.lost.cost_microusd) == (
        6_030_000,
        4_020_000,
        2_010_000,
    )
    assert run.lost.energy_millij == 360_000_000
    assert not run.assumed


def test_without_a_checkpoint_the_whole_attempt_is_lost_at_most_and_said_to_be_assumed() -> None:
    organisation_id = ensure_organisation("world", name="World")
    collect(organisation_id, World().job("train", start=1, end=4, state="failed"), now_at=at(100))
    attribute_due(organisation_id, now_at=at(100))

    (run,) = runs(Scope(organisation_of("world"), date(2026, 3, 2), date(2026, 3, 3), "UTC")).rows

    assert run.assumed
    assert amounts(run.lost) == amounts(run.waste) == amounts(run.amounts)
