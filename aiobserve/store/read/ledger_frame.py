"""Reads the ledger by window as a frame, for reports that share idle and overhead out."""

import numpy as np
import pandas as pd
from django.db import connection
from psycopg import sql

from aiobserve.domain.account import CHARGED, MEASURES
from aiobserve.domain.window import Span

KEYS = {
    "bucket": "extract(epoch FROM posting.window_start_at)::bigint",
    # The window that a correction of a closed period is about; else the bucket.
    "incurred": "extract(epoch FROM coalesce(posting.corrects_window_start_at, posting.window_start_at))::bigint",
    "account": "posting.account",
    "component": "posting.component",
    "pool_id": "coalesce(posting.pool_id, -1)",
    "energy_quality": "posting.energy_quality",
    "carbon_quality": "posting.carbon_quality",
    "cost_quality": "posting.cost_quality",
    "site_id": "posting.site_id",
    "team_id": "posting.team_id",
    "project_id": "posting.project_id",
    "model_id": "posting.model_id",
    "job_id": "posting.job_id",
}
# Names of what the ids stand for, joined after the sums are made.
NAMES = {
    "site": ("site", "site_id", "name"),
    "team": ("team", "team_id", "name"),
    "project": ("project", "project_id", "name"),
    "model": ("ai_model", "model_id", "name"),
    "job": ("job", "job_id", "key"),
    "job_name": ("job", "job_id", "name"),
    "workload_type": ("job", "job_id", "workload_type"),
}


def window_sums(organisation_id: int, span: Span) -> pd.DataFrame:
    """Return the charged sums of each window.

    Returns:
        bucket (epoch seconds of the window), incurred (of the window that a correction is about), site, account, component,
        pool_id (-1: none), the three qualities, team, project, model, job, job_name and workload_type ("" where there is
        none); then the measures.
    """
    statement = sql.SQL(
        "SELECT {columns} FROM posting WHERE organisation_id = {organisation} AND account = ANY({charged})"
        " AND window_start_at >= {start} AND window_start_at < {end} GROUP BY {numbers}"
    ).format(
        columns=sql.SQL(", ").join(
            [
                *(sql.SQL(text) for text in KEYS.values()),
                *(sql.SQL("sum({})::bigint").format(sql.Identifier(name)) for name in MEASURES),
            ]
        ),
        organisation=sql.Literal(organisation_id),
        charged=sql.Literal([int(account) for account in CHARGED]),
        start=sql.Literal(span.start_at),
        end=sql.Literal(span.end_at),
        numbers=sql.SQL(", ").join(sql.Literal(number + 1) for number in range(len(KEYS))),
    )
    with connection.cursor() as cursor:
        cursor.execute(statement)
        rows = pd.DataFrame(cursor.fetchall(), columns=[*KEYS, *MEASURES])
    for name in MEASURES:
        rows[name] = rows[name].astype(np.int64)
    return _named(rows)


def books_state(organisation_id: int) -> tuple[int, int]:
    """Return the number of ledger batches and the last one's: the same again means that nothing was posted."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*), coalesce(max(id), 0) FROM ledger_batch WHERE organisation_id = %s", [organisation_id]
        )
        count, last = cursor.fetchone() or (0, 0)
    return int(count), int(last)


def _named(rows: pd.DataFrame) -> pd.DataFrame:
    for name, (table, key, column) in NAMES.items():
        rows[name] = rows[key].map(_texts(table, column, rows[key].dropna().unique().tolist())).fillna("").astype("str")
    return rows.drop(columns=sorted({key for _, key, _ in NAMES.values()}))


def _texts(table: str, column: str, ids: list[int]) -> dict[int, str]:
    with connection.cursor() as cursor:
        cursor.execute(
            sql.SQL("SELECT id, {} FROM {} WHERE id = ANY(%s)").format(sql.Identifier(column), sql.Identifier(table)),
            [[int(one) for one in ids]],
        )
        return dict(cursor.fetchall())
