"""Step signals: a value that holds from one instant until the next, and is never extrapolated."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from aiobserve.domain.quality import Quality


class SignalMissing(LookupError):
    """A signal has no value at an instant at which one was asked for."""


@dataclass(frozen=True)
class StepSignal:
    """Values of one signal in order of time.

    Attributes:
        start_s, end_s: epoch seconds of each step, shape (n,), half-open, sorted, not overlapping.
        value: the value of each step, shape (n,), in the unit of the signal's kind.
        quality: `Quality` of each step, shape (n,), int8.
        source: where the values came from, in words, for `explain`.
    """

    start_s: npt.NDArray[np.int64]
    end_s: npt.NDArray[np.int64]
    value: npt.NDArray[np.float64]
    quality: npt.NDArray[np.int8]
    source: str

    @classmethod
    def constant(cls, value: float, *, quality: Quality, source: str) -> "StepSignal":
        """Return a signal that holds one value for all time."""
        return cls(
            start_s=np.array([np.iinfo(np.int64).min // 2]),
            end_s=np.array([np.iinfo(np.int64).max // 2]),
            value=np.array([value], dtype=np.float64),
            quality=np.array([quality], dtype=np.int8),
            source=source,
        )

    @classmethod
    def empty(cls) -> "StepSignal":
        """Return a signal of which nothing is known."""
        nothing = np.zeros(0, dtype=np.int64)
        return cls(nothing, nothing, np.zeros(0), np.zeros(0, dtype=np.int8), "none")

    def at(self, at_s: npt.NDArray[np.int64]) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.int8]]:
        """Return value and quality at each instant; NaN and ASSUMED where no step holds."""
        value = np.full(at_s.shape, np.nan)
        quality = np.full(at_s.shape, Quality.ASSUMED, dtype=np.int8)
        if not self.start_s.size:
            return value, quality
        step = np.searchsorted(self.start_s, at_s, side="right") - 1
        held = (step >= 0) & (at_s < self.end_s[np.maximum(step, 0)])
        value[held] = self.value[step[held]]
        quality[held] = self.quality[step[held]]
        return value, quality
