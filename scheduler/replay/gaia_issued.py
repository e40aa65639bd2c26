"""Suspending and resuming jobs of known length by forecasts as they were issued, planned once or again every hour."""

from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from scheduler.replay.gaia import TICKS_PER_HOUR, Trace
from scheduler.replay.gaia_policies import cleanest_ticks
from scheduler.replay.spans import Spans, add

FloatArray = npt.NDArray[np.float64]
# What is believed in an hour about the hours from it on.
Belief = Callable[[int], FloatArray]

ONCE, DAILY, HOURLY = 1_000_000, 24, 1


def suspend_by(jobs: Trace, belief: Belief, *, every_hours: int) -> list[Spans]:
    """Return the pieces of jobs that run in the ticks that look cleanest, looking again every so many hours of the clock.

    Args:
        belief: from an hour of the signal to the forecast of it and the hours after it.
    """
    spans = []
    every = every_hours * TICKS_PER_HOUR
    for arrival, length, wait in zip(jobs.arrival.tolist(), jobs.length.tolist(), jobs.max_wait.tolist(), strict=True):
        deadline, now, left = arrival + length + wait, arrival, length
        ran: Spans = []
        while left:
            until = min((now // every + 1) * every, deadline)
            for first, end in cleanest_ticks(now, deadline, left, belief(now // TICKS_PER_HOUR)):
                add(ran, first, min(end, until))
            left = length - sum(end - first for first, end in ran)
            now = until
        spans.append(ran)
    return spans
