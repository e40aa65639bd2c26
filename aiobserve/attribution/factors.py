"""Prices, intensities, PUE and water of each window, with how well each is known."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from aiobserve.attribution.inputs import SiteInputs
from aiobserve.attribution.market import market_intensity
from aiobserve.attribution.rate import value_in_windows
from aiobserve.domain.units import MILLIJ_PER_KWH

FloatArray = npt.NDArray[np.float64]
Int64Array = npt.NDArray[np.int64]
Int8Array = npt.NDArray[np.int8]


@dataclass(frozen=True)
class Factors:
    """What turns energy into money, carbon and water in each window, shape (w,) each."""

    usd_per_mwh: FloatArray
    usd_quality: Int8Array
    g_per_kwh: FloatArray
    g_quality: Int8Array
    market_g_per_kwh: FloatArray
    water_l_per_kwh: FloatArray


def pue_of(inputs: SiteInputs) -> tuple[FloatArray, Int8Array]:
    """Return the PUE of each window and its quality."""
    return value_in_windows(inputs.pue_ratio, inputs.edge_s[:-1], what="PUE")


def factors_of(inputs: SiteInputs, site_millij: Int64Array) -> Factors:
    """Return the factors of each window.

    Args:
        site_millij: what the whole site drew in each window, which decides how far its contracts reach, shape (w,).

    Raises:
        SignalMissing: no price, or no carbon intensity, is known at all.
    """
    start_s = inputs.edge_s[:-1]
    usd, usd_quality = value_in_windows(inputs.electricity_usd_per_mwh, start_s, what="electricity price")
    grid, grid_quality = value_in_windows(inputs.carbon_g_per_kwh, start_s, what="carbon intensity")
    residual = grid
    if inputs.residual_g_per_kwh.value.size:
        residual, _ = value_in_windows(inputs.residual_g_per_kwh, start_s, what="residual mix")
    water = np.zeros(len(start_s))
    if inputs.water_l_per_kwh.value.size:
        water, _ = value_in_windows(inputs.water_l_per_kwh, start_s, what="water use")
    market = market_intensity(start_s, site_millij / MILLIJ_PER_KWH, inputs.contracts, residual)
    return Factors(usd, usd_quality, grid, grid_quality, market, water)
