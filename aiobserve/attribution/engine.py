"""Attribute one site and span of windows: the whole of energy, carbon and money, split so that nothing is left.

Pure: it is given the arrays and returns charges. Reading inputs and posting charges is the pipeline's work.

For each segment of a device (a span in which nobody comes or goes, within one window):
    energy = baseline + active,  baseline = min(energy, idle power x time)
    baseline, capacity money and embodied carbon go by time held, the time nobody held to `idle`;
    active energy goes by activity, else by time held, and to `unattributed` when nobody held the device;
    electricity, carbon and water follow the energy; pools and facility are `overhead` of the site.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from aiobserve.attribution.block import Charged, Measured, blocks_of, charge, measure
from aiobserve.attribution.charges import Rows, joined, sum_by
from aiobserve.attribution.factors import Factors, factors_of, pue_of
from aiobserve.attribution.inputs import SiteInputs
from aiobserve.attribution.overhead import Overhead, facility_overhead, pool_overhead, unused_commitment
from aiobserve.domain.account import MEASURES
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
    lines = _overhead(inputs, measured)
    factors = factors_of(inputs, sum((line.energy_millij for line in lines), _it_millij(inputs, measured)))
    charged = [charge(one, inputs.edge_s, factors) for one in measured]
    charged += [_charged(line, inputs.edge_s, factors) for line in lines]
    return Attribution(joined([one.rows for one in charged]), _metered(inputs, charged), tuple(measured), factors)


def _it_millij(inputs: SiteInputs, measured: list[Measured]) -> Int64Array:
    windows = len(inputs.edge_s) - 1
    of_blocks = (sum_by(one.segments.window, one.drawn.energy_millij, windows) for one in measured)
    return sum(of_blocks, np.zeros(windows, dtype=np.int64))


def _overhead(inputs: SiteInputs, measured: list[Measured]) -> list[Overhead]:
    """Return pools, facility and unused commitments of the site."""
    windows = len(inputs.edge_s) - 1
    pools = [pool_overhead(pool) for pool in inputs.pools]
    error, paid = np.zeros(windows, dtype=np.int64), np.zeros(windows, dtype=np.int64)
    pue, worst = pue_of(inputs)
    for one in measured:
        window, energy = one.segments.window, one.drawn
        error += sum_by(window, energy.error_millij, windows)
        paid += sum_by(window, energy.energy_millij * one.paid_apart, windows)
        np.maximum.at(worst, window, energy.quality)
    it_millij = _it_millij(inputs, measured)
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
    nothing = np.zeros(len(inputs.edge_s) - 1, dtype=np.int64)
    sums = {name: sum((one.metered.get(name, nothing) for one in charged), nothing) for name in MEASURES}
    metered = pd.DataFrame({"window_start_s": inputs.edge_s[:-1], **sums})
    return metered[(metered[list(MEASURES)] != 0).any(axis=1)].reset_index(drop=True)
