"""Prices on slots: a lower bound that nobody can beat, and the prices that reach it (Lagrangian dual ascent).

minimise  sum cost(j, start j)   so that   sum of GPUs held in slot t <= free(t)
For any prices p >= 0:  sum over j of min over s [cost(j, s) + GPUs(j) x p over the slots held] - sum p x free
is a lower bound. Prices climb along the overload of each slot (Adam).
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from scheduler.optimise.instance import Instance

FloatArray = npt.NDArray[np.float64]
Int64Array = npt.NDArray[np.int64]

STEPS = 80
FIRST_STEP, LAST_STEP = 0.3, 0.005
MOMENTUM, VARIANCE, TINY = 0.8, 0.95, 1e-12


@dataclass(frozen=True)
class Priced:
    """The best bound found and the prices that gave it, per GPU and slot, shape (n,)."""

    lower_bound: float
    prices: FloatArray


def slot_prices(instance: Instance) -> Priced:
    """Return slot prices and the bound that they prove; every job must have at least one finite start."""
    n = len(instance.free_gpus)
    free = instance.free_gpus.astype(np.float64)
    if not len(instance.gpus):
        return Priced(0.0, np.zeros(n))
    lengths, of_length = np.unique(instance.slots_held, return_inverse=True)
    prices, best = np.zeros(n), Priced(-np.inf, np.zeros(n))
    first, second = np.zeros(n), np.zeros(n)
    scale = _price_scale(instance)
    for step in range(1, STEPS + 1):
        priced = priced_costs(instance, prices, lengths, of_length)
        start = priced.argmin(axis=1)
        bound = float(priced[np.arange(len(start)), start].sum() - prices @ free)
        if bound > best.lower_bound:
            best = Priced(bound, prices.copy())
        overload = held_gpus(start, instance.slots_held, instance.gpus, n) - free
        first = MOMENTUM * first + (1 - MOMENTUM) * overload
        second = VARIANCE * second + (1 - VARIANCE) * overload**2
        rate = scale * FIRST_STEP * (LAST_STEP / FIRST_STEP) ** ((step - 1) / (STEPS - 1))
        climb = first / (1 - MOMENTUM**step) / (np.sqrt(second / (1 - VARIANCE**step)) + TINY)
        prices = np.maximum(prices + rate * climb, 0.0)
    return best


def priced_costs(
    instance: Instance, prices: FloatArray, lengths: Int64Array | None = None, of_length: Int64Array | None = None
) -> FloatArray:
    """Return cost plus the price of the GPUs held, shape (m, n)."""
    if lengths is None or of_length is None:
        lengths, of_length = np.unique(instance.slots_held, return_inverse=True)
    n = len(prices)
    before = np.r_[0.0, np.cumsum(prices)]
    start = np.arange(n)
    held = before[np.minimum(start[None, :] + lengths[:, None], n)] - before[start]
    return instance.cost + instance.gpus[:, None] * held[of_length]


def held_gpus(start: Int64Array, slots_held: Int64Array, gpus: Int64Array, n: int) -> Int64Array:
    """Return the GPUs held in each slot, shape (n,), by jobs that start where `start` says."""
    change = np.zeros(n + 1, dtype=np.int64)
    np.add.at(change, start, gpus)
    np.add.at(change, np.minimum(start + slots_held, n), -gpus)
    return np.cumsum(change[:-1])


def _price_scale(instance: Instance) -> float:
    """Return a typical spread of cost per GPU and slot: the size that prices will have."""
    finite = np.where(np.isinf(instance.cost), np.nan, instance.cost)
    spread = np.nanmax(finite, axis=1) - np.nanmin(finite, axis=1)
    per_gpu_slot = spread / (instance.gpus * instance.slots_held)
    return float(np.median(per_gpu_slot)) or float(per_gpu_slot.max()) or 1.0
