"""Finds what is to be done: due days, open requests, tables to keep. What the tick pokes, and what `attribute` works through."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from django.db import transaction

from aiobserve.pipeline.attribute import DayAttributed, attribute_day
from aiobserve.store.read import fleet
from aiobserve.store.write.compact import compact_hours, drop_emptied, merge_days
from aiobserve.store.write.telemetry import ensure_partitions, open_hour

# Partitions of the hot table are made this far ahead.
AHEAD = timedelta(days=3)


@dataclass(frozen=True)
class Swept:
    """What attributing all due days came to; a day that was blocked is not among the days."""

    days: int
    posted: int
    reversed: int
    windows: int
    windows_reversed: int
    blocked: tuple[DayAttributed, ...]


def due_of(organisation_id: int, site_ids: Sequence[int] | None = None) -> list[tuple[int, date]]:
    """Return (site id, day) of what is due in an organisation, or at some of its sites, oldest first."""
    return [pair for pair in fleet.due_days(organisation_id) if site_ids is None or pair[0] in site_ids]


def attribute_due(
    organisation_id: int,
    *,
    now_at: datetime,
    on_day: Callable[[DayAttributed], None] = lambda day: None,
    site_ids: Sequence[int] | None = None,
) -> Swept:
    """Attribute every due day of an organisation, or of some of its sites, oldest first.

    Days that somebody else has are left to them.

    A day can make its neighbours due, whose silence its telemetry ends; those are attributed too.
    """
    done: list[DayAttributed] = []
    waiting = due_of(organisation_id, site_ids)
    while waiting:
        before = len(done)
        for site_id, day in waiting:
            result = attribute_day(site_id, day, until_at=now_at)
            if result is not None:
                done.append(result)
                on_day(result)
        waiting = due_of(organisation_id, site_ids) if len(done) > before else []
    return Swept(
        days=sum(not one.blocked_reason for one in done),
        posted=sum(one.posted for one in done),
        reversed=sum(one.reversed for one in done),
        windows=sum(one.windows for one in done),
        windows_reversed=sum(one.windows_reversed for one in done),
        blocked=tuple(one for one in done if one.blocked_reason),
    )


def keep_house(now_at: datetime) -> int:
    """Make the hot table's partitions of the next days, pack the hours that are over, merge the days; returns samples packed.

    Each step commits on its own, and whatever is not reached is found by the next call.
    """
    with transaction.atomic():
        ensure_partitions(now_at, now_at + AHEAD)
    open_at = open_hour(now_at)
    packed = compact_hours(open_at)
    merge_days(open_at)
    drop_emptied(open_at)
    return packed
