"""Posts to the ledger: append only, by window. A window that comes to something else is reversed and posted anew."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

import numpy as np
import numpy.typing as npt
import pandas as pd
from django.db import connection
from psycopg import sql

from aiobserve.domain.account import MEASURES
from aiobserve.domain.units import MICROSECONDS_PER_SECOND
from aiobserve.domain.window import Span
from aiobserve.store.columns import checksum_sql
from aiobserve.store.models import LedgerBatch
from aiobserve.store.write.copy import copy_frame

POSTING_COLUMNS = {
    "batch_id": "int8",
    "organisation_id": "int8",
    "site_id": "int8",
    "window_start_at": "timestamptz",
    "corrects_window_start_at": "timestamptz",
    "account": "int2",
    "component": "int2",
    "pool_id": "int8",
    "team_id": "int8",
    "project_id": "int8",
    "model_id": "int8",
    "job_id": "int8",
    "energy_quality": "int2",
    "carbon_quality": "int2",
    "cost_quality": "int2",
    **dict.fromkeys(MEASURES, "int8"),
}
WINDOW_COLUMNS = {
    "site_id": "int8",
    "window_start_at": "timestamptz",
    "batch_id": "int8",
    "booked_at": "timestamptz",
    "digest": "int8",
    "assumed": "bool",
}
# A migration that adds a column to the postings has to seal every batch anew (see 0006_ledger_windows).
CHECKSUM = checksum_sql("posting", list(POSTING_COLUMNS)[1:])
# The first key of PostgreSQL's two-key advisory locks; the second is the organisation's id.
BOOKS_LOCK = 0x6C656467


@dataclass(frozen=True)
class Books:
    """Whose books are written, for which site and day, why, and by which method."""

    organisation_id: int
    site_id: int
    day: date
    reason: str
    method_version: int


def lock_books(organisation_id: int, *, to_close: bool) -> None:
    """Keep others from closing the books while we post, or from posting while we close; until the transaction ends."""
    function = "pg_advisory_xact_lock" if to_close else "pg_advisory_xact_lock_shared"
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT {function}(%s, %s)", [BOOKS_LOCK, organisation_id])


def post(
    books: Books,
    postings: pd.DataFrame,
    windows: pd.DataFrame,
    *,
    restates: int | None = None,
    is_first: bool,
    period: int,
) -> int:
    """Post windows in a batch of their own; returns the number of postings.

    Args:
        postings: `window_start_s` and `POSTING_COLUMNS` but for batch, organisation, site and windows; balanced, and
            indexed from 0 on.
        windows: of the windows posted: window_start_s, booked_s, digest, assumed.
        restates: the batch of the reversal that this one follows.
        period: the closed period that it corrects, or 0.
    """
    batch_id = _next_batch_id()
    window_s = postings["window_start_s"].to_numpy(dtype=np.int64)
    posted_s, booked_s = (windows[name].to_numpy(dtype=np.int64) for name in ("window_start_s", "booked_s"))
    order = np.argsort(posted_s)
    booked_at = _instants(booked_s[order[np.searchsorted(posted_s, window_s, sorter=order)]])
    incurred_at = _instants(window_s)
    rows = postings.assign(
        batch_id=batch_id,
        organisation_id=books.organisation_id,
        site_id=books.site_id,
        window_start_at=booked_at,
        corrects_window_start_at=incurred_at.where(incurred_at != booked_at),
    )
    posted = copy_frame("posting", POSTING_COLUMNS, rows)
    kind = LedgerBatch.Kind.FIRST if is_first else LedgerBatch.Kind.RESTATEMENT
    _seal(books, batch_id, kind=kind, restates=restates, period=period)
    versions = pd.DataFrame(
        {
            "site_id": books.site_id,
            "window_start_at": _instants(windows["window_start_s"]),
            "batch_id": batch_id,
            "booked_at": _instants(windows["booked_s"]),
            "digest": windows["digest"],
            "assumed": windows["assumed"],
        }
    )
    copy_frame("ledger_window", WINDOW_COLUMNS, versions)
    return posted


def reverse(books: Books, reversed_rows: pd.DataFrame, window_s: Sequence[int], *, period: int) -> tuple[int, int]:
    """Negate postings of windows in a batch of their own, which from then on no longer stand; returns its id and rows.

    Args:
        reversed_rows: where the postings to negate are and where their negatives go, in epoch seconds: batch_id,
            window_start_s (incurred), booked_s (where they are), to_booked_s (where the negatives are booked).
        window_s: the windows that stand no longer.
    """
    batch_id = _next_batch_id()
    kept = [name for name in list(POSTING_COLUMNS)[1 : -len(MEASURES)] if not name.endswith("window_start_at")]
    with connection.cursor() as cursor:
        cursor.execute(
            f"""INSERT INTO posting (batch_id, window_start_at, corrects_window_start_at, {", ".join(kept)}, {", ".join(MEASURES)})
                SELECT %s, to_timestamp(place.to_booked_s),
                       CASE WHEN place.to_booked_s <> place.window_s THEN to_timestamp(place.window_s) END,
                       {", ".join(f"posting.{name}" for name in kept)}, {", ".join(f"-posting.{measure}" for measure in MEASURES)}
                FROM unnest(%s::bigint[], %s::bigint[], %s::bigint[], %s::bigint[])
                     AS place (batch_id, window_s, booked_s, to_booked_s)
                JOIN posting ON posting.batch_id = place.batch_id AND posting.window_start_at = to_timestamp(place.booked_s)
                     AND coalesce(posting.corrects_window_start_at, posting.window_start_at) = to_timestamp(place.window_s)""",  # noqa: S608
            [
                batch_id,
                *(
                    reversed_rows[name].astype("int64").tolist()
                    for name in ("batch_id", "window_start_s", "booked_s", "to_booked_s")
                ),
            ],
        )
        undone = int(cursor.rowcount)
        _seal(books, batch_id, kind=LedgerBatch.Kind.REVERSAL, restates=None, period=period)
        cursor.execute(
            """UPDATE ledger_window SET reversed_by_id = %s WHERE site_id = %s AND reversed_by_id IS NULL
               AND window_start_at = ANY(ARRAY(SELECT to_timestamp(second) FROM unnest(%s::bigint[]) AS second))""",
            [batch_id, books.site_id, [int(second) for second in window_s]],
        )
    return batch_id, undone


def standing_windows(site_id: int, span: Span) -> pd.DataFrame:
    """Return every version of the windows of a span, in order of window and batch.

    Columns: window_start_s, batch_id, digest, booked_s, stands, method_version.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            """SELECT extract(epoch FROM window_start_at)::bigint, batch_id, digest, extract(epoch FROM booked_at)::bigint,
                      reversed_by_id IS NULL, ledger_batch.method_version
               FROM ledger_window JOIN ledger_batch ON ledger_batch.id = batch_id
               WHERE ledger_window.site_id = %s AND window_start_at >= %s AND window_start_at < %s
               ORDER BY window_start_at, batch_id""",
            [site_id, span.start_at, span.end_at],
        )
        columns = ["window_start_s", "batch_id", "digest", "booked_s", "stands", "method_version"]
        frame = pd.DataFrame(cursor.fetchall(), columns=columns)
    return frame.astype(
        {
            "window_start_s": "int64",
            "batch_id": "int64",
            "digest": "Int64",
            "booked_s": "int64",
            "stands": "bool",
            "method_version": "int64",
        }
    )


def corrections_of(site_id: int, day: date, window_s: Sequence[int]) -> pd.DataFrame:
    """Return where corrections of windows of a site-day are: batch_id, window_start_s, booked_s, one row a place."""
    with connection.cursor() as cursor:
        cursor.execute(
            """SELECT DISTINCT batch_id, extract(epoch FROM corrects_window_start_at)::bigint,
                      extract(epoch FROM window_start_at)::bigint
               FROM posting WHERE batch_id IN (SELECT id FROM ledger_batch WHERE site_id = %s AND day = %s)
               AND corrects_window_start_at = ANY(ARRAY(SELECT to_timestamp(second) FROM unnest(%s::bigint[]) AS second))""",
            [site_id, day, [int(second) for second in window_s]],
        )
        frame = pd.DataFrame(cursor.fetchall(), columns=["batch_id", "window_start_s", "booked_s"])
    return frame.astype("int64")


def _next_batch_id() -> int:
    with connection.cursor() as cursor:
        cursor.execute("SELECT nextval(pg_get_serial_sequence('ledger_batch', 'id'))")
        return int((cursor.fetchone() or (0,))[0])


def _seal(books: Books, batch_id: int, *, kind: LedgerBatch.Kind, restates: int | None, period: int) -> None:
    """Insert the row of a batch whose postings are there, with their number and checksum as the database holds them."""
    with connection.cursor() as cursor:
        cursor.execute(
            sql.SQL(
                """INSERT INTO ledger_batch (id, organisation_id, site_id, day, sequence, kind, restates_id, corrects_period_id,
                                             reason, method_version, posted_at, postings, checksum)
                   SELECT %s, %s, %s, %s,
                          (SELECT coalesce(max(sequence) + 1, 0) FROM ledger_batch WHERE site_id = %s AND day = %s),
                          %s, %s, %s, %s, %s, now(), count(*), {checksum} FROM posting WHERE batch_id = %s"""
            ).format(checksum=sql.SQL(CHECKSUM)),
            [
                batch_id, books.organisation_id, books.site_id, books.day, books.site_id, books.day,
                int(kind), restates, period or None,
                "" if kind == LedgerBatch.Kind.FIRST and not period else books.reason, books.method_version, batch_id,
            ],
        )  # fmt: skip


def _instants(seconds: npt.ArrayLike) -> "pd.Series[pd.Timestamp]":
    return pd.Series(pd.to_datetime(np.asarray(seconds, dtype=np.int64) * MICROSECONDS_PER_SECOND, unit="us", utc=True))
