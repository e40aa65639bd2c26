"""Reads jobs: what they held of devices, and those that wait to be planned."""

import pandas as pd

from aiobserve.domain.window import Span
from aiobserve.store.models import AccountMapping, Job, JobActivity, JobInterval
from aiobserve.store.read.fleet import FAR_FUTURE_S, FAR_PAST_S, epoch_s


def reservations(site_id: int, span: Span) -> pd.DataFrame:
    """Return what jobs held of a site's devices in a span: device_id, job_id, model_id, account, start_s, end_s, share_millis."""
    held = JobInterval.objects.filter(device__node__site_id=site_id, start_at__lt=span.end_at).exclude(
        end_at__lte=span.start_at
    )
    columns = ["device_id", "job_id", "job__model_id", "job__account", "start_at", "end_at", "share_millis"]
    frame = pd.DataFrame(list(held.order_by("pk").values_list(*columns)), columns=columns)
    frame["start_s"] = epoch_s(frame.pop("start_at"), missing=FAR_PAST_S)
    frame["end_s"] = epoch_s(frame.pop("end_at"), missing=FAR_FUTURE_S)
    return frame.rename(columns={"job__model_id": "model_id", "job__account": "account"})


def activity(site_id: int, span: Span) -> pd.DataFrame:
    """Return how busy jobs kept a site's devices in a span: device_id, job_id, model_id, account, start_s, end_s, level."""
    seen = JobActivity.objects.filter(
        device__node__site_id=site_id, start_at__lt=span.end_at, end_at__gt=span.start_at
    ).order_by("pk")
    columns = ["device_id", "job_id", "job__model_id", "job__account", "start_at", "end_at", "level"]
    frame = pd.DataFrame(list(seen.values_list(*columns)), columns=columns)
    frame["start_s"] = epoch_s(frame.pop("start_at"), missing=FAR_PAST_S)
    frame["end_s"] = epoch_s(frame.pop("end_at"), missing=FAR_FUTURE_S)
    return frame.rename(columns={"job__model_id": "model_id", "job__account": "account"})


def account_map(organisation_id: int) -> pd.DataFrame:
    """Return the dated map of accounts: account, team_id, project_id, valid_from_s, valid_to_s, sorted."""
    columns = ["account", "team_id", "project_id", "valid_from_at", "valid_to_at"]
    rows = AccountMapping.objects.filter(organisation_id=organisation_id).order_by("account", "valid_from_at")
    frame = pd.DataFrame(list(rows.values_list(*columns)), columns=columns)
    frame["valid_from_s"] = epoch_s(frame.pop("valid_from_at"), missing=FAR_PAST_S)
    frame["valid_to_s"] = epoch_s(frame.pop("valid_to_at"), missing=FAR_FUTURE_S)
    return frame


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
    frame = pd.DataFrame(list(held.values_list(*columns)), columns=columns)
    frame["start_s"] = epoch_s(frame.pop("start_at"), missing=FAR_PAST_S)
    frame["end_s"] = epoch_s(frame.pop("end_at"), missing=FAR_FUTURE_S)
    return frame.rename(columns={"job__tier": "tier", "job__runtime_s": "runtime_s"})
