"""How much shifting in time can save at most, by job length (the table of "On the limitations of carbon-aware shifting")."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from scheduler.replay.clairvoyant import least_contiguous, least_interruptible, run_totals

FloatArray = npt.NDArray[np.float64]

JOB_HOURS = (1, 6, 12, 24, 48, 96, 168)


@dataclass(frozen=True)
class Limit:
    """Savings of jobs of one length, in percent of what they emit when they start at once.

    Attributes:
        defer_percent: by the best later start, without a pause.
        interrupt_extra_percent: what free pauses add to that.
        arrivals: how many arrivals were averaged, one an hour.
    """

    job_hours: int
    defer_percent: float
    interrupt_extra_percent: float
    arrivals: int


def shifting_limits(
    g_per_kwh: FloatArray, *, slack_hours: int, job_hours: Sequence[int] = JOB_HOURS
) -> Iterator[Limit]:
    """Yield the limit for each job length.

    A job of constant power arrives in every hour that leaves room for it but the last; each hour's saving over all
    zones is divided by that hour's baseline over all zones, and the hours are averaged, as the published table does.

    Args:
        g_per_kwh: hourly intensity, shape (hours, zones).

    Raises:
        SignalTooShort: a job is longer than the signal.
    """
    for hours in job_hours:
        at_once = run_totals(g_per_kwh, length=hours)[:-1]
        deferred = least_contiguous(g_per_kwh, length=hours, slack=slack_hours)[:-1]
        split = least_interruptible(g_per_kwh, length=hours, slack=slack_hours)[:-1]
        baseline = at_once.sum(axis=1)
        yield Limit(
            job_hours=hours,
            defer_percent=_percent((at_once - deferred).sum(axis=1), baseline),
            interrupt_extra_percent=_percent((deferred - split).sum(axis=1), baseline),
            arrivals=len(baseline),
        )


def _percent(saved: FloatArray, baseline: FloatArray) -> float:
    # An hour that emits nothing anywhere can save nothing.
    return float(np.mean(100 * np.divide(saved, baseline, out=np.zeros_like(saved), where=baseline > 0)))
