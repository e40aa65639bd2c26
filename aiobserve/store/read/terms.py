"""Reads what sites declare: shared pools, commitments, electricity contracts, emissions of manufacture."""

from datetime import date, timedelta

import pandas as pd

from aiobserve.domain.window import Span
from aiobserve.store.models import (
    Commitment,
    Dedication,
    EmbodiedFactor,
    EnergyContract,
    IdleObservation,
    SharedPool,
)
from aiobserve.store.read.fleet import FAR_FUTURE_S, FAR_PAST_S, epoch_s

# An observation of idle power counts for so long.
KEEP_OBSERVATIONS = timedelta(days=30)


def pools(site_id: int, span: Span) -> pd.DataFrame:
    """Return the shared pools of a site that hold in any part of a span, in order of id."""
    return _dated(
        SharedPool.objects.filter(site_id=site_id),
        ["pk", "name", "component", "shared_by", "label", "usd_per_hour", "power_w", "includes_electricity"],
        span,
    )


def commitments(site_id: int, span: Span) -> pd.DataFrame:
    """Return the commitments of a site that hold in any part of a span, in order of id."""
    return _dated(
        Commitment.objects.filter(site_id=site_id), ["pk", "name", "sku", "contract", "gpus", "usd_per_gpu_hour"], span
    )


def energy_contracts(site_id: int, span: Span) -> pd.DataFrame:
    """Return the electricity contracts of a site that hold in any part of a span, in the order in which they are used."""
    found = _dated(
        EnergyContract.objects.filter(site_id=site_id),
        ["pk", "name", "kind", "kwh_per_hour", "share_ratio", "g_per_kwh", "source"],
        span,
    )
    order = {"ppa": 0, "certificate": 1, "tariff": 2}
    return found.sort_values("kind", key=lambda kinds: kinds.map(order).fillna(len(order)), kind="stable")


def embodied(organisation_id: int) -> dict[str, float]:
    """Return grams of CO2e per GPU-hour of life by kind of GPU."""
    rows = EmbodiedFactor.objects.filter(organisation_id=organisation_id)
    return {sku: kg * 1000 / hours for sku, kg, hours in rows.values_list("sku", "kg_co2e", "life_hours")}


def dedications(site_id: int, span: Span) -> pd.DataFrame:
    """Return which devices of a site are kept for which account: device_id, account, start_s, end_s."""
    found = _dated(Dedication.objects.filter(device__node__site_id=site_id), ["pk", "device_id", "account"], span)
    return found.rename(columns={"valid_from_s": "start_s", "valid_to_s": "end_s"})


def idle_observations(site_id: int, day: date) -> dict[int, float]:
    """Return the latest idle power seen of each device on a day or in the 30 days before it, by device id."""
    rows = IdleObservation.objects.filter(
        device__node__site_id=site_id, day__lte=day, day__gt=day - KEEP_OBSERVATIONS
    ).order_by("day")
    return dict(rows.values_list("device_id", "idle_w"))


def _dated(rows: object, columns: list[str], span: Span) -> pd.DataFrame:
    chosen = rows.filter(valid_from_at__lt=span.end_at).exclude(valid_to_at__lte=span.start_at).order_by("pk")  # type: ignore[attr-defined]
    names = [*columns, "valid_from_at", "valid_to_at"]
    frame = pd.DataFrame(list(chosen.values_list(*names)), columns=names)
    frame["valid_from_s"] = epoch_s(frame.pop("valid_from_at"), missing=FAR_PAST_S)
    frame["valid_to_s"] = epoch_s(frame.pop("valid_to_at"), missing=FAR_FUTURE_S)
    return frame
