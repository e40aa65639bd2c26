"""Readings of many devices in one piece, and a look-up of those next to window edges."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from aiobserve.domain.units import MICROSECONDS_PER_SECOND, SECONDS_PER_DAY

FloatArray = npt.NDArray[np.float64]
Int64Array = npt.NDArray[np.int64]
BoolArray = npt.NDArray[np.bool_]


# The longest silence over which a counter's energy is spread; beyond it the power model stands in. What decides a window
# thus lies within so much of it, whichever part of a day is worked out.
BRIDGE_S = SECONDS_PER_DAY
BRIDGE_US = BRIDGE_S * MICROSECONDS_PER_SECOND


@dataclass(frozen=True)
class Series:
    """Readings of many devices, one after the other.

    Attributes:
        offset: device i has the readings [offset[i], offset[i + 1]), shape (d + 1,); a device may have none.
        at_us: epoch microseconds, shape (n,).
        energy_millij: cumulative counter, shape (n,), NaN where it was not read.
        power_w: power, shape (n,), NaN where it was not read; None where nobody needs it.
    """

    offset: Int64Array
    at_us: Int64Array
    energy_millij: FloatArray
    power_w: FloatArray | None = None

    def of(self, first: int, last: int) -> "Series":
        """Return the readings of the devices [first, last), without copying them."""
        start, stop = int(self.offset[first]), int(self.offset[last])
        power_w = None if self.power_w is None else self.power_w[start:stop]
        offset = self.offset[first : last + 1] - start
        return Series(offset, self.at_us[start:stop], self.energy_millij[start:stop], power_w)


class Near:
    """The readings on either side of each edge, shape (e,) each; filled device by device.

    An edge before its device's first reading or after its last is given the two readings that are nearest to it.
    """

    def __init__(self, edge_us: Int64Array) -> None:
        count = len(edge_us)
        self.edge_us = edge_us
        self.left, self.left_us = np.zeros(count, dtype=np.int64), np.zeros(count, dtype=np.int64)
        # Where nothing is filled in, no edge lies between the two.
        self.right_us = np.full(count, -1, dtype=np.int64)
        self.before, self.after = np.zeros(count), np.zeros(count)

    def fill(self, edges: slice, series: Series, first: int, last: int) -> None:
        """Look up some edges in the readings [first, last) of their device, at least two, while these are in the cache."""
        at_us, counter = series.at_us[first:last], series.energy_millij[first:last]
        right = at_us.searchsorted(self.edge_us[edges], side="right")
        np.maximum(right, 1, out=right)
        np.minimum(right, last - first - 1, out=right)
        at_us.take(right, out=self.right_us[edges], mode="clip")
        counter.take(right, out=self.after[edges], mode="clip")
        right -= 1
        at_us.take(right, out=self.left_us[edges], mode="clip")
        counter.take(right, out=self.before[edges], mode="clip")
        np.add(right, first, out=self.left[edges])

    @property
    def known(self) -> BoolArray:
        """Return whether the readings span each edge; a silence too long to bridge says nothing of an edge inside it."""
        spanned = (self.edge_us >= self.left_us) & (self.edge_us <= self.right_us)
        return spanned & ((self.right_us - self.left_us <= BRIDGE_US) | (self.edge_us == self.left_us))
