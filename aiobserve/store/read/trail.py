"""Reads the postings behind a figure: which they are, in which batches, for which jobs."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from django.db import connection
from psycopg import sql

from aiobserve.domain.account import CHARGED, MEASURES, Account
from aiobserve.domain.window import Span
from aiobserve.store.read.ledger import DIMENSIONS, JOINS, told


@dataclass(frozen=True)
class Cell:
    """A cell of a report: whose, when, and the values of the dimensions it is filtered by (accounts by number).

    `reserver_named` says whether idle time of a reserved device counts under its team.
    """

    organisation_id: int
    span: Span
    timezone: str
    filters: Mapping[str, Sequence[str]]
    reserver_named: bool = False


@dataclass(frozen=True)
class TrailRow:
    """What was posted for one window and owner, net of what was reversed, with the numbers of its postings."""

    window_start_at: datetime
    site: str
    account: int
    component: int
    team: str
    job: str
    amount: int
    postings: Sequence[int]
    batches: Sequence[int]


@dataclass(frozen=True)
class BatchRow:
    """A ledger batch that the figure has postings in."""

    pk: int
    site: str
    day: str
    method_version: int
    posted_at: datetime
    postings: int


@dataclass(frozen=True)
class Trail:
    """The postings of a cell: their number and sums, the first of them, their batches and their jobs."""

    postings: int
    windows: int
    sums: dict[str, int]
    first: tuple[TrailRow, ...]
    batches: tuple[BatchRow, ...]
    job_ids: tuple[int, ...]
    sites: tuple[str, ...]


def trail(cell: Cell, measures: Sequence[str], *, first: int) -> Trail:
    """Return the postings behind a cell, the first ones by window; `measures` are summed to the amount of a row."""
    amount = sql.SQL(" + ").join(sql.SQL("sum(posting.{})").format(sql.Identifier(name)) for name in measures)
    sums = sql.SQL(", ").join(
        sql.SQL("coalesce(sum(posting.{}), 0)::bigint").format(sql.Identifier(name)) for name in MEASURES
    )
    rows = sql.SQL("FROM posting {joins} WHERE {conditions}").format(joins=_joins(cell), conditions=_conditions(cell))
    with connection.cursor() as cursor:
        cursor.execute(
            sql.SQL(
                "SELECT count(*), count(DISTINCT (posting.site_id, posting.window_start_at)),"
                " coalesce(array_agg(DISTINCT posting.job_id) FILTER (WHERE posting.job_id IS NOT NULL), '{{}}'),"
                " coalesce(array_agg(DISTINCT site.name), '{{}}'), coalesce(array_agg(DISTINCT posting.batch_id), '{{}}'), {sums} {rows}"
            ).format(sums=sums, rows=rows)
        )
        count, windows, job_ids, sites, batch_ids, *amounts = cursor.fetchone() or (0, 0, (), (), ())
        cursor.execute(
            sql.SQL(
                "SELECT posting.window_start_at, site.name, posting.account, posting.component, coalesce(team.name, ''),"
                " coalesce(job.key, ''), ({amount})::bigint, array_agg(posting.id ORDER BY posting.id),"
                " array_agg(DISTINCT posting.batch_id) {rows} GROUP BY 1, 2, 3, 4, 5, 6 HAVING ({amount}) <> 0"
                " ORDER BY 1, 2, 3, 4, 5, 6 LIMIT {first}"
            ).format(amount=amount, rows=rows, first=sql.Literal(first))
        )
        found = [TrailRow(*row) for row in cursor.fetchall()]
        cursor.execute(
            "SELECT ledger_batch.id, site.name, day::text, method_version, posted_at, postings FROM ledger_batch"
            " JOIN site ON site.id = ledger_batch.site_id WHERE ledger_batch.id = ANY(%s) ORDER BY ledger_batch.id",
            [list(batch_ids)],
        )
        batches = [BatchRow(*row) for row in cursor.fetchall()]
    return Trail(
        int(count), int(windows), dict(zip(MEASURES, map(int, amounts), strict=True)), tuple(found), tuple(batches),
        tuple(sorted(job_ids)), tuple(sites),
    )  # fmt: skip


def by_window(cell: Cell, measures: Sequence[str]) -> list[tuple[datetime, str, int]]:
    """Return window, site and amount of every window of a cell, largest amount first."""
    amount = sql.SQL(" + ").join(sql.SQL("sum(posting.{})").format(sql.Identifier(name)) for name in measures)
    with connection.cursor() as cursor:
        cursor.execute(
            sql.SQL(
                "SELECT posting.window_start_at, site.name, ({amount})::bigint FROM posting {joins} WHERE {conditions}"
                " GROUP BY 1, 2 HAVING ({amount}) <> 0 ORDER BY 3 DESC, 1, 2"
            ).format(amount=amount, joins=_joins(cell), conditions=_conditions(cell))
        )
        return [(at, site, int(value)) for at, site, value in cursor.fetchall()]


def posted_again(cell: Cell, measures: Sequence[str], window_at: datetime, site: str) -> int:
    """Return what of a cell's window and site is corrections of a closed month, posted there."""
    asked = cell.filters.get("is_correction", ("true",))
    if "true" not in asked:
        return 0
    corrections = replace(cell, filters={**cell.filters, "is_correction": ("true",)})
    return sum(amount for at, name, amount in by_window(corrections, measures) if (at, name) == (window_at, site))


def _joins(cell: Cell) -> sql.Composable:
    joins = {JOINS[name] for name in ("team", "job", "site", *cell.filters) if name in JOINS}
    return sql.SQL(" ".join(sorted(joins)))


def _conditions(cell: Cell) -> sql.Composable:
    shown, incurred = told(cell.span, cell.timezone)
    conditions = [
        sql.SQL("posting.organisation_id = {}").format(sql.Literal(cell.organisation_id)),
        sql.SQL("posting.account = ANY({})").format(sql.Literal([int(account) for account in CHARGED])),
        sql.SQL("posting.window_start_at >= {}").format(sql.Literal(cell.span.start_at)),
        sql.SQL("posting.window_start_at < {}").format(sql.Literal(cell.span.end_at)),
    ]
    for name, values in cell.filters.items():
        value = sql.SQL(DIMENSIONS[name]).format(shown=shown, incurred=incurred)
        if name == "team" and not cell.reserver_named:
            value = sql.SQL("CASE WHEN posting.account = {} THEN NULL ELSE {} END").format(
                sql.Literal(int(Account.IDLE)), value
            )
        conditions.append(sql.SQL("coalesce(({})::text, '') = ANY({})").format(value, sql.Literal(list(values))))
    return sql.SQL(" AND ").join(conditions)
