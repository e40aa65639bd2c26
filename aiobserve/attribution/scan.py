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


@dataclass(frozen=True)
class Odd:
    """The readings before which the counter restarted, and those that follow a long gap, by their place in the series."""

    resets: Int64Array
    gaps: Int64Array


class Scanner:
    """Looks at blocks of readings, one after the other, in an array that it keeps: fresh memory costs more than the look."""

    def __init__(self, series: Series, tdp_w: FloatArray) -> None:
        self._series, self._tdp_w = series, tdp_w
        self._difference, self._answer = np.zeros(0, np.int64), np.zeros(0, bool)

    def suspects(self, first: int, last: int) -> Int64Array:
        """Return the readings of the devices [first, last) that may end an odd interval, ascending; all that do are there."""
        offset = self._series.offset[first : last + 1]
        start, stop = int(offset[0]), int(offset[-1]) - 1
        count = stop - start
        if count < 1:
            return np.zeros(0, np.int64)
        if count > len(self._answer):
            self._difference, self._answer = np.empty(count, np.int64), np.empty(count, bool)
        # Between the last reading of a device and the first of the next there is no interval.
        between = offset[1:-1] - 1 - start
        between = between[(between >= 0) & (between < count)] if between.size else between
        at_us, counter = self._series.at_us[start : stop + 1], self._series.energy_millij[start : stop + 1]

        gap_us = np.subtract(at_us[1:], at_us[:-1], out=self._difference[:count])
        gap_us[between] = MAX_GAP_US
        shortest_us, longest_us = int(np.minimum.reduce(gap_us)), int(np.maximum.reduce(gap_us))
        found = []
        if shortest_us <= 0:
            found.append(self._where(np.less_equal, gap_us, 0))
        if longest_us > MAX_GAP_US:
            found.append(self._where(np.greater, gap_us, MAX_GAP_US))

        plausible = float(self._tdp_w[first:last].min()) * LIMIT_MILLIJ_PER_W_US * max(shortest_us, 0)
        step = np.subtract(counter[1:], counter[:-1], out=self._difference.view(np.float64)[:count])
        step[between] = 0.0
        # Read as unsigned integers, the bits of numbers that are not negative are in the order of the numbers, and those
        # of negative ones and of not-a-number are above them all: one comparison answers three questions.
        found.append(self._where(np.greater, step.view(np.uint64), np.float64(plausible).view(np.uint64)))
        odd = found[0] if len(found) == 1 else np.unique(np.concatenate(found))
        return odd + (start + 1)

    def _where(self, question: np.ufunc, values: npt.NDArray[np.generic], limit: object) -> Int64Array:
        """Return the places of the values of which the answer is yes."""
        answer: BoolArray = question(values, limit, out=self._answer[: len(values)])
        return answer.nonzero()[0]


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
