"""When to run and when to pause a job whose length nobody knows, only the average of its queue.

With nothing but an average known, the length is taken as exponential: then what is left is the same however long the job
ran. In each slot t with b slots of waiting left,
    V(t, b) = min( run:   worth(t) m (1 - p) + p V(t + 1, b),      p = exp(-1 / m), m the mean length in slots
                   pause: price of waiting + V(t + 1, b - 1),       while b > 0 )
and a job pauses where pausing costs less. One price of waiting moves all jobs along the same trade of carbon and time.
"""

import math

import numpy as np
import numpy.typing as npt

FloatArray = npt.NDArray[np.float64]


def pause_table(
    worth: FloatArray, *, mean_slots: float, waiting_slots: int, wait_price: float
) -> npt.NDArray[np.bool_]:
    """Return whether to pause in slot t with b slots of waiting left, shape (n, waiting_slots + 1).

    Args:
        worth: cost of running in each slot that can be seen, shape (n,); beyond it their mean is expected.
        mean_slots: average length of such jobs.
        wait_price: what a slot of waiting is worth, in the unit of `worth`.
    """
    survives = math.exp(-1 / mean_slots)
    ran = mean_slots * (1 - survives)
    value = np.full(waiting_slots + 1, float(worth.mean()) * mean_slots)
    pause = np.zeros((len(worth), waiting_slots + 1), dtype=bool)
    for slot in range(len(worth) - 1, -1, -1):
        run = worth[slot] * ran + survives * value
        paused = wait_price + value[:-1]
        pause[slot, 1:] = paused < run[1:]
        run[1:] = np.minimum(run[1:], paused)
        value = run
    return pause
