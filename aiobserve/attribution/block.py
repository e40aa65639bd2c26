"""Attribute a block of a site's devices: first what each segment drew and who may be charged, then the amounts, split.

A site is worked through in blocks so that the arrays in between stay in the cache; what a block comes to does not
depend on the others, but for the site's factors, which are known once every block is measured.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from aiobserve.attribution.activity import Activity, active_weights
from aiobserve.attribution.charges import Rows, sum_by
from aiobserve.attribution.claims import Claims, lay_out
from aiobserve.attribution.drawn import Drawn, drawn
from aiobserve.attribution.factors import Factors
from aiobserve.attribution.inputs import Devices, SiteInputs
from aiobserve.attribution.metering import meter
from aiobserve.attribution.occupancy import capacity_millis, holdings
from aiobserve.attribution.segments import Reservations, Segments, cut
from aiobserve.attribution.series import Series
from aiobserve.domain.account import Account, Component
from aiobserve.domain.units import (
    GPU_MILLIS_PER_GPU_HOUR,
    MICROG_PER_G,
    MICROL_PER_L,
    MICROUSD_PER_USD,
    MILLIJ_PER_KWH,
    MILLIJ_PER_MWH,
    MILLIS_PER_GPU,
)

Int64Array = npt.NDArray[np.int64]

# About so many segments at a time: a dozen arrays of them fit a core's cache.
SEGMENTS = 32_768


@dataclass(frozen=True)
class Block:
    """Some neighbouring devices of a site with what concerns them; indices are counted from the first of them."""

    devices: Devices
    series: Series
    reservations: Reservations
    activity: Activity


def blocks_of(inputs: SiteInputs) -> list[Block]:
    """Cut a site into blocks of devices."""
    count = len(inputs.devices.share_millis)
    size = max(1, SEGMENTS // len(inputs.edge_s))
    held = np.argsort(inputs.reservations.device, kind="stable")
    seen = np.argsort(inputs.activity.device, kind="stable")
    held_device, seen_device = inputs.reservations.device[held], inputs.activity.device[seen]
    blocks = []
    for first in range(0, count, size):
        last = min(first + size, count)
        rows = held[slice(*np.searchsorted(held_device, [first, last]))]
        busy = seen[slice(*np.searchsorted(seen_device, [first, last]))]
        blocks.append(
            Block(
                Devices(**{name: values[first:last] for name, values in vars(inputs.devices).items()}),
                inputs.series.of(first, last),
                Reservations(
                    inputs.reservations.device[rows] - first,
                    *(
                        getattr(inputs.reservations, name)[rows]
                        for name in ("claimant", "start_s", "end_s", "share_millis")
                    ),
                ),
                Activity(
                    inputs.activity.device[busy] - first,
                    *(getattr(inputs.activity, name)[busy] for name in ("claimant", "start_s", "end_s", "level")),
                ),
            )
        )
    return blocks


@dataclass(frozen=True)
class Measured:
    """A block of which is known what it drew and who held it.

    Attributes:
        capacity: GPU time that each segment offers, shape (s,).
        unheld: whether nobody held each segment, shape (s,).
    """

    devices: Devices
    segments: Segments
    capacity: Int64Array
    drawn: Drawn
    claims: Claims
    unheld: npt.NDArray[np.bool_]

    @property
    def paid_apart(self) -> npt.NDArray[np.bool_]:
        """Return whether the electricity of each segment is bought apart from the device."""
        return ~self.devices.includes_electricity[self.segments.device, self.segments.window]


def measure(block: Block, edge_s: Int64Array) -> Measured:
    """Return what each segment of a block drew, and its claims."""
    devices = block.devices
    segments = cut(block.reservations, edge_s, len(devices.share_millis))
    capacity = capacity_millis(segments, devices.valid_from_s, devices.valid_to_s, devices.share_millis)
    held = holdings(block.reservations, segments, capacity)
    # A pool of GPUs, or a server with several, is metered as one and may draw what all of them together may.
    rated_w = devices.tdp_w * devices.share_millis / MILLIS_PER_GPU
    energy = drawn(devices, segments, meter(block.series, segments, rated_w), capacity, held)
    weights, by_activity = active_weights(block.activity, held, segments)
    unheld = np.ones(len(capacity), dtype=bool)
    unheld[held.segment] = False
    claims = lay_out(held, capacity, energy.active_millij, weights, by_activity)
    return Measured(devices, segments, capacity, energy, claims, unheld)


@dataclass(frozen=True)
class Charged:
    """What a block comes to: rows to charge, and the total of each measure by window, reckoned before the split."""

    rows: Rows
    metered: dict[str, Int64Array]


def charge(measured: Measured, edge_s: Int64Array, factors: Factors) -> Charged:
    """Return the amounts of a block, split over its claims."""
    totals = _totals(measured, factors)
    rows = Rows(_keys(measured, edge_s, factors), _split(measured, totals))
    return Charged(rows, _metered(measured, totals))


def _totals(measured: Measured, factors: Factors) -> dict[str, Int64Array]:
    """Return the amounts of each segment before they are split, shape (s,), by measure; those of nothing are left out."""
    devices, segments, capacity = measured.devices, measured.segments, measured.capacity
    window = segments.window
    offered = capacity * (MICROUSD_PER_USD / GPU_MILLIS_PER_GPU_HOUR)
    here = segments.device, window
    drawn_millij = measured.drawn.energy_millij
    paid = np.where(devices.includes_electricity[here], 0, drawn_millij)
    totals = {
        "capacity_microusd": offered * devices.usd_per_gpu_hour[here],
        "list_microusd": offered * devices.list_usd_per_gpu_hour[here],
        "electricity_microusd": paid * (factors.usd_per_mwh * (MICROUSD_PER_USD / MILLIJ_PER_MWH))[window],
        "carbon_microg": drawn_millij * (factors.g_per_kwh * (MICROG_PER_G / MILLIJ_PER_KWH))[window],
        "carbon_market_microg": drawn_millij * (factors.market_g_per_kwh * (MICROG_PER_G / MILLIJ_PER_KWH))[window],
        "embodied_microg": capacity
        * (devices.embodied_g_per_gpu_hour * (MICROG_PER_G / GPU_MILLIS_PER_GPU_HOUR))[segments.device],
        "water_microl": drawn_millij * (factors.water_l_per_kwh * (MICROL_PER_L / MILLIJ_PER_KWH))[window],
    }
    amounts = {name: np.rint(amount).astype(np.int64) for name, amount in totals.items()}
    # Where two prices or intensities are the same, so are the amounts, and they are split once.
    if np.array_equal(devices.usd_per_gpu_hour, devices.list_usd_per_gpu_hour):
        amounts["list_microusd"] = amounts["capacity_microusd"]
    if np.array_equal(factors.g_per_kwh, factors.market_g_per_kwh):
        amounts["carbon_market_microg"] = amounts["carbon_microg"]
    return amounts


def _split(measured: Measured, totals: dict[str, Int64Array]) -> dict[str, Int64Array]:
    """Split each segment's totals over its claims."""
    claims, energy = measured.claims, measured.drawn
    by_time = claims.gpu_millis[claims.whole :]
    millij = claims.split(energy.baseline_millij, by_time) + claims.split(energy.active_millij, claims.active_weight)
    by_energy = millij[claims.whole :]
    # Where nothing was drawn as far as is known, the doubt about that goes by time.
    by_error = np.where(energy.energy_millij[claims.segment[claims.whole :]] == 0, by_time, by_energy)
    of_gpu = measured.devices.component[measured.segments.device[claims.segment]] == Component.GPU
    capacity = claims.split(totals["capacity_microusd"], by_time)
    electricity = claims.split(totals["electricity_microusd"], by_energy)
    carbon = claims.split(totals["carbon_microg"], by_energy)
    listed, market = totals["list_microusd"], totals["carbon_market_microg"]
    same_price, same_mix = listed is totals["capacity_microusd"], market is totals["carbon_microg"]
    return {
        "gpu_millis": claims.gpu_millis * of_gpu,
        "energy_millij": millij,
        "energy_error_millij": claims.split(energy.error_millij, by_error),
        "carbon_microg": carbon,
        "carbon_market_microg": carbon if same_mix else claims.split(market, by_energy),
        "embodied_microg": claims.split(totals["embodied_microg"], by_time),
        "water_microl": claims.split(totals["water_microl"], by_energy),
        "capacity_microusd": capacity,
        "electricity_microusd": electricity,
        "list_microusd": (capacity if same_price else claims.split(listed, by_time)) + electricity,
    }


def _keys(measured: Measured, edge_s: Int64Array, factors: Factors) -> dict[str, npt.NDArray[np.integer]]:
    devices, segments, claims = measured.devices, measured.segments, measured.claims
    segment = claims.segment
    window, device = segments.window[segment], segments.device[segment]
    energy_quality = np.maximum(measured.drawn.quality[segment], claims.quality)
    rate_quality = devices.cost_quality[device, window]
    bought = np.where(
        devices.includes_electricity[device, window],
        rate_quality,
        np.maximum(factors.usd_quality[window], energy_quality),
    )
    return {
        "window_start_s": edge_s[:-1][window],
        "kind": claims.kind,
        "component": devices.component[device],
        # Idle time of a device that is kept for somebody is theirs to answer for.
        "claimant": np.where(claims.kind == Account.IDLE, devices.kept_for[device, window], claims.claimant),
        "pool_id": np.full(len(segment), -1),
        "energy_quality": energy_quality,
        "carbon_quality": np.maximum(factors.g_quality[window], energy_quality),
        "cost_quality": np.maximum(rate_quality, bought),
    }


def _metered(measured: Measured, totals: dict[str, Int64Array]) -> dict[str, Int64Array]:
    """Return the sum of each measure by window, from the segments and not from the charges."""
    segments, energy = measured.segments, measured.drawn
    amounts = {
        **totals,
        "gpu_millis": measured.capacity * (measured.devices.component[segments.device] == Component.GPU),
        "energy_millij": energy.energy_millij,
        "energy_error_millij": energy.error_millij,
        "list_microusd": totals["list_microusd"] + totals["electricity_microusd"],
    }
    return {name: sum_by(segments.window, amount, segments.windows) for name, amount in amounts.items()}
