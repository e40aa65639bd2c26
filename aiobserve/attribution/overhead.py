"""What a site draws and pays besides its devices: shared pools, and the facility around all of it."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from aiobserve.attribution.inputs import Pool
from aiobserve.domain.account import Account, Component
from aiobserve.domain.quality import Quality
from aiobserve.domain.units import MICROUSD_PER_USD, MILLIJ_PER_J, SECONDS_PER_HOUR
from aiobserve.domain.window import WINDOW_S

FloatArray = npt.NDArray[np.float64]
Int64Array = npt.NDArray[np.int64]
Int8Array = npt.NDArray[np.int8]


@dataclass(frozen=True)
class Overhead:
    """One line of a site's overhead by window, shape (w,) each.

    `paid_millij` is the part of the energy whose electricity is bought apart.
    """

    kind: Account
    component: Component
    pool_id: int
    energy_millij: Int64Array
    error_millij: Int64Array
    paid_millij: Int64Array
    capacity_microusd: Int64Array
    list_capacity_microusd: Int64Array
    energy_quality: Int8Array


def pool_overhead(pool: Pool) -> Overhead:
    """Return what a shared pool draws and costs in each window."""
    energy = np.rint(pool.power_w * (MILLIJ_PER_J * WINDOW_S)).astype(np.int64)
    cost = np.rint(pool.usd_per_hour * (MICROUSD_PER_USD * WINDOW_S / SECONDS_PER_HOUR)).astype(np.int64)
    paid = np.zeros_like(energy) if pool.includes_electricity else energy
    # Nothing is known of how well a declared or metered pool power is known but its quality; a model is off by half.
    error = np.where(pool.power_quality == Quality.MEASURED, 0, energy // 2)
    return Overhead(Account.OVERHEAD, pool.component, pool.pool_id, energy, error, paid, cost, cost, pool.power_quality)


def facility_overhead(
    it_millij: Int64Array, it_error_millij: Int64Array, paid_millij: Int64Array, pue: FloatArray, quality: Int8Array
) -> Overhead:
    """Return the facility's part: IT energy x (PUE - 1); it is bought with the IT electricity that is bought apart."""
    nothing = np.zeros_like(it_millij)
    return Overhead(
        Account.OVERHEAD,
        Component.FACILITY,
        -1,
        np.rint(it_millij * (pue - 1)).astype(np.int64),
        np.rint(it_error_millij * (pue - 1)).astype(np.int64),
        np.rint(paid_millij * (pue - 1)).astype(np.int64),
        nothing,
        nothing,
        quality,
    )


def unused_commitment(unused_usd: FloatArray) -> Overhead:
    """Return what was committed to and not used: it idles, and has no list price."""
    nothing = np.zeros(len(unused_usd), dtype=np.int64)
    cost = np.rint(unused_usd * MICROUSD_PER_USD).astype(np.int64)
    measured = np.full(len(unused_usd), Quality.MEASURED, dtype=np.int8)
    return Overhead(Account.IDLE, Component.COMMITMENT, -1, nothing, nothing, nothing, cost, nothing, measured)
