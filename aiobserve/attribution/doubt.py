"""Intervals between two readings whose energy is not known well, and the segments that they touch."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from aiobserve.attribution.segments import Segments
from aiobserve.attribution.series import Series
from aiobserve.domain.quality import Quality
from aiobserve.domain.units import MICROSECONDS_PER_SECOND, MILLIJ_PER_J

FloatArray = npt.NDArray[np.float64]
Int64Array = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Doubt:
    """Intervals between two readings whose energy is not known well; shape (k,) each.

    `bound_millij` is the most by which the energy of a part of the interval can be off.
    """

    device: Int64Array
    start_us: Int64Array
    end_us: Int64Array
    bound_millij: FloatArray

    @classmethod
    def at(cls, series: Series, after: Int64Array, trusted: npt.NDArray[np.bool_], *, bounded: bool) -> "Doubt":
        """Return the intervals that end at some readings of trusted devices; a gap's energy is known, a reset's is not."""
        device = np.searchsorted(series.offset, after, side="right") - 1
        after, device = after[trusted[device]], device[trusted[device]]
        step = series.energy_millij[after] - series.energy_millij[after - 1]
        bound = np.abs(step) if bounded else np.full(len(after), np.inf)
        return cls(device, series.at_us[after - 1], series.at_us[after], bound)

    @classmethod
    def joined(cls, doubts: Sequence["Doubt"]) -> "Doubt":
        """Return several lists as one."""
        if len(doubts) == 1:
            return doubts[0]
        return cls(*(np.concatenate([getattr(one, name) for one in doubts]) for name in cls.__annotations__))


def mark(doubt: Doubt, segments: Segments, tdp_w: FloatArray, error: Int64Array, quality: npt.NDArray[np.int8]) -> None:
    """Mark the segments that doubtful intervals touch, and widen their band: a board draws between nothing and its TDP."""
    row, touched, overlap_us = segments.touched(
        doubt.device, doubt.start_us, doubt.end_us, units_per_s=MICROSECONDS_PER_SECOND
    )
    possible = tdp_w[doubt.device[row]] * (MILLIJ_PER_J / MICROSECONDS_PER_SECOND) * overlap_us
    np.add.at(error, touched, np.rint(np.minimum(possible, doubt.bound_millij[row])).astype(np.int64))
    quality[touched] = Quality.ESTIMATED
