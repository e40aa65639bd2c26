"""The Celery tasks, one a stage, and the tick. Doors only: each reads the clock, calls one function, and leaves.

Tasks take keyword arguments, tolerate unknown ones, receive ids, and may run twice or not at all: the state
is in PostgreSQL and the tick finds what was missed.
"""

from datetime import UTC, date, datetime

from celery import shared_task

from aiobserve.pipeline import requests
from aiobserve.pipeline.attribute import attribute_day as attribute_one_day
from aiobserve.pipeline.plan import DEFAULT_POLICY, make_plan
from aiobserve.pipeline.sweep import keep_house
from aiobserve.reports.scope import present
from aiobserve.store.read import fleet

# No more days than this are poked by one tick; the next one pokes the rest.
MOST_DAYS = 400


def clock() -> datetime:
    """Return the present."""
    return datetime.now(UTC)


@shared_task(name="aiobserve.tick")
def tick(**ignored: object) -> None:
    """Poke everything that is due, and keep the tables in order."""
    now_at = clock()
    keep_house(now_at)
    for request_id in requests.open_requests():
        collect.delay(request_id=request_id)
    for site_id, day in fleet.due_days()[:MOST_DAYS]:
        attribute_day.delay(site_id=site_id, day=day.isoformat())
    for organisation in fleet.organisations():
        if not organisation.simulated:
            plan.delay(organisation_id=organisation.pk)


@shared_task(name="aiobserve.collect")
def collect(*, request_id: int, **ignored: object) -> None:
    """Collect a requested source, unless it is done or somebody is at it."""
    requests.carry_out(request_id, clock_at=clock())


@shared_task(name="aiobserve.attribute_day")
def attribute_day(*, site_id: int, day: str, **ignored: object) -> None:
    """Attribute one site-day, unless it is not due or somebody is at it."""
    organisation = next(one for one in fleet.organisations() if one.pk == fleet.site(site_id).organisation_id)
    attribute_one_day(site_id, date.fromisoformat(day), until_at=present(organisation, clock()))


@shared_task(name="aiobserve.plan")
def plan(*, organisation_id: int, policy: str = DEFAULT_POLICY, **ignored: object) -> None:
    """Plan the queue of one organisation."""
    organisation = next(one for one in fleet.organisations() if one.pk == organisation_id)
    make_plan(organisation_id, now_at=present(organisation, clock()), policy=policy)
