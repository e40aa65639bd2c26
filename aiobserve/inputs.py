"""Reads what decides the charges of a site over a span of windows: devices, reservations, telemetry, prices, signals.

Below pipeline and reports, because both need the same: the one to post charges, the other to explain them.

Every function takes the span of the windows to compute; what lies around it is read as far as it matters.
"""

from datetime import UTC, datetime, timedelta

import numpy as np
import pandas as pd

from aiobserve.attribution.claimants import Claimed, claim
from aiobserve.attribution.engine import Devices, SiteInputs
from aiobserve.attribution.integrate import EnergyCurve, Samples, energy_curve
from aiobserve.attribution.rules import FOREVER_S, Rule, effective_map
from aiobserve.domain.quality import Quality
from aiobserve.domain.signal import StepSignal
from aiobserve.domain.window import WINDOW_S, Span
from aiobserve.store.read import fleet, rates, telemetry, workloads
from aiobserve.store.read.rules import RuleRow, facts_of_jobs, rules

# Samples this far outside the span are read too, so that the energy at its edges is known.
MARGIN = timedelta(hours=6)
# Signals from this long before the span are read, for the fallback over a hole and its mean.
SIGNAL_MARGIN = timedelta(days=7)
CARBON_KINDS = ("carbon_lifecycle_g_per_kwh", "carbon_direct_g_per_kwh")


class RateMissing(LookupError):
    """No price is known for a kind of GPU at a site and time."""


def devices_in(site_id: int, span: Span) -> pd.DataFrame:
    """Return the devices of a site that are there in any part of the span, in order of id."""
    devices = fleet.devices(site_id)
    there = (devices["valid_to_s"] > span.start_at.timestamp()) & (devices["valid_from_s"] < span.end_at.timestamp())
    return devices[there].reset_index(drop=True)


def claimed(site: fleet.SiteRow, devices: pd.DataFrame, span: Span) -> Claimed:
    """Return what jobs held of the devices in the span, and who stands behind each."""
    held = workloads.reservations(site.pk, span)
    index = pd.Series(devices.index, index=devices["device_id"])
    held = held[held["device_id"].isin(index.index)]
    return claim(*ruled(site.organisation_id, held.assign(device=held["device_id"].map(index))))


def ruled(organisation_id: int, held: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return reservations and the dated map that says whose they are, by the organisation's rules where there are any.

    Where rules stand, `account` of a reservation becomes a key for its account and the rules that its job meets.
    """
    by_account = workloads.account_map(organisation_id)
    standing = [rule_of(row, named=False) for row in rules(organisation_id, standing=True)]
    if not standing or held.empty:
        return held, by_account
    jobs = facts_of_jobs(int(pk) for pk in held["job_id"].unique())
    mapped = effective_map(jobs, standing, by_account)
    return held.assign(account=held["job_id"].map(mapped.key)), mapped.dated


def rule_of(row: RuleRow, *, named: bool) -> Rule:
    """Return a kept rule as the pure core takes it, with names or ids of team and project."""
    return Rule(
        row.pk, row.priority, row.account, row.user, row.site, row.model, row.job_name, row.label,
        team=row.team if named else row.team_id,
        project=row.project if named else row.project_id,
        valid_from_s=int(row.valid_from_at.timestamp()),
        valid_to_s=int(row.valid_to_at.timestamp()) if row.valid_to_at else FOREVER_S,
    )  # fmt: skip


def site_inputs(site: fleet.SiteRow, devices: pd.DataFrame, held: Claimed, span: Span) -> SiteInputs:
    """Return everything that the engine needs for the windows of the span, which begins and ends at window edges.

    Raises:
        RateMissing: a kind of GPU has no price in some window.
    """
    edge_s = np.arange(int(span.start_at.timestamp()), int(span.end_at.timestamp()) + 1, WINDOW_S, dtype=np.int64)
    around = Span(span.start_at - SIGNAL_MARGIN, span.end_at)
    organisation_id = site.organisation_id
    pue = rates.actual_signal(organisation_id, site.name, kinds=("pue_ratio",), span=around)
    if not pue.value.size:
        pue = StepSignal.constant(1.0, quality=Quality.ASSUMED, source="no PUE is known: the facility is left out")
    return SiteInputs(
        edge_s=edge_s,
        devices=_priced(site, devices, edge_s),
        curves=_curves(devices, Span(span.start_at - MARGIN, span.end_at + MARGIN)),
        reservations=held.reservations,
        electricity_usd_per_mwh=rates.actual_signal(
            organisation_id, site.grid_zone, kinds=("electricity_usd_per_mwh",), span=around
        ),
        carbon_g_per_kwh=rates.actual_signal(organisation_id, site.grid_zone, kinds=CARBON_KINDS, span=around),
        pue_ratio=pue,
    )


def _curves(devices: pd.DataFrame, span: Span) -> list[EnergyCurve | None]:
    found = telemetry.readings([int(pk) for pk in devices["device_id"]], span)
    curves: list[EnergyCurve | None] = []
    for device_id, tdp_w in zip(devices["device_id"], devices["tdp_w"], strict=True):
        readings = found.get(int(device_id))
        if readings is None:
            curves.append(None)
            continue
        samples = Samples(readings.at_us / 1_000_000, readings.energy_millij, readings.power_w)
        curves.append(energy_curve(samples, tdp_w=float(tdp_w)))
    return curves


def _priced(
    site: fleet.SiteRow, devices: pd.DataFrame, edge_s: "np.ndarray[tuple[int], np.dtype[np.int64]]"
) -> Devices:
    known = rates.gpu_rates(site.organisation_id, site.pk)
    start_s = edge_s[:-1]
    shape = (len(devices), len(start_s))
    usd, quality, included = np.zeros(shape), np.zeros(shape, np.int8), np.zeros(shape, bool)
    for sku, rows in devices.groupby("sku"):
        usd[rows.index], quality[rows.index], included[rows.index] = _rate(known, str(sku), site.name, start_s)
    return Devices(
        share_millis=devices["capacity_millis"].to_numpy(dtype=np.int64),
        idle_w=devices["idle_w"].to_numpy(dtype=np.float64),
        active_w=devices["active_w"].to_numpy(dtype=np.float64),
        valid_from_s=devices["valid_from_s"].to_numpy(dtype=np.int64),
        valid_to_s=devices["valid_to_s"].to_numpy(dtype=np.int64),
        usd_per_gpu_hour=usd,
        cost_quality=quality,
        includes_electricity=included,
    )


def _rate(
    known: pd.DataFrame, sku: str, site: str, start_s: "np.ndarray[tuple[int], np.dtype[np.int64]]"
) -> tuple[
    "np.ndarray[tuple[int], np.dtype[np.float64]]",
    "np.ndarray[tuple[int], np.dtype[np.int8]]",
    "np.ndarray[tuple[int], np.dtype[np.bool_]]",
]:
    """Return price, quality and whether it includes electricity at each window start; a site's own price wins."""
    chosen = np.full(len(start_s), -1)
    of_sku = known[known["sku"] == sku].sort_values(["of_site", "valid_from_s"]).reset_index(drop=True)
    for row in of_sku.itertuples():
        chosen[(start_s >= row.valid_from_s) & (start_s < row.valid_to_s)] = row.Index
    if (chosen < 0).any():
        at = datetime.fromtimestamp(int(start_s[chosen < 0][0]), UTC).isoformat()
        raise RateMissing(f"no price per GPU-hour for {sku} at {site} from {at} on; import one that is valid then")
    picked = of_sku.loc[chosen]
    return (
        picked["usd_per_gpu_hour"].to_numpy(dtype=np.float64),
        picked["quality"].to_numpy(dtype=np.int8),
        picked["includes_electricity"].to_numpy(dtype=bool),
    )
