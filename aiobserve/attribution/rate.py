"""The value of a dated price or factor in each window, with a stated fallback where it is missing."""

import numpy as np
import numpy.typing as npt

from aiobserve.domain.quality import Quality
from aiobserve.domain.signal import SignalMissing, StepSignal
from aiobserve.domain.units import SECONDS_PER_DAY

FloatArray = npt.NDArray[np.float64]


def value_in_windows(
    signal: StepSignal, start_s: npt.NDArray[np.int64], *, what: str
) -> tuple[FloatArray, npt.NDArray[np.int8]]:
    """Return the signal at each window start, filled where it has holes, and the quality of each value.

    A hole is filled with the last value of the day before it (estimated), else with the mean of the signal
    (assumed). The fill is marked, never silent.

    Raises:
        SignalMissing: the signal has no value at all; the message names `what` and what to do.
    """
    if not signal.value.size:
        raise SignalMissing(f"no {what} is known; import it, then attribute again")
    value, quality = signal.at(start_s)
    holes = np.flatnonzero(np.isnan(value))
    if holes.size:
        before = np.searchsorted(signal.end_s, start_s[holes], side="right") - 1
        recent = (before >= 0) & (start_s[holes] - signal.end_s[np.maximum(before, 0)] < SECONDS_PER_DAY)
        value[holes] = np.where(recent, signal.value[np.maximum(before, 0)], signal.value.mean())
        quality[holes] = np.where(recent, Quality.ESTIMATED, Quality.ASSUMED)
    return value, quality
