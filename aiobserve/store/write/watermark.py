"""Marks site-days, or parts of them, as due for attribution, and claims and finishes them."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

from django.db import connection
from django.db.models import F
from django.db.models.functions import Greatest, Now
from psycopg import sql

from aiobserve.domain.reason import Reason
from aiobserve.domain.window import Span, utc_day
from aiobserve.store.models import Watermark

INSTANT = timedelta(microseconds=1)
# A day that was not due takes what is new; one that was due becomes dirty over both spans, and whole stays whole.
RAISE = sql.SQL(
    """wanted_version = watermark.wanted_version + 1, blocked_reason = '',
       dirty_from_at = CASE WHEN watermark.wanted_version = watermark.done_version THEN new.dirty_from_at
           WHEN watermark.dirty_from_at IS NOT NULL AND new.dirty_from_at IS NOT NULL
           THEN least(watermark.dirty_from_at, new.dirty_from_at) END,
       dirty_to_at = CASE WHEN watermark.wanted_version = watermark.done_version THEN new.dirty_to_at
           WHEN watermark.dirty_from_at IS NOT NULL AND new.dirty_from_at IS NOT NULL
           THEN greatest(watermark.dirty_to_at, new.dirty_to_at) END,
       reasons = CASE WHEN watermark.wanted_version = watermark.done_version THEN new.reasons
           ELSE ARRAY(SELECT DISTINCT unnest(watermark.reasons || new.reasons) ORDER BY 1) END"""
)


class NeighbourBusy(RuntimeError):
    """A day that has to be marked as due is being attributed by somebody else; try again when they are done."""


def want_days(site_id: int, days: Iterable[date], *, reason: Reason = Reason.REQUEST) -> None:
    """Mark whole days of a site as due, making their watermarks where there are none."""
    _insert([(site_id, day, None, None) for day in sorted(set(days))], reason)


def want_spans(site_id: int, spans: Iterable[Span], *, reason: Reason) -> None:
    """Mark the days that spans touch as due, over no more than the spans, making watermarks where there are none.

    A span of no length is an instant: its window is due.
    """
    dirty: dict[date, Span] = {}
    for span in spans:
        for day, part in _by_day(Span(span.start_at, max(span.end_at, span.start_at + INSTANT))):
            known = dirty.get(day, part)
            dirty[day] = Span(min(known.start_at, part.start_at), max(known.end_at, part.end_at))
    _insert([(site_id, day, part.start_at, part.end_at) for day, part in sorted(dirty.items())], reason)


def want_again(
    site_ids: Iterable[int], first_at: datetime, last_at: datetime | None, *, reason: Reason = Reason.REQUEST
) -> None:
    """Mark what exists from one instant until another as due: the windows between them; an open end means all later ones."""
    with connection.cursor() as cursor:
        cursor.execute(
            sql.SQL(
                """UPDATE watermark SET {set} FROM (
                       SELECT id, greatest(day::timestamp AT TIME ZONE 'UTC', %(first)s) AS dirty_from_at,
                              least((day + 1)::timestamp AT TIME ZONE 'UTC', %(last)s) AS dirty_to_at, %(reasons)s::text[] AS reasons
                       FROM watermark WHERE site_id = ANY(%(sites)s)
                       AND (day + 1)::timestamp AT TIME ZONE 'UTC' > %(first)s
                       AND (%(last)s IS NULL OR day::timestamp AT TIME ZONE 'UTC' < %(last)s)
                       ORDER BY site_id, day FOR UPDATE) AS new
                   WHERE watermark.id = new.id"""
            ).format(set=RAISE),
            {
                "sites": list(site_ids),
                "first": first_at,
                "last": last_at if last_at is None else max(last_at, first_at + INSTANT),
                "reasons": [reason.value],
            },
        )


def want_assumed(site_ids: Iterable[int], first_at: datetime, last_at: datetime, *, reason: Reason) -> None:
    """Mark as due, from the first day until the last, windows that assumed a signal and days that wait for one."""
    first_at = utc_day(first_at.astimezone(UTC).date()).start_at
    with connection.cursor() as cursor:
        cursor.execute(
            """SELECT site_id, min(window_start_at), max(window_start_at) FROM ledger_window
               WHERE site_id = ANY(%(sites)s) AND window_start_at >= %(first)s AND window_start_at < %(last)s
               AND reversed_by_id IS NULL AND assumed
               GROUP BY site_id, (window_start_at AT TIME ZONE 'UTC')::date
               UNION ALL
               SELECT site_id, day::timestamp AT TIME ZONE 'UTC', (day + 1)::timestamp AT TIME ZONE 'UTC' FROM watermark
               WHERE site_id = ANY(%(sites)s) AND blocked_reason <> '' AND day >= (%(first)s AT TIME ZONE 'UTC')::date
               AND day < (%(last)s AT TIME ZONE 'UTC')::date ORDER BY 1, 2""",
            {"sites": list(site_ids), "first": first_at, "last": last_at},
        )
        found = cursor.fetchall()
    for site_id, start_at, end_at in found:
        want_again([site_id], start_at, end_at, reason=reason)


def want_done_again(site_id: int, first_day: date, last_day: date, *, reason: Reason) -> None:
    """Mark whole days from first to last that were attributed already as due, but for those that somebody has now."""
    done = Watermark.objects.filter(site_id=site_id, day__gte=first_day, day__lte=last_day, done_version__gt=0)
    free = done.order_by("day").select_for_update(skip_locked=True).values_list("day", flat=True)
    want_days(site_id, list(free), reason=reason)


def want_neighbour(site_id: int, span: Span) -> None:
    """Mark what exists of a span of other days as due, from within the attribution of a day.

    Raises:
        NeighbourBusy: somebody has one of those days; waiting for them could be waiting for each other.
    """
    days = [day for day, _ in _by_day(span)]
    known = Watermark.objects.filter(site_id=site_id, day__in=days, done_version__gt=0)
    free = set(known.select_for_update(skip_locked=True).values_list("day", flat=True))
    busy = set(known.values_list("day", flat=True)) - free
    if busy:
        raise NeighbourBusy(f"{min(busy)} of site {site_id} is being attributed")
    for day, part in _by_day(span):
        if day in free:
            want_again([site_id], part.start_at, part.end_at, reason=Reason.NEIGHBOUR)


@dataclass(frozen=True)
class DueDay:
    """A day that was claimed: what of it changed and why, and until when it has been attributed before."""

    pk: int
    site_id: int
    day: date
    wanted_version: int
    dirty: Span
    reasons: frozenset[str]
    done_until_at: datetime | None


def claim_day(site_id: int, day: date) -> DueDay | None:
    """Lock the watermark of a due day; None when it is not due or somebody else has it.

    The lock lives as long as the caller's transaction: a worker that is killed gives the day back.
    """
    row = (
        Watermark.objects.select_for_update(skip_locked=True)
        .filter(site_id=site_id, day=day, wanted_version__gt=F("done_version"))
        .first()
    )
    if row is None:
        return None
    dirty = utc_day(day)
    if row.dirty_from_at is not None and row.dirty_to_at is not None:
        dirty = Span(max(dirty.start_at, row.dirty_from_at), min(dirty.end_at, row.dirty_to_at))
    return DueDay(row.pk, site_id, day, row.wanted_version, dirty, frozenset(row.reasons), row.done_until_at)


def finish_day(due: DueDay, *, until_at: datetime) -> None:
    """Record that the claimed day is attributed up to the version that was wanted and the windows that had ended."""
    Watermark.objects.filter(pk=due.pk).update(
        done_version=due.wanted_version,
        done_at=Now(),
        done_until_at=Greatest("done_until_at", until_at),
        blocked_reason="",
        dirty_from_at=None,
        dirty_to_at=None,
        reasons=[],
    )


def block_day(site_id: int, day: date, *, reason: str) -> None:
    """Record why a day cannot be attributed yet; it stays due, and is tried again when its input changes."""
    Watermark.objects.filter(site_id=site_id, day=day).update(blocked_reason=reason)


def _insert(rows: list[tuple[int, date, datetime | None, datetime | None]], reason: Reason) -> None:
    if not rows:
        return
    sites, days, first_at, last_at = (list(column) for column in zip(*rows, strict=True))
    with connection.cursor() as cursor:
        cursor.execute(
            sql.SQL(
                """INSERT INTO watermark (site_id, day, wanted_version, done_version, blocked_reason,
                                          dirty_from_at, dirty_to_at, reasons)
                   SELECT site_id, day, 1, 0, '', dirty_from_at, dirty_to_at, %s::text[]
                   FROM unnest(%s::bigint[], %s::date[], %s::timestamptz[], %s::timestamptz[])
                        AS row (site_id, day, dirty_from_at, dirty_to_at)
                   ORDER BY site_id, day ON CONFLICT (site_id, day) DO UPDATE SET {set}"""
            ).format(set=sql.SQL(RAISE.as_string().replace("new.", "EXCLUDED."))),
            [[reason.value], sites, days, first_at, last_at],
        )


def _by_day(span: Span) -> Iterable[tuple[date, Span]]:
    for day in span.days():
        whole = utc_day(day)
        part = Span(max(whole.start_at, span.start_at.astimezone(UTC)), min(whole.end_at, span.end_at.astimezone(UTC)))
        yield day, part
