"""Time as the planner sees it: slots of equal length from now on, with what each pool offers and pays in them."""

from dataclasses import dataclass
from datetime import datetime, timedelta

import numpy as np
import numpy.typing as npt

from aiobserve.domain.signal import StepSignal

FloatArray = npt.NDArray[np.float64]
Int64Array = npt.NDArray[np.int64]

# Beyond these a price or an intensity is a fault of its source, not news.
USD_PER_MWH_RANGE = (-1_000.0, 10_000.0)
G_PER_KWH_RANGE = (0.0, 2_000.0)
MAX_SIGNAL_AGE = timedelta(hours=24)


@dataclass(frozen=True)
class Forecast:
    """A signal as it was issued, sampled by slot, shape (n,); NaN where it says nothing."""

    value: FloatArray
    issued_at: datetime | None


@dataclass(frozen=True)
class Pool:
    """GPUs of one kind at one site: free GPUs in each slot, shape (n,), and the forecasts of its grid zone."""

    name: str
    free_gpus: Int64Array
    usd_per_mwh: Forecast
    g_per_kwh: Forecast
    pue_ratio: float = 1.0


@dataclass(frozen=True)
class Slots:
    """`n` slots of `slot_s` seconds each, the first of which starts now."""

    start_at: datetime
    slot_s: int
    n: int

    @property
    def end_at(self) -> datetime:
        """Return the end of the horizon."""
        return self.start_at + timedelta(seconds=self.slot_s * self.n)

    def edges_s(self) -> Int64Array:
        """Return the epoch seconds of the edges, shape (n + 1,)."""
        return int(self.start_at.timestamp()) + self.slot_s * np.arange(self.n + 1, dtype=np.int64)

    def sample(self, signal: StepSignal, issued_at: datetime | None) -> Forecast:
        """Return the mean of a step signal over each slot; NaN where any part of the slot is not covered."""
        edges_s = self.edges_s()
        points_s = np.unique(np.concatenate([edges_s, signal.start_s, signal.end_s]))
        points_s = points_s[(points_s >= edges_s[0]) & (points_s <= edges_s[-1])]
        value, _ = signal.at(points_s[:-1])
        integral = np.r_[0.0, np.cumsum(value * np.diff(points_s))]
        return Forecast(np.diff(np.interp(edges_s, points_s, integral)) / self.slot_s, issued_at)


def fault(pool: Pool, *, now_at: datetime, needs: tuple[str, ...], max_age: timedelta = MAX_SIGNAL_AGE) -> str:
    """Return why a pool's forecasts cannot be planned with, in words; empty when they can.

    Args:
        needs: which of `usd_per_mwh`, `g_per_kwh` the policy goes by.
    """
    for name, label, limits in (
        ("usd_per_mwh", "electricity price", USD_PER_MWH_RANGE),
        ("g_per_kwh", "carbon intensity", G_PER_KWH_RANGE),
    ):
        if name not in needs:
            continue
        forecast: Forecast = getattr(pool, name)
        if forecast.issued_at is None:
            return f"there is no {label} forecast"
        if now_at - forecast.issued_at > max_age:
            age_h = (now_at - forecast.issued_at) / timedelta(hours=1)
            return f"the {label} forecast is {age_h:.0f} h old, {max_age / timedelta(hours=1):.0f} h allowed"
        known = forecast.value[~np.isnan(forecast.value)]
        if not known.size:
            return f"the {label} forecast does not reach into the horizon"
        if known.min() < limits[0] or known.max() > limits[1]:
            worst = known.min() if known.min() < limits[0] else known.max()
            return f"the {label} forecast has an absurd value, {worst:g}; between {limits[0]:g} and {limits[1]:g} is believed"
    return ""
