"""Market-based intensity: contracts first, what they do not cover at the residual mix.

Source: GHG Protocol Scope 2 Guidance (2015), chapter 6: contractual instruments by volume, then the residual mix,
and the grid average where no residual mix is published. Matching is by window here, which is stricter than the
annual matching that the guidance allows; a certificate of a whole year is spread evenly over its hours.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

FloatArray = npt.NDArray[np.float64]
Int64Array = npt.NDArray[np.int64]


@dataclass(frozen=True)
class EnergyContract:
    """Electricity of a known origin for a site.

    Attributes:
        g_per_kwh: intensity of what is delivered.
        kwh_per_window: energy delivered in each window; None where it is a share of the site's use instead.
        share_ratio: part of the site's use that it covers, 0 to 1; used where `kwh_per_window` is None.
        valid_from_s, valid_to_s: epoch seconds between which it delivers.
    """

    name: str
    g_per_kwh: float
    kwh_per_window: float | None
    share_ratio: float
    valid_from_s: int
    valid_to_s: int


def market_intensity(
    start_s: Int64Array, used_kwh: FloatArray, contracts: tuple[EnergyContract, ...], residual_g_per_kwh: FloatArray
) -> FloatArray:
    """Return the market-based intensity of each window in g/kWh, shape (w,).

    Args:
        start_s: start of each window, shape (w,).
        used_kwh: energy of the whole site, facility included, shape (w,).
        contracts: in the order in which they are used.
        residual_g_per_kwh: intensity of what is left, shape (w,).
    """
    left = used_kwh.astype(np.float64)
    grams = np.zeros(len(left))
    for contract in contracts:
        holds = (start_s >= contract.valid_from_s) & (start_s < contract.valid_to_s)
        offered = used_kwh * contract.share_ratio if contract.kwh_per_window is None else contract.kwh_per_window
        taken = np.where(holds, np.minimum(offered, left), 0.0)
        left = left - taken
        grams += taken * contract.g_per_kwh
    grams += left * residual_g_per_kwh
    return np.where(used_kwh > 0, grams / np.where(used_kwh > 0, used_kwh, 1.0), residual_g_per_kwh)
