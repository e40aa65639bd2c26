"""The numbers behind a window's overhead: what was drawn, what of it is bought apart, and the factors that held."""

import numpy as np
import pandas as pd

from aiobserve.attribution.engine import Attribution, overhead_of
from aiobserve.attribution.factors import pue_of
from aiobserve.attribution.inputs import SiteInputs


def with_numbers(over: pd.DataFrame, inputs: SiteInputs, found: Attribution) -> pd.DataFrame:
    """Return rows of pools, facility and unused commitments of one window with what each was worked out from.

    Columns more: paid_millij, power_w, usd_per_hour (of pools, else 0); it_millij and it_error_millij (devices and pools),
    pools_millij, pue; usd_per_mwh, g_per_kwh, market_g_per_kwh, water_l_per_kwh. Needs `found.factors`.
    """
    if found.factors is None:
        return over
    devices = sum(int(one.drawn.energy_millij.sum()) for one in found.measured)
    error = sum(int(one.drawn.error_millij.sum()) for one in found.measured)
    lines = overhead_of(inputs, found.measured, np.array([devices], dtype=np.int64))
    of_pools = [line for line in lines if line.pool_id >= 0]
    pools = sum(int(line.energy_millij[0]) for line in of_pools)
    paid = {(int(line.component), line.pool_id): int(line.paid_millij[0]) for line in lines}
    declared = {pool.pool_id: (float(pool.power_w[0]), float(pool.usd_per_hour[0])) for pool in inputs.pools}
    places = list(zip(over["component"].astype(int), over["pool_id"].astype(int), strict=True))
    factors = found.factors
    return over.assign(
        paid_millij=[paid[place] for place in places],
        power_w=[declared.get(pool_id, (0.0, 0.0))[0] for _, pool_id in places],
        usd_per_hour=[declared.get(pool_id, (0.0, 0.0))[1] for _, pool_id in places],
        it_millij=devices + pools,
        it_error_millij=error + sum(int(line.error_millij[0]) for line in of_pools),
        pools_millij=pools,
        pue=float(pue_of(inputs)[0][0]),
        usd_per_mwh=float(factors.usd_per_mwh[0]),
        g_per_kwh=float(factors.g_per_kwh[0]),
        market_g_per_kwh=float(factors.market_g_per_kwh[0]),
        water_l_per_kwh=float(factors.water_l_per_kwh[0]),
    )
