"""Put jobs into slots without ever exceeding the capacity: first fit, or by price and then one by one better."""

import numpy as np
import numpy.typing as npt

from scheduler.optimise.instance import Instance
from scheduler.optimise.prices import Priced, priced_costs

FloatArray = npt.NDArray[np.float64]
Int64Array = npt.NDArray[np.int64]

NOWHERE = -1
REINSERTIONS = 3
# Starts whose costs differ by less than this share are as good as each other; the earliest of them is taken.
TIE = 1e-9


def first_fit(gpus: Int64Array, slots_held: Int64Array, *, earliest: Int64Array, free_gpus: Int64Array) -> Int64Array:
    """Return the first start from `earliest` on of each job in the given order, NOWHERE when the horizon has no room for it.

    A later job may go before an earlier one but never delays it.
    """
    free = free_gpus.copy()
    starts = np.full(len(gpus), NOWHERE)
    for job in range(len(gpus)):
        room = _room(free, int(gpus[job]), int(slots_held[job]))
        found = np.flatnonzero(room[earliest[job] :])
        if found.size:
            starts[job] = earliest[job] + found[0]
            free[starts[job] : starts[job] + slots_held[job]] -= gpus[job]
    return starts


def place(instance: Instance, priced: Priced, *, order: Int64Array) -> Int64Array:
    """Return a start for each job, NOWHERE where none was found.

    Jobs go one by one in `order` where cost plus slot price is least; then each is taken out and put back where
    its own cost is least, for as long as that helps.
    """
    free = instance.free_gpus.copy()
    starts = np.full(len(instance.gpus), NOWHERE)
    wanted = priced_costs(instance, priced.prices)
    for job in order:
        _put(instance, int(job), wanted[job], free, starts)
    for _ in range(REINSERTIONS):
        moved = False
        for job in order:
            moved |= _put_back(instance, int(job), free, starts)
        if not moved:
            break
    return starts


def _put(instance: Instance, job: int, cost: FloatArray, free: Int64Array, starts: Int64Array) -> None:
    gpus, held = int(instance.gpus[job]), int(instance.slots_held[job])
    room = _room(free, gpus, held)
    possible = np.where(room, cost[: len(room)], np.inf)
    least = possible.min(initial=np.inf)
    if np.isinf(least):
        return
    starts[job] = int(np.argmax(possible <= least + TIE * abs(least)))
    free[starts[job] : starts[job] + held] -= gpus


def _put_back(instance: Instance, job: int, free: Int64Array, starts: Int64Array) -> bool:
    """Move a job to where it costs least now; returns whether it moved to somewhere better."""
    old = int(starts[job])
    cost = instance.cost[job]
    if old != NOWHERE:
        if cost[old] <= cost.min():
            return False
        free[old : old + instance.slots_held[job]] += instance.gpus[job]
    _put(instance, job, cost, free, starts)
    if old == NOWHERE:
        return bool(starts[job] != NOWHERE)
    return bool(cost[starts[job]] < cost[old])


def _room(free: Int64Array, gpus: int, held: int) -> npt.NDArray[np.bool_]:
    """Return for each start whether `gpus` are free in all of the `held` slots from it on, shape (n - held + 1,)."""
    enough = np.cumsum(np.concatenate([[0], free >= gpus]))
    return enough[held:] - enough[: len(enough) - held] == held
