"""Look at every reading once, and find the few intervals between readings that are out of the ordinary.

Almost every interval is ordinary: the clock went on, by less than a long gap, and the counter rose by no more than the
board can draw. So extremes are asked for first, and single intervals only where an extreme says that some are odd.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from aiobserve.attribution.integrate import MAX_GAP_S, POWER_ENVELOPE
from aiobserve.attribution.series import Series
from aiobserve.domain.units import MICROSECONDS_PER_SECOND, MILLIJ_PER_J

FloatArray = npt.NDArray[np.float64]
Int64Array = npt.NDArray[np.int64]
BoolArray = npt.NDArray[np.bool_]

LIMIT_MILLIJ_PER_W_US = POWER_ENVELOPE * MILLIJ_PER_J / MICROSECONDS_PER_SECOND
MAX_GAP_US = int(MAX_GAP_S * MICROSECONDS_PER_SECOND)
# So many intervals, evenly spread over a block, have their largest step looked at together.
TOGETHER = 16


@dataclass(frozen=True)
class Odd:
    """The readings before which the counter restarted, and those that follow a long gap, by their place in the series."""

    resets: Int64Array
    gaps: Int64Array


class Scanner:
    """Looks at blocks of readings, one after the other, in two arrays that it keeps: fresh memory costs more than the look."""

    def __init__(self, series: Series, tdp_w: FloatArray) -> None:
        self._series, self._tdp_w = series, tdp_w
        self._step, self._gap_us = np.zeros(0), np.zeros(0, np.int64)

    def suspects(self, first: int, last: int) -> Int64Array:
        """Return the readings of the devices [first, last) that may end an odd interval, ascending; all that do are there."""
        offset = self._series.offset[first : last + 1]
        start, stop = int(offset[0]), int(offset[-1]) - 1
        if stop <= start:
            return np.zeros(0, np.int64)
        step, gap_us = self._differences(start, stop)
        if len(offset) > 2:
            # Between the last reading of a device and the first of the next there is no interval.
            between = offset[1:-1] - 1 - start
            between = between[(between >= 0) & (between < len(step))]
            step[between], gap_us[between] = 0.0, MAX_GAP_US
        shortest_us, longest_us = int(gap_us.min()), int(gap_us.max())
        plausible = float(self._tdp_w[first:last].min()) * LIMIT_MILLIJ_PER_W_US * max(shortest_us, 0)
        found = [_above(step, plausible)]
        if shortest_us <= 0:
            found.append(np.flatnonzero(gap_us <= 0))
        if longest_us > MAX_GAP_US:
            found.append(np.flatnonzero(gap_us > MAX_GAP_US))
        odd = np.sort(found[0]) if len(found) == 1 else np.unique(np.concatenate(found))
        return odd + (start + 1)

    def _differences(self, start: int, stop: int) -> tuple[FloatArray, Int64Array]:
        count = stop - start
        if count > len(self._step):
            self._step, self._gap_us = np.empty(count), np.empty(count, np.int64)
        counter, at_us = self._series.energy_millij, self._series.at_us
        return (
            np.subtract(counter[start + 1 : stop + 1], counter[start:stop], out=self._step[:count]),
            np.subtract(at_us[start + 1 : stop + 1], at_us[start:stop], out=self._gap_us[:count]),
        )


def _above(step: FloatArray, limit: float) -> Int64Array:
    """Return where a step is negative, not a number, or above the limit, in any order.

    Read as unsigned integers, the bits of floating-point numbers that are not negative are in the order of the numbers;
    those of negative ones and of not-a-number are above them all. So one comparison answers all three questions.
    """
    bits = step.view(np.uint64)
    most = np.float64(limit).view(np.uint64)
    rows = len(bits) // TOGETHER
    body = rows * TOGETHER
    largest = np.maximum.reduce(bits[:body].reshape(TOGETHER, rows), axis=0)
    columns = np.flatnonzero(largest > most)
    places = (columns + np.arange(TOGETHER)[:, None] * rows).ravel()
    return np.concatenate([places[bits[places] > most], body + np.flatnonzero(bits[body:] > most)])


def judge(series: Series, after: Int64Array, tdp_w: FloatArray, careful: BoolArray) -> Odd:
    """Tell restarts and long gaps among the suspected readings; marks the devices that need care in `careful`."""
    device = np.searchsorted(series.offset, after, side="right") - 1
    counter = series.energy_millij[after]
    step = counter - series.energy_millij[after - 1]
    gap_us = series.at_us[after] - series.at_us[after - 1]
    reset = step < 0
    # A restarted counter is worth its new reading.
    worth = np.where(reset, counter, step)
    limit = tdp_w[device] * LIMIT_MILLIJ_PER_W_US * gap_us
    careful[device[~((gap_us > 0) & (worth <= limit))]] = True
    return Odd(after[reset], after[(gap_us > MAX_GAP_US) & ~reset])
