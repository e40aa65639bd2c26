"""The jobs, signal and accounts of GAIA: carbon, money and waiting of jobs that ran in given pieces.

Time is in ticks of five seconds, as in the published simulator; an hour has one intensity. A job of the short queue may
wait six hours, another a day, and of its length only the average of its queue is known when it arrives.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from aiobserve.domain.units import SECONDS_PER_HOUR
from scheduler.replay.spans import Spans

FloatArray = npt.NDArray[np.float64]
Int64Array = npt.NDArray[np.int64]

TICK_S = 5
TICKS_PER_HOUR = SECONDS_PER_HOUR // TICK_S
SHORT_HOURS = 2
WAIT_SHORT_H, WAIT_LONG_H = 6, 24
ON_DEMAND_USD_PER_H = 0.0624
RESERVED_SHARE = 0.4


class JobsOutlastSignal(ValueError):
    """A job might run past the end of the signal."""


@dataclass(frozen=True)
class Trace:
    """Jobs in order of arrival, in ticks, shape (jobs,) each.

    Attributes:
        expected: the average length of the job's queue, which is all that is known of it.
        max_wait: how long it may wait.
    """

    arrival: Int64Array
    length: Int64Array
    cpus: Int64Array
    expected: Int64Array
    max_wait: Int64Array


def trace(arrival_s: FloatArray, length_s: FloatArray, cpus: Int64Array) -> Trace:
    """Return jobs in ticks with their queues; jobs shorter than a tick are left out, as the published simulator does."""
    order = np.argsort(arrival_s, kind="stable")
    raw = length_s[order] / TICK_S
    arrival, length = (arrival_s[order] / TICK_S).astype(np.int64), raw.astype(np.int64)
    limit = SHORT_HOURS * TICKS_PER_HOUR
    is_short = length < limit
    averages = [int(raw[queue].mean()) if queue.any() else 0 for queue in (raw <= limit, raw >= limit)]
    kept = length > 0
    return Trace(
        arrival=arrival[kept],
        length=length[kept],
        cpus=cpus[order][kept],
        expected=np.where(is_short, *averages)[kept],
        max_wait=np.where(is_short, WAIT_SHORT_H * TICKS_PER_HOUR, WAIT_LONG_H * TICKS_PER_HOUR)[kept],
    )


class Intensity:
    """Hourly intensity and its integral at any tick."""

    def __init__(self, g_per_kwh: FloatArray) -> None:
        self.hourly = g_per_kwh
        self.end = len(g_per_kwh) * TICKS_PER_HOUR
        self._before = np.r_[0.0, np.cumsum(g_per_kwh) * TICKS_PER_HOUR]
        self._rate = np.r_[g_per_kwh, 0.0]

    def until(self, tick: Int64Array) -> FloatArray:
        """Return the integral from the start to each tick."""
        hour = tick // TICKS_PER_HOUR
        return self._before[hour] + self._rate[hour] * (tick % TICKS_PER_HOUR)

    def over(self, first: Int64Array, end: Int64Array) -> FloatArray:
        """Return the integral between ticks."""
        return self.until(end) - self.until(first)


@dataclass(frozen=True)
class Account:
    """What one policy came to.

    Attributes:
        carbon_g: at one watt a CPU.
        mean_wait_h: time from arrival to completion less the length of the job, mean over the jobs.
        mean_wait_per_piece_h: time from arrival to the start of each piece, mean over the pieces, as the published table
            counts the waiting of jobs that pause.
        cost_usd: reserved instances, paid whether used or not, and on-demand ones for what did not fit.
    """

    carbon_g: float
    mean_wait_h: float
    p95_wait_h: float
    mean_wait_per_piece_h: float
    cost_usd: float
    mean_pieces: float


def account(jobs: Trace, signal: Intensity, spans: Sequence[Spans], *, reserved: int) -> Account:
    """Return carbon, waiting and money of jobs that ran in these pieces.

    Raises:
        JobsOutlastSignal: a piece ends after the signal.
    """
    first = np.array([piece[0] for pieces in spans for piece in pieces])
    end = np.array([piece[1] for pieces in spans for piece in pieces])
    if end.max() > signal.end:
        late_h = (end.max() - signal.end) / TICKS_PER_HOUR
        raise JobsOutlastSignal(f"a job ends {late_h:.1f} h after the signal; give more hours")
    counts = [len(pieces) for pieces in spans]
    cpus, arrival = np.repeat(jobs.cpus, counts), np.repeat(jobs.arrival, counts)
    done = np.array([pieces[-1][1] for pieces in spans])
    wait_h = (done - jobs.arrival - jobs.length) / TICKS_PER_HOUR
    return Account(
        carbon_g=float((signal.over(first, end) * cpus).sum()) / TICKS_PER_HOUR / 1_000,
        mean_wait_h=float(wait_h.mean()),
        p95_wait_h=float(np.quantile(wait_h, 0.95)),
        mean_wait_per_piece_h=float((first - arrival).mean()) / TICKS_PER_HOUR,
        cost_usd=_cost_usd(first, end, cpus, arrival, reserved),
        mean_pieces=len(first) / len(spans),
    )


def reserved_first(jobs: Trace, latest: Int64Array, *, reserved: int) -> list[Spans]:
    """Return the pieces of jobs that start as soon as reserved instances are free, and on demand when their start has come.

    Args:
        latest: tick at which each job starts at the latest.
    """
    start = np.full(len(jobs.arrival), -1)
    releases: list[tuple[int, int]] = []
    free, now, arrived = reserved, 0, 0
    waiting: list[int] = []
    while arrived < len(start) or waiting:
        while arrived < len(start) and jobs.arrival[arrived] <= now:
            waiting.append(arrived)
            arrived += 1
        # Seats that are given back in a tick can be taken in the next one.
        free += sum(cpus for at, cpus in releases if at < now)
        releases = [one for one in releases if one[0] >= now]
        for k in list(waiting):
            if latest[k] > now and free < jobs.cpus[k]:
                continue
            start[k] = now
            waiting.remove(k)
            if free >= jobs.cpus[k]:
                free -= int(jobs.cpus[k])
                releases.append((now + int(jobs.length[k]), int(jobs.cpus[k])))
        ahead = [at + 1 for at, _ in releases] + [int(latest[k]) for k in waiting]
        if arrived < len(start):
            ahead.append(int(jobs.arrival[arrived]))
        now = max(min(ahead, default=now + 1), now + 1)
    return [[(int(first), int(first + length))] for first, length in zip(start, jobs.length, strict=True)]


def _cost_usd(first: Int64Array, end: Int64Array, cpus: Int64Array, arrival: Int64Array, reserved: int) -> float:
    """Return the money of pieces served in order of start: on reserved instances where enough are free, else on demand."""
    free, on_demand = reserved, 0
    releases: list[tuple[int, int]] = []
    for k in np.lexsort((arrival, first)):
        free += sum(count for at, count in releases if at < first[k])
        releases = [one for one in releases if one[0] >= first[k]]
        if free >= cpus[k]:
            free -= int(cpus[k])
            releases.append((int(end[k]), int(cpus[k])))
        else:
            on_demand += int(cpus[k] * (end[k] - first[k]))
    paid = on_demand + reserved * RESERVED_SHARE * float(first.max())
    return paid / TICKS_PER_HOUR * ON_DEMAND_USD_PER_H
