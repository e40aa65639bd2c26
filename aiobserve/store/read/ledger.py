"""Reads the ledger: sums by any set of dimensions, and everything that its check needs."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from django.db import connection
from psycopg import sql

from aiobserve.domain.account import CHARGED, MEASURES, Account
from aiobserve.domain.quality import Quality
from aiobserve.domain.window import Span
from aiobserve.store.read.local_time import local_time
from aiobserve.store.write.ledger import CHECKSUM

# Each dimension that can be grouped and filtered by, and how it reads in SQL. {shown} is what the reader's clocks show.
DIMENSIONS = {
    "team": "team.name",
    "project": "project.name",
    "model": "ai_model.name",
    "job": "job.key",
    "job_name": "job.name",
    "workload_type": "job.workload_type",
    "site": "site.name",
    "account": "posting.account",
    "component": "posting.component",
    "hour": "date_trunc('hour', {shown})",
    "day": "date_trunc('day', {shown})::date",
    "month": "date_trunc('month', {shown})::date",
    "hour_of_day": "extract(hour FROM {shown})::int",
    "window": "posting.window_start_at",
}
JOINS = {
    "team": "LEFT JOIN team ON team.id = posting.team_id",
    "project": "LEFT JOIN project ON project.id = posting.project_id",
    "model": "LEFT JOIN ai_model ON ai_model.id = posting.model_id",
    "job": "LEFT JOIN job ON job.id = posting.job_id",
    "job_name": "LEFT JOIN job ON job.id = posting.job_id",
    "workload_type": "LEFT JOIN job ON job.id = posting.job_id",
    "site": "JOIN site ON site.id = posting.site_id",
}
# Quality is kept by the measure it belongs to.
QUALITY_OF = {"energy_millij": "energy_quality", "carbon_microg": "carbon_quality", "capacity_microusd": "cost_quality"}


class UnknownDimension(ValueError):
    """A report was asked to group or filter by something that the ledger does not know."""


@dataclass(frozen=True)
class SumRow:
    """Sums of the measures for one combination of dimension values, and how much of each is of which quality."""

    keys: tuple[object, ...]
    sums: dict[str, int]
    by_quality: dict[str, dict[Quality, int]]


def sums(
    organisation_id: int,
    span: Span,
    *,
    group_by: Sequence[str],
    timezone: str = "UTC",
    filters: Mapping[str, Sequence[str]] | None = None,
) -> list[SumRow]:
    """Return the charged sums of a span by any dimensions, sorted by them.

    Raises:
        UnknownDimension: a name in `group_by` or `filters` is not one of `DIMENSIONS`.
    """
    filters = filters or {}
    _check([*group_by, *filters])
    shown = local_time("posting.window_start_at", span, timezone)
    keys = [sql.SQL(DIMENSIONS[name]).format(shown=shown) for name in group_by]
    joins = sorted({JOINS[name] for name in [*group_by, *filters] if name in JOINS})
    conditions = [
        sql.SQL("coalesce(({})::text, '') = ANY({})").format(
            sql.SQL(DIMENSIONS[name]).format(shown=shown), sql.Literal([str(value) for value in values])
        )
        for name, values in filters.items()
    ]
    statement = sql.SQL(
        "SELECT {columns} FROM posting {joins} WHERE posting.organisation_id = {organisation} AND posting.account = ANY({charged})"
        " AND posting.window_start_at >= {start} AND posting.window_start_at < {end} {conditions} {grouping}"
    ).format(
        columns=sql.SQL(", ").join([*keys, *_amounts()]),
        joins=sql.SQL(" ".join(joins)),
        organisation=sql.Literal(organisation_id),
        charged=sql.Literal([int(account) for account in CHARGED]),
        start=sql.Literal(span.start_at),
        end=sql.Literal(span.end_at),
        conditions=sql.SQL("").join(sql.SQL(" AND {}").format(condition) for condition in conditions),
        grouping=_grouping(len(keys)),
    )
    with connection.cursor() as cursor:
        cursor.execute(statement)
        return [_sum_row(row, len(keys)) for row in cursor.fetchall()]


def _grouping(keys: int) -> sql.Composable:
    if not keys:
        return sql.SQL("")
    numbers = sql.SQL(", ").join(sql.Literal(number + 1) for number in range(keys))
    return sql.SQL("GROUP BY {0} ORDER BY {0}").format(numbers)


def _amounts() -> list[sql.Composable]:
    plain = [sql.SQL("coalesce(sum({}), 0)::bigint").format(sql.Identifier("posting", measure)) for measure in MEASURES]
    by_quality = [
        sql.SQL("coalesce(sum({}) FILTER (WHERE {} = {}), 0)::bigint").format(
            sql.Identifier("posting", measure), sql.Identifier("posting", column), sql.Literal(int(quality))
        )
        for measure, column in QUALITY_OF.items()
        for quality in Quality
    ]
    return [*plain, *by_quality]


def _sum_row(row: tuple[object, ...], keys: int) -> SumRow:
    amounts = [int(str(value)) for value in row[keys:]]
    qualities = iter(amounts[len(MEASURES) :])
    return SumRow(
        keys=tuple(row[:keys]),
        sums=dict(zip(MEASURES, amounts, strict=False)),
        by_quality={measure: {quality: next(qualities) for quality in Quality} for measure in QUALITY_OF},
    )


def _check(names: Sequence[str]) -> None:
    for name in names:
        if name not in DIMENSIONS:
            raise UnknownDimension(f"cannot group or filter by {name!r}; choose from {', '.join(DIMENSIONS)}")


def extent(organisation_id: int) -> Span | None:
    """Return the span from the first to the last window of an organisation's ledger; None when it is empty."""
    with connection.cursor() as cursor:
        cursor.execute(
            """SELECT min(window_start_at), max(window_start_at) + interval '15 minutes'
               FROM posting WHERE organisation_id = %s""",
            [organisation_id],
        )
        first_at, last_at = cursor.fetchone() or (None, None)
    return None if first_at is None or last_at is None else Span(first_at, last_at)


@dataclass(frozen=True)
class CheckedLedger:
    """What the check of a ledger found.

    Attributes:
        windows: number of (site, window) pairs looked at.
        charged, metered: sum of each measure on either side.
        unbalanced: (site, window start, differences by measure) of each window that does not sum to zero.
        altered: (site, day, what is wrong) of each batch whose postings are not those that were posted.
    """

    windows: int
    charged: dict[str, int]
    metered: dict[str, int]
    unbalanced: list[tuple[str, datetime, dict[str, int]]]
    altered: list[tuple[str, date, str]]


def check(organisation_id: int) -> CheckedLedger:
    """Sum every window of an organisation on every measure, and compare every batch with its seal."""
    sides = ", ".join(
        f"coalesce(sum({measure}) FILTER (WHERE account <> {int(Account.METERED)}), 0)::bigint,"
        f" coalesce(-sum({measure}) FILTER (WHERE account = {int(Account.METERED)}), 0)::bigint"
        for measure in MEASURES
    )
    zero = " OR ".join(f"sum({measure}) <> 0" for measure in MEASURES)
    differences = ", ".join(f"sum({measure})::bigint" for measure in MEASURES)
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT count(DISTINCT (site_id, window_start_at)), {sides} FROM posting WHERE organisation_id = %s",  # noqa: S608
            [organisation_id],
        )
        windows, *amounts = cursor.fetchone() or (0,)
        cursor.execute(
            f"""SELECT site.name, window_start_at, {differences} FROM posting JOIN site ON site.id = posting.site_id
                WHERE posting.organisation_id = %s GROUP BY site.name, window_start_at HAVING {zero}
                ORDER BY window_start_at, site.name""",  # noqa: S608 - names are our own constants
            [organisation_id],
        )
        unbalanced = [
            (row[0], row[1], dict(zip(MEASURES, map(int, row[2:]), strict=True))) for row in cursor.fetchall()
        ]
    return CheckedLedger(
        windows=int(windows),
        charged=dict(zip(MEASURES, map(int, amounts[0::2]), strict=True)),
        metered=dict(zip(MEASURES, map(int, amounts[1::2]), strict=True)),
        unbalanced=unbalanced,
        altered=_altered(organisation_id),
    )


def _altered(organisation_id: int) -> list[tuple[str, date, str]]:
    with connection.cursor() as cursor:
        cursor.execute(
            f"""SELECT site.name, batch.day, batch.postings, count(posting.id), batch.checksum, {CHECKSUM}
                FROM ledger_batch AS batch JOIN site ON site.id = batch.site_id
                LEFT JOIN LATERAL (SELECT * FROM posting WHERE posting.batch_id = batch.id) AS posting ON true
                WHERE batch.organisation_id = %s GROUP BY batch.id, site.name ORDER BY batch.day""",  # noqa: S608
            [organisation_id],
        )
        rows = cursor.fetchall()
    return [
        (name, day, f"sealed with {sealed} postings, has {found}" if sealed != found else "a posting was altered")
        for name, day, sealed, found, sealed_checksum, checksum in rows
        if sealed != found or (found and sealed_checksum != checksum)
    ]
