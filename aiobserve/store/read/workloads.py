"""Reads jobs: what they held of devices, and those that wait to be planned."""

import numpy as np
import pandas as pd

from aiobserve.domain.window import Span
from aiobserve.store.columns import FAR_FUTURE_S, FAR_PAST_S, Columns, epoch_sql, frame, read_columns
from aiobserve.store.models import Job, JobInterval
from aiobserve.store.read.fleet import epoch_s

WHOSE = "device_id, job_id, model_id, account"
WHOSE_COLUMNS = {
    "device_id": np.int64, "job_id": np.int64, "model_id": np.float64, "account": object, "start_s": np.int64,
    "end_s": np.int64,
}  # fmt: skip
OF_SITE = "JOIN job ON job.id = job_id JOIN device ON device.id = device_id JOIN node ON node.id = node_id"


def reservations(site_id: int, span: Span) -> Columns:
    """Return what jobs held of a site's devices in a span: device_id, job_id, model_id, account, start_s, end_s, share_millis."""
    return read_columns(
        f"""SELECT {WHOSE}, {epoch_sql("start_at")}, {epoch_sql("end_at")}, share_millis FROM job_interval AS held {OF_SITE}
            WHERE node.site_id = %s AND start_at < %s AND (end_at IS NULL OR end_at > %s) ORDER BY held.id""",  # noqa: S608
        [site_id, span.end_at, span.start_at],
        {**WHOSE_COLUMNS, "share_millis": np.int64},
    )


def activity(site_id: int, span: Span) -> Columns:
    """Return how busy jobs kept a site's devices in a span: device_id, job_id, model_id, account, start_s, end_s, level."""
    return read_columns(
        f"""SELECT {WHOSE}, {epoch_sql("start_at")}, {epoch_sql("end_at")}, level FROM job_activity AS held {OF_SITE}
            WHERE node.site_id = %s AND start_at < %s AND end_at > %s ORDER BY held.id""",  # noqa: S608 - our own text
        [site_id, span.end_at, span.start_at],
        {**WHOSE_COLUMNS, "level": np.float64},
    )


def account_map(organisation_id: int) -> pd.DataFrame:
    """Return the dated map of accounts: account, team_id, project_id, valid_from_s, valid_to_s, sorted."""
    found = read_columns(
        f"""SELECT account, team_id, project_id, {epoch_sql("valid_from_at", missing=FAR_PAST_S)}, {epoch_sql("valid_to_at")}
            FROM account_mapping WHERE organisation_id = %s ORDER BY account, valid_from_at""",  # noqa: S608 - our own text
        [organisation_id],
        {"account": object, **dict.fromkeys(("team_id", "project_id", "valid_from_s", "valid_to_s"), np.int64)},
    )
    return frame(found)


def pending_jobs(organisation_id: int) -> pd.DataFrame:
    """Return the jobs that wait: the job's columns with site, in order of submission."""
    columns = (
        "pk", "key", "name", "account", "site_id", "sku", "tier", "workload_type", "gpus", "submitted_at", "runtime_s",
        "max_wait_s", "deadline_at",
    )  # fmt: skip
    waiting = Job.objects.filter(organisation_id=organisation_id, state="pending").order_by("submitted_at", "pk")
    return pd.DataFrame(list(waiting.values_list(*columns)), columns=list(columns)).rename(columns={"pk": "job_id"})


def running_holdings(site_id: int, span: Span) -> pd.DataFrame:
    """Return what holds devices of a site from a span's start on: device_id, tier, runtime_s, start_s, end_s (far future if open)."""
    held = JobInterval.objects.filter(device__node__site_id=site_id, start_at__lt=span.end_at).exclude(
        end_at__lte=span.start_at
    )
    columns = ["device_id", "job__tier", "job__runtime_s", "start_at", "end_at"]
    rows = pd.DataFrame(list(held.values_list(*columns)), columns=columns)
    rows["start_s"] = epoch_s(rows.pop("start_at"), missing=FAR_PAST_S)
    rows["end_s"] = epoch_s(rows.pop("end_at"), missing=FAR_FUTURE_S)
    return rows.rename(columns={"job__tier": "tier", "job__runtime_s": "runtime_s"})
