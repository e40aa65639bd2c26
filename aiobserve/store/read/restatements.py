"""Reads what was restated: each time standing figures were reversed and replaced, with the sums before and after."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

from django.db import connection
from psycopg import sql

from aiobserve.domain.account import CHARGED, MEASURES
from aiobserve.store.models import LedgerBatch


@dataclass(frozen=True)
class Restated:
    """One restatement of windows of a site-day.

    Attributes:
        batches: of the reversal and of what replaced it; one of them may be missing.
        windows: how many windows were touched.
        old_methods, new_method: method versions of what was reversed and of what replaced it.
        corrects_month: the closed month that it corrects, whose sums it does not enter.
        old, new: what was charged for the windows before and after, by measure.
    """

    site: str
    day: date
    posted_at: datetime
    reason: str
    batches: tuple[int, ...]
    windows: int
    old_methods: tuple[int, ...]
    new_method: int
    corrects_month: date | None
    old: dict[str, int]
    new: dict[str, int]

    @property
    def difference(self) -> dict[str, int]:
        """Return new minus old by measure: what it changed in the standing ledger."""
        return {name: self.new[name] - self.old[name] for name in MEASURES}


def restatements(organisation_id: int, first_day: date | None, end_day: date | None) -> list[Restated]:
    """Return the restatements of site-days (UTC) from `first_day` until before `end_day`, in the order they were made.

    First postings of windows of a closed month are among them: nothing stood, but the month was reported.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            _statement(),
            {
                "organisation": organisation_id,
                "first": first_day or date(1, 1, 1),
                "end": end_day or date(9999, 1, 1),
                "charged": [int(one) for one in CHARGED],
            },
        )
        rows = cursor.fetchall()
    return [_restated(row) for row in rows]


def _statement() -> sql.Composed:
    def sums(sign: str, kind: str) -> sql.Composable:
        return sql.SQL(", ").join(
            sql.SQL("coalesce({sign}sum(charged.{name}) FILTER (WHERE batch.kind {kind} {reversal}), 0)::bigint").format(
                sign=sql.SQL(sign), name=sql.Identifier(name), kind=sql.SQL(kind), reversal=sql.Literal(int(LedgerBatch.Kind.REVERSAL))
            )
            for name in MEASURES
        )  # fmt: skip

    return sql.SQL(
        """WITH batch AS (
               SELECT *, coalesce(restates_id, id) AS pair FROM ledger_batch
               WHERE organisation_id = %(organisation)s AND day >= %(first)s AND day < %(end)s
               AND (kind <> {first_kind} OR corrects_period_id IS NOT NULL)),
           charged AS (
               SELECT batch_id, {measures} FROM posting
               WHERE batch_id IN (SELECT id FROM batch) AND account = ANY(%(charged)s) GROUP BY batch_id)
           SELECT site.name, min(batch.day), max(batch.posted_at), max(batch.reason), array_agg(batch.id ORDER BY batch.id),
                  (SELECT count(DISTINCT window_start_at) FROM ledger_window AS version
                   WHERE version.batch_id = ANY(array_agg(batch.id)) OR version.reversed_by_id = ANY(array_agg(batch.id))),
                  (SELECT array_agg(DISTINCT undone.method_version ORDER BY undone.method_version)
                   FROM ledger_window AS version JOIN ledger_batch AS undone ON undone.id = version.batch_id
                   WHERE version.reversed_by_id = ANY(array_agg(batch.id))),
                  max(batch.method_version), max(ledger_period.month), {old}, {new}
           FROM batch JOIN site ON site.id = batch.site_id
           LEFT JOIN charged ON charged.batch_id = batch.id
           LEFT JOIN ledger_period ON ledger_period.id = batch.corrects_period_id
           GROUP BY batch.pair, site.name ORDER BY min(batch.id)"""
    ).format(
        first_kind=sql.Literal(int(LedgerBatch.Kind.FIRST)),
        measures=sql.SQL(", ").join(sql.SQL("sum({0}) AS {0}").format(sql.Identifier(name)) for name in MEASURES),
        old=sums("-", "="),
        new=sums("", "<>"),
    )


def _restated(row: Sequence[object]) -> Restated:
    site, day, posted_at, reason, batches, windows, old_methods, new_method, month, *amounts = row
    whole = [int(str(amount)) for amount in amounts]
    return Restated(
        site=str(site),
        day=day,  # type: ignore[arg-type]
        posted_at=posted_at,  # type: ignore[arg-type]
        reason=str(reason),
        batches=tuple(batches),  # type: ignore[arg-type]
        windows=int(str(windows)),
        old_methods=tuple(old_methods or ()),  # type: ignore[arg-type]
        new_method=int(str(new_method)),
        corrects_month=month,  # type: ignore[arg-type]
        old=dict(zip(MEASURES, whole[: len(MEASURES)], strict=True)),
        new=dict(zip(MEASURES, whole[len(MEASURES) :], strict=True)),
    )
