"""One pool's jobs as arrays: what it costs to start each job in each slot."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from aiobserve.domain.units import SECONDS_PER_HOUR

FloatArray = npt.NDArray[np.float64]
Int64Array = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Instance:
    """Jobs (m) and slots (n) of one pool.

    Attributes:
        gpus: GPUs of each job, shape (m,).
        slots_held: slots that each job occupies, the last one perhaps in part, shape (m,).
        cost: cost of starting job j in slot s, shape (m, n); infinite where it may not start.
        free_gpus: capacity, shape (n,).
    """

    gpus: Int64Array
    slots_held: Int64Array
    cost: FloatArray
    free_gpus: Int64Array


def start_costs(
    *,
    worth_per_kwh: FloatArray,
    power_kw: FloatArray,
    runtime_s: FloatArray,
    slot_s: int,
    earliest_start_s: FloatArray,
    latest_start_s: FloatArray,
) -> tuple[FloatArray, Int64Array]:
    """Return the cost matrix (m, n) and the slots that each job holds (m,).

    Args:
        worth_per_kwh: cost of a kWh in each slot, shape (n,); NaN makes every start that touches it impossible.
        power_kw, runtime_s: of each job, shape (m,).
        earliest_start_s, latest_start_s: seconds after the first slot's start between which each job must start, shape (m,);
            the latter may be infinite.
    """
    n = len(worth_per_kwh)
    held = np.maximum(np.ceil(runtime_s / slot_s).astype(np.int64), 1)
    last_s = runtime_s - (held - 1) * slot_s
    kwh_per_full_slot = power_kw * _hours(slot_s)
    kwh_in_last_slot = power_kw * _hours(last_s)
    unknown = np.isnan(worth_per_kwh)
    before = np.r_[0.0, np.cumsum(np.where(unknown, 0.0, worth_per_kwh))]
    unknown_before = np.r_[0, np.cumsum(unknown)]
    start = np.arange(n)
    last = start[None, :] + held[:, None] - 1
    fits = last < n
    last = np.minimum(last, n - 1)
    cost = kwh_per_full_slot[:, None] * (before[last] - before[start]) + kwh_in_last_slot[:, None] * worth_per_kwh[last]
    allowed = fits & (start[None, :] * slot_s <= latest_start_s[:, None])
    allowed &= start[None, :] * slot_s >= earliest_start_s[:, None]
    allowed &= unknown_before[last + 1] == unknown_before[start]
    return np.where(allowed, cost, np.inf), held


def _hours(seconds: FloatArray | int) -> FloatArray:
    return np.asarray(seconds / SECONDS_PER_HOUR, dtype=np.float64)
