"""Finds what is to be done: due days, open requests, tables to keep. What the tick pokes, and what `attribute` works through."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from django.db import transaction

from aiobserve.pipeline.attribute import DayAttributed, attribute_day
from aiobserve.store.read import fleet
from aiobserve.store.write.telemetry import compact, ensure_partitions

# Partitions of the hot table are made this far ahead.
AHEAD = timedelta(days=14)


@dataclass(frozen=True)
class Swept:
    """What attributing all due days came to."""

    days: int
    posted: int
    reversed: int
    windows: int
    windows_reversed: int
    blocked: tuple[DayAttributed, ...]


def attribute_due(
    organisation_id: int,
    *,
    now_at: datetime,
    on_day: Callable[[DayAttributed], None] = lambda day: None,
    due: Sequence[tuple[int, date]] | None = None,
) -> Swept:
    """Attribute every due day of an organisation, oldest first; days that somebody else has are left to them.

    A day can make its neighbours due, whose silence its telemetry ends; those are attributed too.
    """
    done: list[DayAttributed] = []
    waiting = fleet.due_days(organisation_id) if due is None else due
    while waiting:
        before = len(done)
        for site_id, day in waiting:
            result = attribute_day(site_id, day, until_at=now_at)
            if result is not None:
                done.append(result)
                on_day(result)
        waiting = fleet.due_days(organisation_id) if len(done) > before else []
    return Swept(
        days=len(done),
        posted=sum(one.posted for one in done),
        reversed=sum(one.reversed for one in done),
        windows=sum(one.windows for one in done),
        windows_reversed=sum(one.windows_reversed for one in done),
        blocked=tuple(one for one in done if one.blocked_reason),
    )


def keep_house(now_at: datetime) -> int:
    """Make the hot table's partitions of the next days and pack those of days long past; returns samples packed."""
    with transaction.atomic():
        ensure_partitions(now_at, now_at + AHEAD)
        return compact(now_at - timedelta(days=1))
