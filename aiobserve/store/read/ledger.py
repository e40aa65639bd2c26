"""Reads the ledger: sums by any set of dimensions."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta

from django.db import connection
from psycopg import sql

from aiobserve.domain.account import CHARGED, MEASURES
from aiobserve.domain.quality import Quality
from aiobserve.domain.window import Span
from aiobserve.store.read.local_time import local_time

# Each dimension that can be grouped and filtered by, and how it reads in SQL. {shown} is what the
# reader's clocks show at a posting, {incurred} what they showed when it was incurred.
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
    # Of corrections: the day they are about, the restatement they belong to, and whether they take something back.
    "incurred_day": "date_trunc('day', {incurred})::date",
    "is_correction": "(posting.corrects_window_start_at IS NOT NULL)",
    "restatement": "coalesce(ledger_batch.restates_id, ledger_batch.id)",
    "is_reversal": "(ledger_batch.kind = 2)",
    "corrects_month": "ledger_period.month",
}
BATCH = (
    "JOIN ledger_batch ON ledger_batch.id = posting.batch_id"
    " LEFT JOIN ledger_period ON ledger_period.id = ledger_batch.corrects_period_id"
)
JOINS = {
    "team": "LEFT JOIN team ON team.id = posting.team_id",
    "project": "LEFT JOIN project ON project.id = posting.project_id",
    "model": "LEFT JOIN ai_model ON ai_model.id = posting.model_id",
    "job": "LEFT JOIN job ON job.id = posting.job_id",
    "job_name": "LEFT JOIN job ON job.id = posting.job_id",
    "workload_type": "LEFT JOIN job ON job.id = posting.job_id",
    "site": "JOIN site ON site.id = posting.site_id",
    "restatement": BATCH,
    "is_reversal": BATCH,
    "corrects_month": BATCH,
}
# Quality is kept by the measure it belongs to.
QUALITY_OF = {"energy_millij": "energy_quality", "carbon_microg": "carbon_quality", "capacity_microusd": "cost_quality"}


# Charges are corrected at most so long after they were incurred.
LONGEST_CORRECTED = timedelta(days=3_653)


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
    shown, incurred = told(span, timezone)
    keys = [sql.SQL(DIMENSIONS[name]).format(shown=shown, incurred=incurred) for name in group_by]
    joins = sorted({JOINS[name] for name in [*group_by, *filters] if name in JOINS})
    conditions = [
        sql.SQL("coalesce(({})::text, '') = ANY({})").format(
            sql.SQL(DIMENSIONS[name]).format(shown=shown, incurred=incurred),
            sql.Literal([str(value) for value in values]),
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


def told(span: Span, timezone: str) -> tuple[sql.Composable, sql.Composable]:
    """Return {shown} and {incurred} of `DIMENSIONS` for the postings of a span."""
    # A correction is about a window of any time before the span.
    before = Span(span.start_at - LONGEST_CORRECTED, span.end_at)
    incurred = "coalesce(posting.corrects_window_start_at, posting.window_start_at)"
    return local_time("posting.window_start_at", span, timezone), local_time(incurred, before, timezone)


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
