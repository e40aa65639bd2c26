"""Writes jobs and what they held of devices; a job that is there gets its newer state."""

from datetime import date
from typing import Any

import pandas as pd

from aiobserve.domain.window import Span
from aiobserve.store.models import AiModel, Job, JobInterval
from aiobserve.store.write.copy import merge_frame
from aiobserve.store.write.fleet import device_sites, map_known, site_ids
from aiobserve.store.write.organisation import named_ids
from aiobserve.store.write.watermark import want_again, want_days

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
        want_again([site_id], start_at, end_at)


def write_intervals(organisation_id: int, intervals: pd.DataFrame) -> None:
    """Write what jobs held of devices; the days they touch become due. An open end touches its first day on."""
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
    merge_frame(
        "job_interval", columns, rows, key=("job_id", "device_id", "start_at"), update=("end_at", "share_millis")
    )
    site_of_device = {uid: pair[1] for uid, pair in devices.items()}
    _want(intervals.assign(site_id=intervals["device_uid"].map(site_of_device)))


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
    site_of_device = {uid: pair[1] for uid, pair in devices.items()}
    _want(activity.assign(site_id=activity["device_uid"].map(site_of_device)))


def _want(intervals: pd.DataFrame) -> None:
    open_ended = intervals["end_at"].isna()
    for site_id, held in intervals[~open_ended].groupby("site_id"):
        days: set[date] = set()
        pairs = held[["start_at", "end_at"]].drop_duplicates()
        for start_at, end_at in zip(pairs["start_at"].dt.floor("D"), pairs["end_at"], strict=True):
            days.update(Span(start_at.to_pydatetime(), max(end_at, start_at).to_pydatetime()).days())
        want_days(int(str(site_id)), days)
    for site_id, held in intervals[open_ended].groupby("site_id"):
        want_days(int(str(site_id)), {held["start_at"].min().date()})
        want_again([int(str(site_id))], held["start_at"].min().to_pydatetime(), None)


def _billing(organisation_id: int, keys: "pd.Series[str]") -> dict[str, tuple[Any, ...]]:
    """Return what decides who bears a job, with its id first."""
    jobs = Job.objects.filter(organisation_id=organisation_id, key__in=list(keys))
    found = jobs.values_list("key", "pk", "account", "model_id", "user", "name")
    return {row[0]: row[1:] for row in found}
