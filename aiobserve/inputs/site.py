"""Reads what decides the charges of a site over a span of windows: devices, reservations, telemetry, prices, signals.

Every function takes the span of the windows to compute; what lies around it is read as far as it matters.
"""

from dataclasses import dataclass, replace
from datetime import timedelta

import numpy as np
import numpy.typing as npt
import pandas as pd

from aiobserve.attribution.activity import Activity
from aiobserve.attribution.baseline import baseline_w
from aiobserve.attribution.claimants import Claimed, claim, claim_activity, keep_for
from aiobserve.attribution.inputs import SiteInputs
from aiobserve.attribution.integrate import POWER_ENVELOPE
from aiobserve.attribution.series import BRIDGE_S, Series
from aiobserve.domain.quality import Quality
from aiobserve.domain.signal import StepSignal
from aiobserve.domain.units import MILLIS_PER_GPU
from aiobserve.domain.window import WINDOW_S, Span, utc_day
from aiobserve.inputs.bearers import bearers
from aiobserve.inputs.terms import contracts_of, pools_of, priced
from aiobserve.store.columns import Columns, chosen, frame
from aiobserve.store.read import fleet, rates, telemetry, terms, workloads

Int64Array = npt.NDArray[np.int64]

# The nearest sample so far outside the span is read too, so that the energy at its edges is known.
MARGIN = timedelta(seconds=BRIDGE_S)
# Signals from this long before the span are read, for the fallback over a hole and its mean.
SIGNAL_MARGIN = timedelta(days=7)
CARBON_KINDS = ("carbon_lifecycle_g_per_kwh", "carbon_direct_g_per_kwh")
SIGNAL_KINDS = (
    "electricity_usd_per_mwh", *CARBON_KINDS, "carbon_residual_g_per_kwh", "pue_ratio", "water_l_per_kwh", "pool_power_w",
)  # fmt: skip


@dataclass(frozen=True)
class Held:
    """Who stands behind each reservation of a site, how busy they were, and who answers for idle devices.

    Attributes:
        kept_for: claimant by device and window, shape (d, w); -1 for nobody.
    """

    claimed: Claimed
    activity: Activity
    kept_for: Int64Array


def edges_of(span: Span) -> Int64Array:
    """Return the epoch seconds of the window edges of a span that begins and ends at them, shape (w + 1,)."""
    return np.arange(int(span.start_at.timestamp()), int(span.end_at.timestamp()) + 1, WINDOW_S, dtype=np.int64)


def devices_in(site_id: int, span: Span) -> pd.DataFrame:
    """Return the devices of a site that are there in any part of the span, in order of id."""
    return fleet.devices(site_id, span)


def holders(site: fleet.SiteRow, devices: pd.DataFrame, span: Span) -> Held:
    """Return what jobs held of the devices in the span, and who stands behind each.

    What a host draws besides its GPUs is borne by whoever holds these, so that a host is held like its GPUs are.
    """
    ids = devices["device_id"].to_numpy(dtype=np.int64)
    held = _with_hosts(_on_devices(workloads.reservations(site.pk, span), ids), devices)
    seen = _on_devices(workloads.activity(site.pk, span), ids)
    kept = _on_devices(terms.dedications(site.pk, span), ids)
    bearing = bearers(site.organisation_id, {*held["job_id"].tolist(), *seen["job_id"].tolist()})
    claimed = claim(frame(bearing.keyed(held)), bearing.dated)
    activity = Activity.none()
    if len(seen["device"]):
        activity = claim_activity(frame(bearing.keyed(seen)), bearing.dated, claimed.claimants)
    claimed, kept_for = keep_for(frame(kept), bearing.accounts, claimed, start_s=edges_of(span)[:-1], devices=len(ids))
    return Held(claimed, activity, kept_for)


def _on_devices(rows: Columns, ids: Int64Array) -> Columns:
    """Return the rows of devices with these ids, which ascend, with `device`, the device's place."""
    place = np.searchsorted(ids, rows["device_id"])
    known = np.flatnonzero(np.isin(rows["device_id"], ids))
    return {**chosen(rows, known), "device": place[known]}


def _with_hosts(held: Columns, devices: pd.DataFrame) -> Columns:
    """Return what was held of GPUs, and after it the same of the host of each."""
    node = devices["node"].to_numpy(dtype=object)
    hosts = np.flatnonzero(devices["kind"].to_numpy(dtype=object) == "host")
    host_of_node = dict(zip(node[hosts].tolist(), hosts.tolist(), strict=True))
    host = np.array([host_of_node.get(one, -1) for one in node[held["device"]].tolist()], dtype=np.int64)
    hosted = np.flatnonzero(host >= 0)
    on_host = {**chosen(held, hosted), "device": host[hosted]}
    return {name: np.concatenate([values, on_host[name]]) for name, values in held.items()}


def site_inputs(site: fleet.SiteRow, devices: pd.DataFrame, held: Held, span: Span) -> SiteInputs:
    """Return everything that the engine needs for the windows of the span, which begins and ends at window edges.

    Raises:
        RateMissing: a kind of GPU has no price in some window.
    """
    edge_s = edges_of(span)
    # Around the whole day, so that the mean that fills a hole is the same whichever part of the day is worked out.
    day = utc_day(span.start_at.date())
    around = Span(day.start_at - SIGNAL_MARGIN, day.end_at)

    pools = terms.pools(site.pk, span)
    signals = rates.actual_signals(
        site.organisation_id,
        [site.name, site.grid_zone, *(f"{site.name}/{pool.name}" for pool in pools)],
        kinds=SIGNAL_KINDS,
        span=around,
    )
    pue = signals.of(site.name, "pue_ratio")
    if not pue.value.size:
        pue = StepSignal.constant(1.0, quality=Quality.ASSUMED, source="no PUE is known: the facility is left out")
    paid = priced(site, devices, edge_s, span)
    idle_w = idle_power(site.pk, devices, span)
    return SiteInputs(
        edge_s=edge_s,
        devices=replace(paid.devices, idle_w=idle_w, kept_for=held.kept_for),
        series=_series(devices, span),
        reservations=held.claimed.reservations,
        activity=held.activity,
        electricity_usd_per_mwh=signals.of(site.grid_zone, "electricity_usd_per_mwh"),
        carbon_g_per_kwh=signals.of(site.grid_zone, *CARBON_KINDS),
        residual_g_per_kwh=signals.of(site.grid_zone, "carbon_residual_g_per_kwh"),
        pue_ratio=pue,
        water_l_per_kwh=signals.of(site.name, "water_l_per_kwh"),
        contracts=contracts_of(site, span),
        pools=pools_of(pools, edge_s, metered=lambda pool: signals.of(f"{site.name}/{pool}", "pool_power_w")),
        unused_commitment_usd=paid.unused_commitment_usd,
    )


def idle_power(site_id: int, devices: pd.DataFrame, span: Span) -> npt.NDArray[np.float64]:
    """Return the idle power of each device: as it was seen on the days before, else as its kind was, else nominal."""
    seen = terms.idle_observations(site_id, span.start_at.date() - timedelta(days=1))
    own_w = np.array([seen.get(pk, np.nan) for pk in devices["device_id"].tolist()], dtype=np.float64)
    return baseline_w(own_w, devices["sku"].to_numpy(dtype=object), devices["idle_w"].to_numpy(dtype=np.float64))


def _series(devices: pd.DataFrame, span: Span) -> Series:
    """Return the counters of the devices, and the power of those whose counter is missing or impossible."""
    ids = devices["device_id"].to_numpy(dtype=np.int64)
    found = telemetry.read_series(ids, span, margin=MARGIN)
    capacity = devices["capacity_millis"].to_numpy(dtype=np.int64)
    most_w = devices["tdp_w"].to_numpy(dtype=np.float64) * capacity / MILLIS_PER_GPU * POWER_ENVELOPE
    needed = np.union1d(found.without_counter(), ids[found.steepest_w() > most_w])
    found = telemetry.with_power(found, needed, span, margin=MARGIN)
    return Series(found.offsets, found.at_us, found.energy_millij, found.power_w)
