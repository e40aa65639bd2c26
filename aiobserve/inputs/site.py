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
from aiobserve.store.read import fleet, rates, telemetry, terms, workloads

Int64Array = npt.NDArray[np.int64]

# The nearest sample so far outside the span is read too, so that the energy at its edges is known.
MARGIN = timedelta(seconds=BRIDGE_S)
# Signals from this long before the span are read, for the fallback over a hole and its mean.
SIGNAL_MARGIN = timedelta(days=7)
CARBON_KINDS = ("carbon_lifecycle_g_per_kwh", "carbon_direct_g_per_kwh")


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
    devices = fleet.devices(site_id)
    there = (devices["valid_to_s"] > span.start_at.timestamp()) & (devices["valid_from_s"] < span.end_at.timestamp())
    return devices[there].reset_index(drop=True)


def holders(site: fleet.SiteRow, devices: pd.DataFrame, span: Span) -> Held:
    """Return what jobs held of the devices in the span, and who stands behind each.

    What a host draws besides its GPUs is borne by whoever holds these, so that a host is held like its GPUs are.
    """
    held = _on_devices(workloads.reservations(site.pk, span), devices)
    seen = _on_devices(workloads.activity(site.pk, span), devices)
    bearing = bearers(site.organisation_id, {int(pk) for rows in (held, seen) for pk in rows["job_id"]})
    hosts = devices.index[devices["kind"] == "host"]
    if len(hosts):
        host_of_node = pd.Series(hosts, index=devices.loc[hosts, "node"])
        node = held["device"].map(devices["node"])
        on_host = held[node.isin(host_of_node.index)].assign(device=node.map(host_of_node))
        held = pd.concat([held, on_host], ignore_index=True)
    claimed = claim(bearing.keyed(held), bearing.dated)
    activity = claim_activity(bearing.keyed(seen), bearing.dated, claimed.claimants)
    kept = _on_devices(terms.dedications(site.pk, span), devices)
    claimed, kept_for = keep_for(kept, bearing.accounts, claimed, start_s=edges_of(span)[:-1], devices=len(devices))
    return Held(claimed, activity, kept_for)


def _on_devices(rows: pd.DataFrame, devices: pd.DataFrame) -> pd.DataFrame:
    """Return the rows of known devices, with `device`, the device's place."""
    place = pd.Series(devices.index, index=devices["device_id"])
    rows = rows[rows["device_id"].isin(place.index)]
    return rows.assign(device=rows["device_id"].map(place).astype("int64"))


def site_inputs(site: fleet.SiteRow, devices: pd.DataFrame, held: Held, span: Span) -> SiteInputs:
    """Return everything that the engine needs for the windows of the span, which begins and ends at window edges.

    Raises:
        RateMissing: a kind of GPU has no price in some window.
    """
    edge_s = edges_of(span)
    # Around the whole day, so that the mean that fills a hole is the same whichever part of the day is worked out.
    day = utc_day(span.start_at.date())
    around = Span(day.start_at - SIGNAL_MARGIN, day.end_at)

    def signal(scope: str, *kinds: str) -> StepSignal:
        return rates.actual_signal(site.organisation_id, scope, kinds=kinds, span=around)

    pue = signal(site.name, "pue_ratio")
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
        electricity_usd_per_mwh=signal(site.grid_zone, "electricity_usd_per_mwh"),
        carbon_g_per_kwh=signal(site.grid_zone, *CARBON_KINDS),
        residual_g_per_kwh=signal(site.grid_zone, "carbon_residual_g_per_kwh"),
        pue_ratio=pue,
        water_l_per_kwh=signal(site.name, "water_l_per_kwh"),
        contracts=contracts_of(site, span),
        pools=pools_of(site, edge_s, span, metered=lambda pool: signal(f"{site.name}/{pool}", "pool_power_w")),
        unused_commitment_usd=paid.unused_commitment_usd,
    )


def idle_power(site_id: int, devices: pd.DataFrame, span: Span) -> npt.NDArray[np.float64]:
    """Return the idle power of each device: as it was seen on the days before, else as its kind was, else nominal."""
    seen = terms.idle_observations(site_id, span.start_at.date() - timedelta(days=1))
    own_w = devices["device_id"].map(seen).to_numpy(dtype=np.float64)
    return baseline_w(own_w, devices["sku"].to_numpy(dtype=object), devices["idle_w"].to_numpy(dtype=np.float64))


def _series(devices: pd.DataFrame, span: Span) -> Series:
    """Return the counters of the devices, and the power of those whose counter is missing or impossible."""
    ids = devices["device_id"].to_numpy(dtype=np.int64)
    found = telemetry.read_series(ids, span, margin=MARGIN)
    most_w = (devices["tdp_w"] * devices["capacity_millis"] / MILLIS_PER_GPU).to_numpy(
        dtype=np.float64
    ) * POWER_ENVELOPE
    needed = np.union1d(found.without_counter(), ids[found.steepest_w() > most_w])
    found = telemetry.with_power(found, needed, span, margin=MARGIN)
    return Series(found.offsets, found.at_us, found.energy_millij, found.power_w)
