"""Reads dated prices and signals."""

from datetime import datetime

import numpy as np
import pandas as pd
from django.db import connection

from aiobserve.domain.signal import StepSignal
from aiobserve.domain.window import Span
from aiobserve.store.models import GpuRate, SignalSeries, SignalValue
from aiobserve.store.read.fleet import FAR_FUTURE_S, FAR_PAST_S, epoch_s


def gpu_rates(organisation_id: int, site_id: int) -> pd.DataFrame:
    """Return the dated prices that hold at a site.

    Columns: sku, contract, usd_per_gpu_hour, list_usd_per_gpu_hour (NaN: the same), includes_electricity, quality,
    of_site, valid_from_s, valid_to_s.
    """
    rows = GpuRate.objects.filter(organisation_id=organisation_id).exclude(
        pk__in=GpuRate.objects.filter(site__isnull=False).exclude(site_id=site_id).values("pk")
    )
    columns = [
        "sku", "contract", "usd_per_gpu_hour", "list_usd_per_gpu_hour", "includes_electricity", "quality", "site_id",
        "valid_from_at", "valid_to_at",
    ]  # fmt: skip
    frame = pd.DataFrame(list(rows.order_by("pk").values_list(*columns)), columns=columns)
    frame["of_site"] = frame.pop("site_id").notna()
    frame["valid_from_s"] = epoch_s(frame.pop("valid_from_at"), missing=FAR_PAST_S)
    frame["valid_to_s"] = epoch_s(frame.pop("valid_to_at"), missing=FAR_FUTURE_S)
    return frame


def actual_signal(organisation_id: int, scope: str, *, kinds: tuple[str, ...], span: Span) -> StepSignal:
    """Return what a signal really was over a span; empty when nothing is known.

    The first of `kinds` that has a series wins, and of several sources the one that was imported first. Of
    several revisions of a step the latest counts.
    """
    for kind in kinds:
        series = (
            SignalSeries.objects.filter(organisation_id=organisation_id, kind=kind, scope=scope).order_by("pk").first()
        )
        if series is None:
            continue
        steps = _latest_revisions(series.pk, span)
        if len(steps):
            return _step_signal(steps, source=f"{series.source}, {kind} of {scope}")
    return _step_signal(pd.DataFrame({"start_at": [], "end_at": [], "value": [], "quality": []}), source="none")


def forecast_signal(
    organisation_id: int, scope: str, *, kinds: tuple[str, ...], now_at: datetime
) -> tuple[StepSignal, datetime | None]:
    """Return the newest forecast that had been issued by `now_at`, and its instant of issue; empty and None without one."""
    newest = (
        SignalValue.objects.filter(
            series__organisation_id=organisation_id,
            series__scope=scope,
            series__kind__in=kinds,
            issued_at__isnull=False,
            issued_at__lte=now_at,
        )
        .order_by("-issued_at", "series_id")
        .values_list("series_id", "series__source", "issued_at")
        .first()
    )
    if newest is None:
        return _step_signal(
            pd.DataFrame({"start_at": [], "end_at": [], "value": [], "quality": []}), source="none"
        ), None
    series_id, source, issued_at = newest
    columns = ["start_at", "end_at", "value", "quality"]
    rows = SignalValue.objects.filter(series_id=series_id, issued_at=issued_at).order_by("start_at")
    steps = pd.DataFrame(list(rows.values_list(*columns)), columns=columns)
    return _step_signal(steps, source=f"{source}, issued {issued_at:%Y-%m-%d %H:%MZ}"), issued_at


def _latest_revisions(series_id: int, span: Span) -> pd.DataFrame:
    with connection.cursor() as cursor:
        cursor.execute(
            """SELECT DISTINCT ON (start_at) start_at, end_at, value, quality FROM signal_value
               WHERE series_id = %s AND issued_at IS NULL AND start_at < %s AND end_at > %s
               ORDER BY start_at, batch_id DESC""",
            [series_id, span.end_at, span.start_at],
        )
        return pd.DataFrame(cursor.fetchall(), columns=["start_at", "end_at", "value", "quality"])


def _step_signal(steps: pd.DataFrame, *, source: str) -> StepSignal:
    return StepSignal(
        start_s=epoch_s(steps["start_at"], missing=FAR_PAST_S),
        end_s=epoch_s(steps["end_at"], missing=FAR_FUTURE_S),
        value=steps["value"].to_numpy(dtype=np.float64),
        quality=steps["quality"].to_numpy(dtype=np.int8),
        source=source,
    )
