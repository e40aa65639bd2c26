"""Attribute one site and span of windows: the whole of energy, carbon and money, split so that nothing is left.

Pure: it is given the arrays and returns charges. Reading inputs and posting charges is the pipeline's work.

For each device and window (a cell):
    energy = baseline + active,  baseline = min(energy, idle power x time)
    baseline and capacity money go by time held, the time nobody held to `idle`;
    active energy goes by time held, and to `unattributed` when nobody held the device;
    electricity and carbon follow the energy; facility energy (PUE - 1) is `overhead` of the site.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from aiobserve.attribution.integrate import EnergyCurve, window_energy
from aiobserve.attribution.occupancy import Holdings, Reservations, capacity_millis, holdings
from aiobserve.attribution.rate import value_in_windows
from aiobserve.attribution.split import split_groups
from aiobserve.domain.account import MEASURES, Account, Component
from aiobserve.domain.frames import CHARGES
from aiobserve.domain.quality import Quality
from aiobserve.domain.signal import StepSignal
from aiobserve.domain.units import (
    GPU_MILLIS_PER_GPU_HOUR,
    MICROG_PER_G,
    MICROUSD_PER_USD,
    MILLIJ_PER_J,
    MILLIJ_PER_KWH,
    MILLIJ_PER_MWH,
    MILLIS_PER_GPU,
)

FloatArray = npt.NDArray[np.float64]
Int64Array = npt.NDArray[np.int64]
Int8Array = npt.NDArray[np.int8]

# Raised whenever a figure for the same inputs changes; it stands on every ledger batch.
METHOD_VERSION = 1


@dataclass(frozen=True)
class Devices:
    """The devices of a site, shape (d,) each; `rate` and `includes_electricity` hold for the whole span.

    Attributes:
        share_millis: capacity in thousandths of a GPU.
        idle_w, active_w: watts per GPU: the baseline, and the model where no energy is known.
        valid_from_s, valid_to_s: epoch seconds between which the device is there.
        usd_per_gpu_hour: price by window, shape (d, w).
        cost_quality: quality of that price, shape (d, w).
        includes_electricity: whether that price contains electricity, shape (d, w).
    """

    share_millis: Int64Array
    idle_w: FloatArray
    active_w: FloatArray
    valid_from_s: Int64Array
    valid_to_s: Int64Array
    usd_per_gpu_hour: FloatArray
    cost_quality: Int8Array
    includes_electricity: npt.NDArray[np.bool_]


@dataclass(frozen=True)
class SiteInputs:
    """Everything that decides the charges of one site over consecutive windows.

    Attributes:
        edge_s: epoch seconds of the window edges, shape (w + 1,).
        curves: energy curve of each device, None where the device has no telemetry, length d.
        electricity_usd_per_mwh, carbon_g_per_kwh, pue_ratio: signals of the site's grid zone and of the site.
    """

    edge_s: Int64Array
    devices: Devices
    curves: list[EnergyCurve | None]
    reservations: Reservations
    electricity_usd_per_mwh: StepSignal
    carbon_g_per_kwh: StepSignal
    pue_ratio: StepSignal


@dataclass(frozen=True)
class _Cells:
    """Totals of each device and window, flattened to shape (d * w,)."""

    window: Int64Array
    capacity_gpu_millis: Int64Array
    baseline_millij: Int64Array
    active_millij: Int64Array
    energy_quality: Int8Array


@dataclass(frozen=True)
class Attribution:
    """Charges by claimant, and what was metered by window, reckoned apart: before anything was split."""

    charges: pd.DataFrame
    metered: pd.DataFrame


def attribute(inputs: SiteInputs) -> Attribution:
    """Return the charges (`domain.frames.CHARGES`) of a site and the totals they must sum to.

    Raises:
        SignalMissing: no price, no carbon intensity at all is known for the site.
    """
    devices = inputs.devices
    factors = _factors(inputs)
    capacity = capacity_millis(devices.valid_from_s, devices.valid_to_s, devices.share_millis, inputs.edge_s)
    held = holdings(inputs.reservations, inputs.edge_s, capacity)
    cells = _measure(inputs, capacity, held)
    totals = _totals(inputs, cells, factors)
    overhead = _overhead(inputs, cells, factors)
    charges = pd.concat([_charges(inputs, cells, totals, _claims(cells, held), factors), overhead], ignore_index=True)
    return Attribution(_grouped(charges), _metered(inputs, cells, totals, overhead))


@dataclass(frozen=True)
class _Factors:
    """Price, intensity and PUE of each window, shape (w,), with their qualities."""

    usd_per_mwh: FloatArray
    usd_quality: Int8Array
    g_per_kwh: FloatArray
    g_quality: Int8Array
    pue: FloatArray
    pue_quality: Int8Array


def _factors(inputs: SiteInputs) -> _Factors:
    start_s = inputs.edge_s[:-1]
    return _Factors(
        *value_in_windows(inputs.electricity_usd_per_mwh, start_s, what="electricity price"),
        *value_in_windows(inputs.carbon_g_per_kwh, start_s, what="carbon intensity"),
        *value_in_windows(inputs.pue_ratio, start_s, what="PUE"),
    )


def _measure(inputs: SiteInputs, capacity: Int64Array, held: Holdings) -> _Cells:
    windows = len(inputs.edge_s) - 1
    count = len(inputs.curves)
    energy, quality = _modelled(inputs, capacity, held)
    for device, curve in enumerate(inputs.curves):
        if curve is None:
            continue
        millij, known, curve_quality = window_energy(curve, inputs.edge_s)
        here = slice(device * windows, (device + 1) * windows)
        energy[here] = np.where(known, millij, energy[here])
        quality[here] = np.where(known, curve_quality, quality[here])
    idle_w = np.repeat(inputs.devices.idle_w, windows)
    ceiling = np.rint(idle_w * capacity / MILLIS_PER_GPU * MILLIJ_PER_J).astype(np.int64)
    baseline = np.minimum(energy, ceiling)
    return _Cells(np.tile(np.arange(windows), count), capacity, baseline, energy - baseline, quality)


def _modelled(inputs: SiteInputs, capacity: Int64Array, held: Holdings) -> tuple[Int64Array, Int8Array]:
    """Return energy by the power model, idle watts for the time offered plus active - idle for the time held."""
    windows = len(inputs.edge_s) - 1
    held_millis = np.zeros(len(capacity), dtype=np.int64)
    np.add.at(held_millis, held.cell, held.gpu_millis)
    idle_w = np.repeat(inputs.devices.idle_w, windows)
    active_w = np.repeat(inputs.devices.active_w, windows)
    joules = (idle_w * capacity + (active_w - idle_w) * held_millis) / MILLIS_PER_GPU
    return np.rint(joules * MILLIJ_PER_J).astype(np.int64), np.full(len(capacity), Quality.ESTIMATED, dtype=np.int8)


@dataclass(frozen=True)
class _Claims:
    """One row a job in a cell, then for each cell one row `idle` and one row `unattributed`; sorted by cell."""

    cell: Int64Array
    kind: Int8Array
    claimant: Int64Array
    gpu_millis: Int64Array
    active_weight: Int64Array


def _claims(cells: _Cells, held: Holdings) -> _Claims:
    count = len(cells.capacity_gpu_millis)
    held_millis = np.zeros(count, dtype=np.int64)
    np.add.at(held_millis, held.cell, held.gpu_millis)
    everywhere = np.arange(count)
    nothing = np.zeros(count, dtype=np.int64)
    cell = np.concatenate([held.cell, everywhere, everywhere])
    kind = np.repeat([Account.JOB, Account.IDLE, Account.UNATTRIBUTED], [len(held.cell), count, count]).astype(np.int8)
    claimant = np.concatenate([held.claimant, nothing - 1, nothing - 1])
    gpu_millis = np.concatenate([held.gpu_millis, cells.capacity_gpu_millis - held_millis, nothing])
    active_weight = np.concatenate([held.gpu_millis, nothing, (held_millis == 0).astype(np.int64)])
    order = np.argsort(cell, kind="stable")
    return _Claims(cell[order], kind[order], claimant[order], gpu_millis[order], active_weight[order])


@dataclass(frozen=True)
class _Totals:
    """Amounts of each cell before they are split, shape (d * w,)."""

    carbon_microg: Int64Array
    capacity_microusd: Int64Array
    electricity_microusd: Int64Array


def _totals(inputs: SiteInputs, cells: _Cells, factors: _Factors) -> _Totals:
    energy = cells.baseline_millij + cells.active_millij
    microusd_per_gpu_milli = inputs.devices.usd_per_gpu_hour.ravel() * (MICROUSD_PER_USD / GPU_MILLIS_PER_GPU_HOUR)
    microusd_per_millij = factors.usd_per_mwh[cells.window] * (MICROUSD_PER_USD / MILLIJ_PER_MWH)
    microg_per_millij = factors.g_per_kwh[cells.window] * (MICROG_PER_G / MILLIJ_PER_KWH)
    paid_apart = ~inputs.devices.includes_electricity.ravel()
    return _Totals(
        carbon_microg=np.rint(energy * microg_per_millij).astype(np.int64),
        capacity_microusd=np.rint(cells.capacity_gpu_millis * microusd_per_gpu_milli).astype(np.int64),
        electricity_microusd=np.rint(energy * microusd_per_millij * paid_apart).astype(np.int64),
    )


def _charges(inputs: SiteInputs, cells: _Cells, totals: _Totals, claims: _Claims, factors: _Factors) -> pd.DataFrame:
    """Split each cell's totals over its claims."""
    # Time offered is the weight of the baseline; a cell that offers no time has no baseline either.
    energy = split_groups(cells.baseline_millij, claims.cell, claims.gpu_millis)
    energy = energy + split_groups(cells.active_millij, claims.cell, claims.active_weight)
    window = cells.window[claims.cell]
    energy_quality = cells.energy_quality[claims.cell]
    capacity = split_groups(totals.capacity_microusd, claims.cell, claims.gpu_millis)
    electricity = split_groups(totals.electricity_microusd, claims.cell, energy)
    rate_quality = inputs.devices.cost_quality.ravel()[claims.cell]
    electricity_quality = np.maximum(factors.usd_quality[window], energy_quality)
    included = inputs.devices.includes_electricity.ravel()[claims.cell]
    return pd.DataFrame(
        {
            "window_start_s": inputs.edge_s[:-1][window],
            "kind": claims.kind,
            "component": np.full(len(claims.cell), Component.GPU, dtype=np.int8),
            "claimant": claims.claimant,
            "pool_id": np.full(len(claims.cell), -1, dtype=np.int64),
            "energy_quality": energy_quality,
            "carbon_quality": np.maximum(factors.g_quality[window], energy_quality),
            "cost_quality": np.where(included, rate_quality, np.maximum(rate_quality, electricity_quality)),
            "gpu_millis": claims.gpu_millis,
            "energy_millij": energy,
            "carbon_microg": split_groups(totals.carbon_microg, claims.cell, energy),
            "capacity_microusd": capacity,
            "electricity_microusd": electricity,
            "list_microusd": capacity + electricity,
        }
    )


def _overhead(inputs: SiteInputs, cells: _Cells, factors: _Factors) -> pd.DataFrame:
    """Return the facility's energy, carbon and electricity of each window: IT energy x (PUE - 1)."""
    windows = len(inputs.edge_s) - 1
    energy_of_device = (cells.baseline_millij + cells.active_millij).reshape(-1, windows)
    worst = cells.energy_quality.reshape(-1, windows).max(axis=0, initial=Quality.MEASURED)
    quality = np.maximum(worst, factors.pue_quality)
    energy = np.rint(energy_of_device.sum(axis=0) * (factors.pue - 1)).astype(np.int64)
    # Facility electricity is bought with the IT electricity of the devices that pay for theirs.
    paid = (energy_of_device * ~inputs.devices.includes_electricity).sum(axis=0) * (factors.pue - 1)
    electricity = np.rint(paid * factors.usd_per_mwh * (MICROUSD_PER_USD / MILLIJ_PER_MWH)).astype(np.int64)
    nothing = np.zeros(windows, dtype=np.int64)
    carbon = energy * (factors.g_per_kwh * (MICROG_PER_G / MILLIJ_PER_KWH))
    return pd.DataFrame(
        {
            "window_start_s": inputs.edge_s[:-1],
            "kind": np.full(windows, Account.OVERHEAD, dtype=np.int8),
            "component": np.full(windows, Component.FACILITY, dtype=np.int8),
            "claimant": nothing - 1,
            "pool_id": nothing - 1,
            "energy_quality": quality,
            "carbon_quality": np.maximum(factors.g_quality, quality),
            "cost_quality": np.maximum(factors.usd_quality, quality),
            "gpu_millis": nothing,
            "energy_millij": energy,
            "carbon_microg": np.rint(carbon).astype(np.int64),
            "capacity_microusd": nothing,
            "electricity_microusd": electricity,
            "list_microusd": electricity,
        }
    )


def _metered(inputs: SiteInputs, cells: _Cells, totals: _Totals, overhead: pd.DataFrame) -> pd.DataFrame:
    """Return the sum of each measure by window, from the cells and the facility, not from the charges."""
    windows = len(inputs.edge_s) - 1
    of_cells = {
        "gpu_millis": cells.capacity_gpu_millis,
        "energy_millij": cells.baseline_millij + cells.active_millij,
        "carbon_microg": totals.carbon_microg,
        "capacity_microusd": totals.capacity_microusd,
        "electricity_microusd": totals.electricity_microusd,
        "list_microusd": totals.capacity_microusd + totals.electricity_microusd,
    }
    nothing = np.zeros(windows, dtype=np.int64)
    sums = dict.fromkeys(MEASURES, nothing) | {
        name: of_cells[name].reshape(-1, windows).sum(axis=0) + overhead[name].to_numpy() for name in of_cells
    }
    metered = pd.DataFrame({"window_start_s": inputs.edge_s[:-1], **sums})
    return metered[(metered[list(MEASURES)] != 0).any(axis=1)].reset_index(drop=True)


def _grouped(charges: pd.DataFrame) -> pd.DataFrame:
    """Sum over devices, and leave out the rows in which every amount is zero."""
    charges = charges.reindex(columns=list(CHARGES.columns), fill_value=0)
    worth = (charges[list(MEASURES)] != 0).any(axis=1)
    keys = [name for name in CHARGES.columns if name not in MEASURES]
    summed = charges[worth].groupby(keys, as_index=False, sort=True)[list(MEASURES)].sum()
    return CHARGES.check(summed)
