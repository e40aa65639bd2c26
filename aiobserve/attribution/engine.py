"""Attribute one site and span of windows: the whole of energy, carbon and money, split so that nothing is left.

Pure: it is given the arrays and returns charges. Reading inputs and posting charges is the pipeline's work.

For each segment of a device (a span in which nobody comes or goes, within one window):
    energy = baseline + active,  baseline = min(energy, idle power x time)
    baseline, capacity money and embodied carbon go by time held, the time nobody held to `idle`;
    active energy goes by activity, else by time held, and to `unattributed` when nobody held the device;
    electricity, carbon and water follow the energy; pools and facility are `overhead` of the site.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from aiobserve.attribution.block import Charged, Measured, blocks_of, charge, measure
from aiobserve.attribution.charges import Rows, joined
from aiobserve.attribution.factors import Factors, factors_of, pue_of
from aiobserve.attribution.inputs import SiteInputs
from aiobserve.attribution.overhead import Overhead, facility_overhead, pool_overhead, unused_commitment
from aiobserve.domain.account import MEASURES
from aiobserve.domain.quality import Quality
from aiobserve.domain.units import MICROG_PER_G, MICROL_PER_L, MICROUSD_PER_USD, MILLIJ_PER_KWH, MILLIJ_PER_MWH

FloatArray = npt.NDArray[np.float64]
Int64Array = npt.NDArray[np.int64]

# Raised whenever a figure for the same inputs changes; it stands on every ledger batch.
METHOD_VERSION = 3


@dataclass(frozen=True)
class Attribution:
    """Charges by claimant, and what was metered by window, reckoned apart: before anything was split.

    Attributes:
        charges: `domain.frames.CHARGES`.
        metered: `window_start_s` and the measures.
        measured: what each device drew, block by block, for whoever wants to observe its idle power or to explain.
        factors: what turned energy into money, carbon and water in each window; None where no device did.
    """

    charges: pd.DataFrame
    metered: pd.DataFrame
    measured: tuple[Measured, ...]
    factors: Factors | None = None


def attribute(inputs: SiteInputs) -> Attribution:
    """Return the charges of a site and the totals they must sum to.

    Raises:
        SignalMissing: no price, no carbon intensity at all is known for the site.
    """
    measured = [measure(block, inputs.edge_s) for block in blocks_of(inputs)]
    it_millij = sum((one.by_window(one.drawn.energy_millij) for one in measured), _nothing(inputs))
    lines = overhead_of(inputs, measured, it_millij)
    factors = factors_of(inputs, sum((line.energy_millij for line in lines), it_millij))
    # Each block is summed while its rows are in the cache.
    charged = [charge(one, inputs.edge_s, factors).summed() for one in measured]
    others = [_charged(line, inputs.edge_s, factors) for line in lines]
    charges = joined([one.rows for one in charged], [one.rows for one in others])
    return Attribution(charges, _metered(inputs, [*charged, *others]), tuple(measured), factors)


def _nothing(inputs: SiteInputs) -> Int64Array:
    return np.zeros(len(inputs.edge_s) - 1, dtype=np.int64)


def overhead_of(inputs: SiteInputs, measured: Sequence[Measured], it_millij: Int64Array) -> list[Overhead]:
    """Return pools, facility and unused commitments of the site, whose devices drew `it_millij` in each window."""
    pools = [pool_overhead(pool) for pool in inputs.pools]
    error, included = _nothing(inputs), _nothing(inputs)
    pue, worst = pue_of(inputs)
    for one in measured:
        energy = one.drawn
        error += one.by_window(energy.error_millij)
        if one.devices.includes_electricity.any():
            included += one.by_window(np.where(one.paid_apart, 0, energy.energy_millij))
        # Nothing is better known than what is measured.
        estimated = np.flatnonzero(energy.quality > Quality.MEASURED)
        np.maximum.at(worst, one.segments.window[estimated], energy.quality[estimated])
    paid = it_millij - included
    for pool in pools:
        it_millij, error, paid = it_millij + pool.energy_millij, error + pool.error_millij, paid + pool.paid_millij
        worst = np.maximum(worst, pool.energy_quality)
    return [
        *pools,
        facility_overhead(it_millij, error, paid, pue, worst),
        unused_commitment(inputs.unused_commitment_usd),
    ]


def _charged(line: Overhead, edge_s: Int64Array, factors: Factors) -> Charged:
    """Return one line of overhead with its electricity, carbon and water; nobody splits it here."""
    count = len(line.energy_millij)
    energy = line.energy_millij

    def whole(amount: FloatArray) -> Int64Array:
        return np.rint(amount).astype(np.int64)

    electricity = whole(line.paid_millij * factors.usd_per_mwh * (MICROUSD_PER_USD / MILLIJ_PER_MWH))
    keys: dict[str, npt.NDArray[np.integer]] = {
        "window_start_s": edge_s[:-1],
        "kind": np.full(count, line.kind, dtype=np.int8),
        "component": np.full(count, line.component, dtype=np.int8),
        "claimant": np.full(count, -1),
        "pool_id": np.full(count, line.pool_id),
        "energy_quality": line.energy_quality,
        "carbon_quality": np.maximum(factors.g_quality, line.energy_quality),
        "cost_quality": np.maximum(factors.usd_quality, line.energy_quality),
    }
    measures = dict.fromkeys(MEASURES, np.zeros(count, dtype=np.int64)) | {
        "energy_millij": energy,
        "energy_error_millij": line.error_millij,
        "carbon_microg": whole(energy * factors.g_per_kwh * (MICROG_PER_G / MILLIJ_PER_KWH)),
        "carbon_market_microg": whole(energy * factors.market_g_per_kwh * (MICROG_PER_G / MILLIJ_PER_KWH)),
        "water_microl": whole(energy * factors.water_l_per_kwh * (MICROL_PER_L / MILLIJ_PER_KWH)),
        "capacity_microusd": line.capacity_microusd,
        "electricity_microusd": electricity,
        "list_microusd": line.list_capacity_microusd + electricity,
    }
    return Charged(Rows(keys, measures), measures)


def _metered(inputs: SiteInputs, charged: list[Charged]) -> pd.DataFrame:
    """Return the sum of each measure by window, from the segments and the overhead, not from the charges."""
    nothing = _nothing(inputs)
    sums = {name: sum((one.metered.get(name, nothing) for one in charged), nothing) for name in MEASURES}
    some = np.flatnonzero(np.any([values != 0 for values in sums.values()], axis=0))
    columns = {"window_start_s": inputs.edge_s[:-1], **sums}
    return pd.DataFrame({name: values[some] for name, values in columns.items()}, copy=False)
