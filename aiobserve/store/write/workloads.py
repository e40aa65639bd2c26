"""Writes jobs and what they held of devices; a job that is there gets its newer state."""

from datetime import datetime
from typing import Any

import pandas as pd

from aiobserve.domain.reason import Reason
from aiobserve.domain.window import Span
from aiobserve.store.columns import read_rows
from aiobserve.store.models import AiModel, Job, JobInterval
from aiobserve.store.write.copy import merge_frame
from aiobserve.store.write.fleet import device_sites, map_known, site_ids
from aiobserve.store.write.organisation import named_ids
from aiobserve.store.write.watermark import want_again, want_spans

JOB_COLUMNS = {
    "organisation_id": "int8",
    "site_id": "int8",
    "key": "varchar",
    "name": "varchar",
    "account": "varchar",
    "user": "varchar",
    "model_id": "int8",
    "workload_type": "varchar",
    "tier": "varchar",
    "state": "varchar",
    "attempt": "int2",
    "gpus": "int4",
    "sku": "varchar",
    "submitted_at": "timestamptz",
    "started_at": "timestamptz",
    "ended_at": "timestamptz",
    "runtime_s": "float8",
    "max_wait_s": "float8",
    "deadline_at": "timestamptz",
}


def write_jobs(organisation_id: int, jobs: pd.DataFrame) -> None:
    """Write jobs by key; a job that is there gets the frame's values."""
    models = named_ids(AiModel, organisation_id, jobs["model"])
    rows = jobs.assign(
        organisation_id=organisation_id,
        site_id=map_known(jobs["site"], site_ids(organisation_id), what="site"),
        key=jobs["job_key"],
        user=jobs["user"].fillna(""),
        sku=jobs["sku"].fillna(""),
        model_id=jobs["model"].map(models).astype("Int64"),
    )
    before = _billing(organisation_id, rows["key"])
    merge_frame("job", JOB_COLUMNS, rows, key=("organisation_id", "key"), update=tuple(JOB_COLUMNS)[3:])
    after = _billing(organisation_id, rows["key"])
    moved = [after[key][0] for key, billed in before.items() if after[key] != billed]
    for site_id, start_at, end_at in JobInterval.objects.filter(job_id__in=moved).values_list(
        "job__site_id", "start_at", "end_at"
    ):
        want_again([site_id], start_at, end_at, reason=Reason.WORKLOAD)


def write_intervals(organisation_id: int, intervals: pd.DataFrame) -> None:
    """Write what jobs held of devices; the windows in which that is new become due, to the end of time if it is open."""
    devices = device_sites(organisation_id)
    jobs = dict(
        Job.objects.filter(organisation_id=organisation_id, key__in=list(intervals["job_key"].unique())).values_list(
            "key", "pk"
        )
    )
    rows = intervals.assign(
        job_id=map_known(intervals["job_key"], jobs, what="job"),
        device_id=map_known(intervals["device_uid"], {uid: pair[0] for uid, pair in devices.items()}, what="device"),
    )
    columns = {
        "job_id": "int8",
        "device_id": "int8",
        "start_at": "timestamptz",
        "end_at": "timestamptz",
        "share_millis": "int4",
    }
    before = _held(rows["job_id"])
    merge_frame(
        "job_interval", columns, rows, key=("job_id", "device_id", "start_at"), update=("end_at", "share_millis")
    )
    after = _held(rows["job_id"])
    site_of_device = dict(devices.values())
    changed: dict[int, list[Held]] = {}
    for key in before.keys() | after.keys():
        if before.get(key) != after.get(key):
            changed.setdefault(site_of_device[key[1]], []).extend(_difference(key[2], before.get(key), after.get(key)))
    for site_id, spans in changed.items():
        want_spans(
            site_id,
            [Span(start_at, max(start_at, end_at)) for start_at, end_at in spans if end_at is not None],
            reason=Reason.WORKLOAD,
        )
        opened = [start_at for start_at, end_at in spans if end_at is None]
        if opened:
            want_spans(site_id, [Span(min(opened), min(opened))], reason=Reason.WORKLOAD)
            want_again([site_id], min(opened), None, reason=Reason.WORKLOAD)


def write_activity(organisation_id: int, activity: pd.DataFrame) -> None:
    """Write how busy jobs kept the devices that they shared; the days become due."""
    devices = device_sites(organisation_id)
    keys = list(activity["job_key"].unique())
    jobs = dict(Job.objects.filter(organisation_id=organisation_id, key__in=keys).values_list("key", "pk"))
    rows = activity.assign(
        job_id=map_known(activity["job_key"], jobs, what="job"),
        device_id=map_known(activity["device_uid"], {uid: pair[0] for uid, pair in devices.items()}, what="device"),
    )
    columns = {
        "job_id": "int8", "device_id": "int8", "start_at": "timestamptz", "end_at": "timestamptz", "level": "float8",
    }  # fmt: skip
    merge_frame("job_activity", columns, rows, key=("job_id", "device_id", "start_at"), update=("end_at", "level"))
    sites = activity["device_uid"].map({uid: pair[1] for uid, pair in devices.items()})
    for site_id, seen in activity.groupby(sites):
        pairs = zip(seen["start_at"], seen["end_at"], strict=True)
        want_spans(
            int(str(site_id)),
            [Span(a.to_pydatetime(), max(a, b).to_pydatetime()) for a, b in pairs],
            reason=Reason.WORKLOAD,
        )


# A start and an end, empty while it is open.
Held = tuple[datetime, datetime | None]


def _held(job_ids: "pd.Series[int]") -> dict[tuple[int, int, datetime], tuple[datetime | None, int]]:
    """Return end and share of everything that jobs held, by job, device and start."""
    rows = read_rows(
        "SELECT job_id, device_id, start_at, end_at, share_millis FROM job_interval WHERE job_id = ANY(%s)",
        [job_ids.unique().tolist()],
    )
    return {tuple(row[:3]): (row[3], row[4]) for row in rows}


def _difference(
    start_at: datetime, before: tuple[datetime | None, int] | None, after: tuple[datetime | None, int] | None
) -> list[Held]:
    """Return the spans in which a holding is not what it was: all of it, or between the old end and the new."""
    if before is None or after is None or before[1] != after[1]:
        return [(start_at, one[0]) for one in (before, after) if one is not None]
    ends = sorted(end for end in (before[0], after[0]) if end is not None)
    return [(ends[0], ends[1] if len(ends) == 2 else None)]


def _billing(organisation_id: int, keys: "pd.Series[str]") -> dict[str, tuple[Any, ...]]:
    """Return what decides who bears a job, with its id first."""
    rows = read_rows(
        """SELECT key, id, account, model_id, "user", name FROM job WHERE organisation_id = %s AND key = ANY(%s)""",
        [organisation_id, keys.tolist()],
    )
    return {row[0]: row[1:] for row in rows}
