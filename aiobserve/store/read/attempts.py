"""Reads attempts of jobs with their last checkpoint, and what they came to by window."""

from collections.abc import Iterable

import numpy as np
import pandas as pd
from django.db import connection
from psycopg import sql

from aiobserve.domain.account import MEASURES, Account
from aiobserve.domain.window import Span
from aiobserve.store.columns import FAR_FUTURE_S
from aiobserve.store.models import Checkpoint, Job
from aiobserve.store.read.fleet import epoch_s

COLUMNS = ("pk", "key", "name", "account", "workload_type", "model__name", "state", "attempt", "gpus", "submitted_at",
           "started_at", "ended_at")  # fmt: skip
BEARING = (int(Account.JOB), int(Account.UNATTRIBUTED))


def job_amounts(organisation_id: int, span: Span, workload_types: Iterable[str] | None) -> pd.DataFrame:
    """Return what jobs came to in a span: job_id, energy_quality, measures."""
    return _sums(organisation_id, span, ["job_id", "energy_quality"], workload_types=workload_types)


def window_amounts(organisation_id: int, span: Span, job_ids: Iterable[int]) -> pd.DataFrame:
    """Return what some jobs came to by window: job_id, window_start_s, measures."""
    rows = _sums(organisation_id, span, ["job_id", "window_start_at"], job_ids=list(job_ids))
    rows["window_start_s"] = epoch_s(rows.pop("window_start_at"), missing=0)
    return rows


def teams_of(organisation_id: int, span: Span, job_ids: Iterable[int]) -> dict[int, tuple[str, ...]]:
    """Return the teams that bore each job in a span, in order of name."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT job_id, array_agg(DISTINCT team.name ORDER BY team.name) FROM posting JOIN team ON team.id = posting.team_id"
            " WHERE posting.organisation_id = %s AND job_id = ANY(%s) AND window_start_at >= %s AND window_start_at < %s GROUP BY job_id",
            [organisation_id, list(job_ids), span.start_at, span.end_at],
        )
        return {int(job_id): tuple(names) for job_id, names in cursor.fetchall()}


def attempts(job_ids: Iterable[int]) -> pd.DataFrame:
    """Return attempts: index job_id; key, name, account, workload_type, model, state, attempt, gpus, submitted_s, start_s,
    end_s (the far future while it runs), checkpoint_s (the last one before the end, else start_s) and has_checkpoint.
    """
    ids = list(job_ids)
    frame = pd.DataFrame(
        list(Job.objects.filter(pk__in=ids).order_by("pk").values_list(*COLUMNS)), columns=list(COLUMNS)
    )
    frame = frame.rename(columns={"pk": "job_id", "model__name": "model"}).set_index("job_id")
    frame["model"] = frame["model"].fillna("")
    frame["submitted_s"] = epoch_s(frame.pop("submitted_at"), missing=0)
    start_s = epoch_s(frame.pop("started_at"), missing=0)
    frame["start_s"] = np.where(start_s == 0, frame["submitted_s"], start_s)
    frame["end_s"] = epoch_s(frame.pop("ended_at"), missing=FAR_FUTURE_S)
    saved = pd.DataFrame(
        list(Checkpoint.objects.filter(job_id__in=ids).values_list("job_id", "at")), columns=["job_id", "at"]
    )
    saved["at_s"] = epoch_s(saved.pop("at"), missing=0)
    saved = saved[saved["at_s"] <= frame["end_s"].reindex(saved["job_id"]).to_numpy()]
    last = saved.groupby("job_id")["at_s"].max().reindex(frame.index)
    frame["has_checkpoint"] = last.notna()
    frame["checkpoint_s"] = last.fillna(frame["start_s"]).astype("int64")
    return frame


def _sums(
    organisation_id: int,
    span: Span,
    keys: list[str],
    *,
    workload_types: Iterable[str] | None = None,
    job_ids: list[int] | None = None,
) -> pd.DataFrame:
    conditions = [
        sql.SQL("posting.job_id IS NOT NULL")
        if job_ids is None
        else sql.SQL("posting.job_id = ANY({})").format(sql.Literal(job_ids))
    ]
    if workload_types is not None:
        conditions.append(sql.SQL("job.workload_type = ANY({})").format(sql.Literal(list(workload_types))))
    columns = [sql.SQL("posting.{}").format(sql.Identifier(name)) for name in keys]
    statement = sql.SQL(
        "SELECT {keys}, {sums} FROM posting JOIN job ON job.id = posting.job_id WHERE posting.organisation_id = {organisation}"
        " AND posting.account = ANY({bearing}) AND window_start_at >= {start} AND window_start_at < {end} AND {conditions}"
        " GROUP BY {keys} ORDER BY {keys}"
    ).format(
        keys=sql.SQL(", ").join(columns),
        sums=sql.SQL(", ").join(sql.SQL("sum(posting.{})::bigint").format(sql.Identifier(name)) for name in MEASURES),
        organisation=sql.Literal(organisation_id),
        bearing=sql.Literal(list(BEARING)),
        start=sql.Literal(span.start_at),
        end=sql.Literal(span.end_at),
        conditions=sql.SQL(" AND ").join(conditions),
    )
    with connection.cursor() as cursor:
        cursor.execute(statement)
        rows = pd.DataFrame(cursor.fetchall(), columns=[*keys, *MEASURES])
    return rows.astype(dict.fromkeys([name for name in (*MEASURES, "job_id") if name in rows], "int64"))
