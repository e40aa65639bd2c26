"""Attribute a block of a site's devices: first what each segment drew and who may be charged, then the amounts, split.

A site is worked through in blocks so that the arrays in between stay in the cache; what a block comes to does not
depend on the others, but for the site's factors, which are known once every block is measured.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from aiobserve.attribution.activity import Activity, active_weights
from aiobserve.attribution.charges import Rows, sum_by, summed
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
# What a segment's totals are split by; doubt goes by energy, and energy itself by time and by activity.
GO_BY_TIME = ("capacity_microusd", "list_microusd", "embodied_microg")
GO_BY_ENERGY = ("electricity_microusd", "carbon_microg", "carbon_market_microg", "water_microl")


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
        return ~self.segments.of_cell(self.devices.includes_electricity)

    def by_window(self, amounts: Int64Array) -> Int64Array:
        """Return the sum of amounts of the segments, shape (s,), by window, shape (w,)."""
        return sum_by(self.segments.window, amounts, self.segments.windows)


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

    def summed(self) -> "Charged":
        """Return the same with one row for each combination of keys."""
        return Charged(summed(self.rows), self.metered)


def charge(measured: Measured, edge_s: Int64Array, factors: Factors) -> Charged:
    """Return the amounts of a block, split over its claims."""
    totals = _totals(measured, factors)
    rows = Rows(_keys(measured, edge_s, factors), _split(measured, totals))
    return Charged(rows, _metered(measured, totals))


def _totals(measured: Measured, factors: Factors) -> dict[str, Int64Array]:
    """Return the amounts of each segment before they are split, shape (s,), by measure.

    Measures of nothing are left out, as are the list price and the market-based carbon where they are no other than the
    price and the carbon: these are split once. List money is without its electricity here.
    """
    devices, segments, capacity = measured.devices, measured.segments, measured.capacity
    energy = measured.drawn.energy_millij.astype(np.float64)
    offered = capacity * (MICROUSD_PER_USD / GPU_MILLIS_PER_GPU_HOUR)
    included = devices.includes_electricity
    paid = np.where(segments.of_cell(included), 0.0, energy) if included.any() else energy
    window = segments.window
    totals = {
        "capacity_microusd": offered * segments.of_cell(devices.usd_per_gpu_hour),
        "electricity_microusd": paid * (factors.usd_per_mwh * (MICROUSD_PER_USD / MILLIJ_PER_MWH))[window],
        "carbon_microg": energy * (factors.g_per_kwh * (MICROG_PER_G / MILLIJ_PER_KWH))[window],
    }
    if not np.array_equal(devices.usd_per_gpu_hour, devices.list_usd_per_gpu_hour):
        totals["list_microusd"] = offered * segments.of_cell(devices.list_usd_per_gpu_hour)
    if not np.array_equal(factors.g_per_kwh, factors.market_g_per_kwh):
        market = factors.market_g_per_kwh * (MICROG_PER_G / MILLIJ_PER_KWH)
        totals["carbon_market_microg"] = energy * market[window]
    if devices.embodied_g_per_gpu_hour.any():
        embodied = devices.embodied_g_per_gpu_hour * (MICROG_PER_G / GPU_MILLIS_PER_GPU_HOUR)
        totals["embodied_microg"] = capacity * embodied[segments.device]
    if factors.water_l_per_kwh.any():
        totals["water_microl"] = energy * (factors.water_l_per_kwh * (MICROL_PER_L / MILLIJ_PER_KWH))[window]
    return {name: np.rint(amount, out=amount).astype(np.int64) for name, amount in totals.items()}


def _whole(amounts: dict[str, Int64Array]) -> dict[str, Int64Array]:
    """Return amounts with list money and market-based carbon, where these were left out, and electricity in the former."""
    listed = amounts.get("list_microusd", amounts["capacity_microusd"])
    return {
        "carbon_market_microg": amounts["carbon_microg"],
        **amounts,
        "list_microusd": listed + amounts["electricity_microusd"],
    }


def _split(measured: Measured, totals: dict[str, Int64Array]) -> dict[str, Int64Array]:
    """Split each segment's totals over its claims."""
    claims, energy = measured.claims, measured.drawn

    def by(weights: Int64Array, names: tuple[str, ...], *more: Int64Array) -> tuple[dict[str, Int64Array], Int64Array]:
        chosen = [name for name in names if name in totals]
        parts = claims.split([*(totals[name] for name in chosen), *more], weights)
        return dict(zip(chosen, parts, strict=False)), parts[len(chosen) :]

    by_time = claims.gpu_millis[claims.whole :]
    timely, (baseline,) = by(by_time, GO_BY_TIME, energy.baseline_millij)
    _, (millij,) = by(claims.active_weight, (), energy.active_millij)
    millij += baseline
    by_energy = millij[claims.whole :]
    # Where nothing was drawn as far as is known, the doubt about that goes by time.
    doubtful = (energy.energy_millij == 0) & (energy.error_millij != 0)
    if doubtful.any():
        by_error = np.where(doubtful[claims.segment[claims.whole :]], by_time, by_energy)
        driven, _ = by(by_energy, GO_BY_ENERGY)
        _, (error,) = by(by_error, (), energy.error_millij)
    else:
        driven, (error,) = by(by_energy, GO_BY_ENERGY, energy.error_millij)
    held = _of_gpus(measured, claims.gpu_millis, claims.segment)
    return {"gpu_millis": held, "energy_millij": millij, "energy_error_millij": error, **_whole(timely | driven)}


def _of_gpus(measured: Measured, gpu_millis: Int64Array, segment: Int64Array | None = None) -> Int64Array:
    """Return GPU time of GPUs; time of a host counts for nobody's."""
    of_gpu = measured.devices.component == Component.GPU
    if of_gpu.all():
        return gpu_millis
    device = measured.segments.device if segment is None else measured.segments.device[segment]
    return gpu_millis * of_gpu[device]


def _keys(measured: Measured, edge_s: Int64Array, factors: Factors) -> dict[str, npt.NDArray[np.integer]]:
    devices, segments, claims = measured.devices, measured.segments, measured.claims
    segment = claims.segment
    window = segments.window[segment]
    energy_quality = np.maximum(measured.drawn.quality[segment], claims.quality)
    rate_quality = _of_cells(segments, devices.cost_quality, segment)
    bought = np.maximum(factors.usd_quality[window], energy_quality)
    if devices.includes_electricity.any():
        bought = np.where(segments.of_cell(devices.includes_electricity)[segment], rate_quality, bought)
    claimant = claims.claimant
    if (devices.kept_for >= 0).any():
        # Idle time of a device that is kept for somebody is theirs to answer for.
        kept_for = segments.of_cell(devices.kept_for)[segment]
        claimant = np.where(claims.kind == Account.IDLE, kept_for, claimant)
    one_kind = (devices.component == devices.component[0]).all()
    return {
        "window_start_s": edge_s[window],
        "kind": claims.kind,
        "component": (
            np.full(len(segment), devices.component[0]) if one_kind else devices.component[segments.device[segment]]
        ),
        "claimant": claimant,
        "pool_id": np.full(len(segment), -1),
        "energy_quality": energy_quality,
        "carbon_quality": np.maximum(factors.g_quality[window], energy_quality),
        "cost_quality": np.maximum(rate_quality, bought),
    }


def _of_cells(segments: Segments, table: npt.NDArray[np.int8], segment: Int64Array) -> npt.NDArray[np.int8]:
    """Return a table by device and window for some segments; most often it holds one value."""
    if table.min() == table.max():
        return np.full(len(segment), table.flat[0])
    return segments.of_cell(table)[segment]


def _metered(measured: Measured, totals: dict[str, Int64Array]) -> dict[str, Int64Array]:
    """Return the sum of each measure by window, from the segments and not from the charges."""
    energy = measured.drawn
    amounts = totals | {
        "gpu_millis": _of_gpus(measured, measured.capacity),
        "energy_millij": energy.energy_millij,
        "energy_error_millij": energy.error_millij,
    }
    return _whole({name: measured.by_window(amount) for name, amount in amounts.items()})
