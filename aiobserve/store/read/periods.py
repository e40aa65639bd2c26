"""Reads the closed periods, what stands in the way of closing one, and the lines that its hash is made of."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime

from django.db import connection
from psycopg import sql

from aiobserve.domain.account import CHARGED, MEASURES
from aiobserve.domain.window import Span
from aiobserve.store.models import LedgerAudit, LedgerPeriod


@dataclass(frozen=True)
class PeriodRow:
    """A month that was closed; it is open again when `reopened_at` is set."""

    pk: int
    month: date
    timezone: str
    start_at: datetime
    end_at: datetime
    previous_hash: str
    hash: str
    rows: int
    sums: dict[str, int]
    closed_at: datetime
    closed_by: str
    reopened_at: datetime | None

    @property
    def span(self) -> Span:
        """Return the windows of the period."""
        return Span(self.start_at, self.end_at)


@dataclass(frozen=True)
class AuditRow:
    """Who did what to which month, when and why."""

    at: datetime
    action: str
    month: date
    by: str
    reason: str
    details: list[dict[str, str]]


def periods(organisation_id: int) -> list[PeriodRow]:
    """Return every month that was ever closed, in order of month and closing."""
    rows = LedgerPeriod.objects.filter(organisation_id=organisation_id).order_by("start_at", "pk")
    return [
        PeriodRow(
            row.pk, row.month, row.timezone, row.start_at, row.end_at, row.previous.hash if row.previous else "", row.hash,
            row.rows, {name: int(amount) for name, amount in row.sums.items()}, row.closed_at, row.closed_by, row.reopened_at,
        )
        for row in rows.select_related("previous")
    ]  # fmt: skip


def closed_periods(organisation_id: int) -> list[PeriodRow]:
    """Return the months that are closed now, in order."""
    return [one for one in periods(organisation_id) if one.reopened_at is None]


def audit(organisation_id: int) -> list[AuditRow]:
    """Return the audit of an organisation's periods, oldest first."""
    rows = LedgerAudit.objects.filter(organisation_id=organisation_id).order_by("pk").select_related("period")
    return [AuditRow(row.at, row.action, row.period.month, row.by, row.reason, row.details) for row in rows]


def canonical_lines(organisation_id: int, span: Span) -> Iterator[bytes]:
    """Yield, in pieces, one line for each window and bearer of a span with its sums: what a period's hash is made of.

    A line is, tab separated: site, window (epoch seconds), account, component, team, project and model (ids, \\N for
    none), then the measures in order. Lines are sorted by these keys, so that neither the order of postings
    nor the batches that they came in matter. Bearers that come to nothing are left out.
    """
    sums = sql.SQL(", ").join(sql.SQL("sum({})").format(sql.Identifier(name)) for name in MEASURES)
    worth = sql.SQL(" OR ").join(sql.SQL("sum({}) <> 0").format(sql.Identifier(name)) for name in MEASURES)
    statement = sql.SQL(
        """COPY (SELECT site_id, extract(epoch FROM window_start_at)::bigint, account, component, team_id, project_id,
                        model_id, {sums} FROM posting
                 WHERE organisation_id = {organisation} AND window_start_at >= {start} AND window_start_at < {end}
                 GROUP BY 1, 2, 3, 4, 5, 6, 7 HAVING {worth} ORDER BY 1, 2, 3, 4, 5, 6, 7) TO STDOUT"""
    ).format(
        sums=sums,
        worth=worth,
        organisation=sql.Literal(organisation_id),
        start=sql.Literal(span.start_at),
        end=sql.Literal(span.end_at),
    )
    with connection.cursor() as cursor, cursor.copy(statement) as copy:
        for piece in copy:
            yield bytes(piece)


def charged_sums(organisation_id: int, span: Span) -> dict[str, int]:
    """Return what was charged in the windows of a span, by measure."""
    sums = ", ".join(f"coalesce(sum({name}), 0)::bigint" for name in MEASURES)
    with connection.cursor() as cursor:
        cursor.execute(
            f"""SELECT {sums} FROM posting WHERE organisation_id = %s AND account = ANY(%s)
                AND window_start_at >= %s AND window_start_at < %s""",  # noqa: S608 - names are our own constants
            [organisation_id, [int(one) for one in CHARGED], span.start_at, span.end_at],
        )
        return dict(zip(MEASURES, map(int, cursor.fetchone() or ()), strict=True))


def unfinished_days(organisation_id: int, span: Span) -> list[tuple[str, date, str]]:
    """Return (site, day, why) of each site-day whose part of the span is due, blocked or was never attributed."""
    with connection.cursor() as cursor:
        cursor.execute(
            """WITH asked AS (
                   SELECT site.id AS site_id, site.name, day::date AS day, greatest(day AT TIME ZONE 'UTC', %(start)s) AS start_at,
                          least((day + interval '1 day') AT TIME ZONE 'UTC', %(end)s) AS end_at
                   FROM site CROSS JOIN generate_series(
                       date_trunc('day', %(start)s::timestamptz AT TIME ZONE 'UTC'),
                       (%(end)s::timestamptz AT TIME ZONE 'UTC') - interval '1 microsecond', interval '1 day') AS day
                   WHERE site.organisation_id = %(organisation)s)
               SELECT asked.name, asked.day,
                      CASE WHEN coalesce(mark.blocked_reason, '') <> '' THEN 'blocked: ' || mark.blocked_reason
                           WHEN mark.id IS NULL OR mark.done_version = 0 THEN 'never attributed'
                           WHEN mark.wanted_version > mark.done_version THEN 'due: ' || array_to_string(mark.reasons, ', ')
                           ELSE 'attributed only until '
                                || coalesce(to_char(mark.done_until_at AT TIME ZONE 'UTC', 'HH24:MI'), '00:00') END
               FROM asked LEFT JOIN watermark AS mark ON mark.site_id = asked.site_id AND mark.day = asked.day
               WHERE EXISTS (SELECT 1 FROM device JOIN node ON node.id = device.node_id WHERE node.site_id = asked.site_id
                             AND device.valid_from_at < asked.end_at
                             AND coalesce(device.valid_to_at, 'infinity') > asked.start_at)
               AND (mark.id IS NULL
                    OR mark.wanted_version > mark.done_version
                       AND coalesce(mark.dirty_from_at, '-infinity') < asked.end_at
                       AND coalesce(mark.dirty_to_at, 'infinity') > asked.start_at
                    OR coalesce(mark.done_until_at, '-infinity') < asked.end_at)
               ORDER BY asked.day, asked.name""",
            {"organisation": organisation_id, "start": span.start_at, "end": span.end_at},
        )
        return [(str(site), day, str(why)) for site, day, why in cursor.fetchall()]


def first_window(organisation_id: int) -> datetime | None:
    """Return the first window of an organisation's books; None when they are empty."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT min(window_start_at) FROM posting WHERE organisation_id = %s", [organisation_id])
        return (cursor.fetchone() or (None,))[0]
