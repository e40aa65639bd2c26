"""Planted facts of the simulated company that only the ledger can show: who was charged, before and after."""

from datetime import UTC, date, datetime, timedelta

import pytest

from aiobserve.domain.window import Span
from aiobserve.pipeline.attribute import attribute_day
from aiobserve.pipeline.collect import collect
from aiobserve.reports.scope import organisation_of, resolve
from aiobserve.reports.spend import Spend, spend
from aiobserve.store.read import fleet
from aiobserve.store.write.organisation import ensure_organisation
from collectors.simulated import NOW_AT, SimulatedFleet, company
from collectors.simulated.lanes import DETECTOR

pytestmark = pytest.mark.django_db

MOVED = company.REORGANISATION_AT
TWO_DAYS = Span(MOVED - timedelta(days=1), MOVED + timedelta(days=1))


@pytest.fixture
def around_the_move() -> str:
    """The day before the re-organisation and the day of it, attributed; returns the organisation's slug."""
    organisation_id = ensure_organisation("around", name="Around", simulated=True, now_at=NOW_AT)
    collect(organisation_id, SimulatedFleet(), now_at=NOW_AT, span=TWO_DAYS)
    wanted = set(TWO_DAYS.days())
    for site_id, day in fleet.due_days(organisation_id):
        if day in wanted:
            done = attribute_day(site_id, day, until_at=NOW_AT)
            assert done and not done.blocked_reason
    return organisation_of("around").slug


def of_day(slug: str, day: date, *group_by: str, **filters: str) -> Spend:
    scope = resolve(
        clock_at=datetime(2027, 1, 1, tzinfo=UTC),
        organisation=slug,
        first_day=day.isoformat(),
        end_day=(day + timedelta(days=1)).isoformat(),
    )
    return spend(scope, group_by=group_by, filters={name: [value] for name, value in filters.items()})


def test_an_account_that_moved_is_charged_to_its_new_team_from_that_day_on(around_the_move: str) -> None:
    before, after = (
        of_day(around_the_move, day, "team", model=DETECTOR.model, account="job")
        for day in (MOVED.date() - timedelta(days=1), MOVED.date())
    )

    assert {row.keys["team"] for row in before.rows} == {"Vision"}
    assert {row.keys["team"] for row in after.rows} == {company.MOVED_TO_TEAM}
    assert min(before.total.gpu_millis, after.total.gpu_millis) > 0


def test_an_account_of_no_team_is_charged_to_nobody_and_not_lost(around_the_move: str) -> None:
    days = [MOVED.date() - timedelta(days=1), MOVED.date()]
    unattributed = [of_day(around_the_move, day, "team", "job_name", account="unattributed") for day in days]
    named = [row for found in unattributed for row in found.rows if row.keys["job_name"]]

    assert named
    assert {row.keys["team"] for row in named} == {""}
    # Its own jobs, and its part of the servers whose tokens it used.
    assert {row.keys["job_name"].split("-")[0] for row in named} == {"other", "serve"}
    assert sum(row.amounts.cost_microusd for row in named) > 0
