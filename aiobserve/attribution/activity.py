"""How busy each holder of a shared device was: the key by which what it drew above its idle power is split.

Activity is whatever grows with the work done: streaming-multiprocessor activity of a process, or of a MIG instance
times the instance's share of them. Only its proportion among the holders of one device counts.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from aiobserve.attribution.occupancy import Holdings
from aiobserve.attribution.segments import Segments

FloatArray = npt.NDArray[np.float64]
Int64Array = npt.NDArray[np.int64]
BoolArray = npt.NDArray[np.bool_]

# An activity of one over a second is so many units of weight.
UNITS = 1_000_000


@dataclass(frozen=True)
class Activity:
    """Readings of how busy a claimant kept a device, shape (n,) each; `level` is not negative, typically 0 to 1."""

    device: Int64Array
    claimant: Int64Array
    start_s: Int64Array
    end_s: Int64Array
    level: FloatArray

    @classmethod
    def none(cls) -> "Activity":
        """Return no readings."""
        nothing = np.zeros(0, dtype=np.int64)
        return cls(nothing, nothing, nothing, nothing, np.zeros(0))


def active_weights(activity: Activity, holdings: Holdings, segments: Segments) -> tuple[Int64Array, BoolArray]:
    """Return the weight of active energy of each shared row of `holdings`, and whether it rests on activity.

    Activity is used for a segment only where every one of its holders has a reading that touches it and not all of
    them are zero; elsewhere the time held stands in. Half a picture would charge those who are measured for those
    who are not.
    """
    alone = holdings.alone
    by_time = holdings.gpu_millis[alone:]
    if not activity.device.size or not by_time.size:
        return by_time, np.zeros(len(by_time), dtype=bool)
    segment, claimant = holdings.segment[alone:], holdings.claimant[alone:]
    numbers = int(max(claimant.max(), activity.claimant.max())) + 1
    row_key = segment * numbers + claimant
    row, touched, overlap_s = segments.touched(activity.device, activity.start_s, activity.end_s)
    key = touched * numbers + activity.claimant[row]
    place = np.searchsorted(row_key, key)
    there = (place < len(row_key)) & (row_key[np.minimum(place, len(row_key) - 1)] == key)
    weights = np.zeros(len(by_time), dtype=np.int64)
    seen = np.zeros(len(by_time), dtype=bool)
    seen[place[there]] = True
    np.add.at(weights, place[there], np.rint(activity.level[row] * overlap_s * UNITS).astype(np.int64)[there])
    start = np.flatnonzero(np.r_[True, segment[1:] != segment[:-1]])
    size = np.diff(np.r_[start, len(segment)])
    whole_picture = np.logical_and.reduceat(seen, start) & (np.add.reduceat(weights, start) > 0)
    used = np.repeat(whole_picture, size)
    return np.where(used, weights, by_time), used
