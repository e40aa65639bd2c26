"""The policies that GAIA compares, by name, and ours: from jobs and an hourly signal to the pieces in which each job runs.

Rows whose name ends in `_known` and the optimum are told each job's true length; the others know its queue's average.
"""

from collections.abc import Callable, Iterable

import numpy as np
import numpy.typing as npt

from scheduler.optimise.unknown_length import pause_table
from scheduler.replay.gaia import TICKS_PER_HOUR, Intensity, Trace
from scheduler.replay.spans import Spans, add

FloatArray = npt.NDArray[np.float64]
Int64Array = npt.NDArray[np.int64]
Chosen = Callable[[FloatArray, Int64Array], int]

ECOVISOR_QUANTILE, ECOVISOR_HOURS = 0.3, 24
# Ours decides every ten minutes by the two days that lie ahead.
STEP = TICKS_PER_HOUR // 6
SEEN_HOURS = 48
# An hour of waiting is worth so many hours of running at the mean intensity of what lies ahead; chosen on other months
# and regions than the published one.
WAIT_PRICE, PATIENT_WAIT_PRICE = 0.1, 0.01


def no_wait(jobs: Trace, signal: Intensity) -> list[Spans]:
    """Run every job when it arrives."""
    return _from_starts(jobs, jobs.arrival)


def lowest_slot(jobs: Trace, signal: Intensity) -> list[Spans]:
    """Start in the cleanest moment of the time a job may wait."""
    starts = []
    for arrival, _, _, wait in _rows(jobs):
        hours = np.arange(arrival // TICKS_PER_HOUR + 1, (arrival + wait) // TICKS_PER_HOUR + 1)
        at = np.r_[arrival, hours * TICKS_PER_HOUR]
        at = at[at < signal.end]
        starts.append(at[signal.hourly[at // TICKS_PER_HOUR].argmin()])
    return _from_starts(jobs, np.array(starts))


def lowest_window(jobs: Trace, signal: Intensity, *, known: bool = False) -> list[Spans]:
    """Start, at a whole number of hours from arrival, where a run of the expected length is cleanest."""
    return _from_starts(jobs, _best_starts(jobs, signal, known, lambda carbon, time: int(carbon.argmin())))


def carbon_time(jobs: Trace, signal: Intensity, *, known: bool = False) -> list[Spans]:
    """Start where most carbon is saved for each hour until completion."""
    return _from_starts(
        jobs, _best_starts(jobs, signal, known, lambda carbon, time: int(((carbon[0] - carbon) / time).argmax()))
    )


def ecovisor(jobs: Trace, signal: Intensity) -> list[Spans]:
    """Run in hours below the 30 % quantile of the next day, and in any once the waiting is used up."""
    every_tick = np.repeat(signal.hourly, TICKS_PER_HOUR)
    spans = []
    for arrival, length, _, wait in _rows(jobs):
        day = every_tick[arrival : arrival + ECOVISOR_HOURS * TICKS_PER_HOUR]
        dirty = signal.hourly >= float(np.quantile(day, ECOVISOR_QUANTILE))

        def pauses(tick: int, left: int, dirty: npt.NDArray[np.bool_] = dirty) -> bool:
            return bool(dirty[tick // TICKS_PER_HOUR])

        spans.append(_obey(arrival, length, wait, TICKS_PER_HOUR, pauses))
    return spans


def suspend_resume_optimum(jobs: Trace, signal: Intensity) -> list[Spans]:
    """Run in the cleanest ticks until the job must have ended, with its length known and pauses free."""
    return [
        cleanest_ticks(arrival, arrival + length + wait, length, signal.hourly[arrival // TICKS_PER_HOUR :])
        for arrival, length, _, wait in _rows(jobs)
    ]


def ours(jobs: Trace, signal: Intensity, *, wait_price: float = WAIT_PRICE) -> list[Spans]:
    """Run or pause by what is best on average for a job of unknown length, an hour of waiting having a price.

    Args:
        wait_price: hours of running at the mean intensity ahead, on one CPU, that an hour of waiting is worth.
    """
    steps_a_hour = TICKS_PER_HOUR // STEP
    by_step = np.repeat(signal.hourly, steps_a_hour)
    spans = []
    for (arrival, length, expected, wait), cpus in zip(_rows(jobs), jobs.cpus.tolist(), strict=True):
        begins = arrival // STEP
        seen = by_step[begins : begins + SEEN_HOURS * steps_a_hour]
        table = pause_table(
            cpus * seen,
            mean_slots=expected / STEP,
            waiting_slots=wait // STEP,
            wait_price=wait_price * float(seen.mean()),
        )

        def pauses(tick: int, left: int, table: npt.NDArray[np.bool_] = table, begins: int = begins) -> bool:
            step = tick // STEP - begins
            return bool(step < len(table) and table[step, left // STEP])

        spans.append(_obey(arrival, length, wait, STEP, pauses))
    return spans


def cleanest_ticks(now: int, deadline: int, left: int, hourly: FloatArray) -> Spans:
    """Return the cleanest `left` ticks between two, earlier ones first; `hourly[0]` is the hour that holds `now`."""
    edges = np.r_[now, np.arange(now // TICKS_PER_HOUR + 1, -(-deadline // TICKS_PER_HOUR)) * TICKS_PER_HOUR, deadline]
    sizes = np.diff(edges)
    order = np.argsort(hourly[: len(sizes)], kind="stable")
    filled = np.zeros(len(sizes), dtype=np.int64)
    before = np.r_[0, np.cumsum(sizes[order])[:-1]]
    filled[order] = np.clip(left - before, 0, sizes[order])
    spans: Spans = []
    for first, ticks in zip(edges[:-1].tolist(), filled.tolist(), strict=True):
        add(spans, first, first + ticks)
    return spans


def _obey(arrival: int, length: int, wait: int, step: int, pauses: Callable[[int, int], bool]) -> Spans:
    """Run a job step by step of the clock, pausing where it is told to while it may still wait."""
    spans: Spans = []
    now, left = arrival, length
    while left:
        until = (now // step + 1) * step
        if wait > 0 and pauses(now, wait):
            paused = min(until - now, wait)
            wait, now = wait - paused, now + paused
            continue
        ran = min(until - now, left)
        add(spans, now, now + ran)
        now, left = now + ran, left - ran
    return spans


def _best_starts(jobs: Trace, signal: Intensity, known: bool, choose: Chosen) -> Int64Array:
    starts = []
    for arrival, length, expected, wait in _rows(jobs):
        believed = length if known else expected
        at = np.arange(arrival, arrival + wait + 1, TICKS_PER_HOUR)
        at = at[at + believed <= signal.end]
        starts.append(at[choose(signal.over(at, at + believed), at - arrival + believed)])
    return np.array(starts)


def _from_starts(jobs: Trace, starts: Int64Array) -> list[Spans]:
    return [[(int(first), int(first + length))] for first, length in zip(starts, jobs.length, strict=True)]


def _rows(jobs: Trace) -> Iterable[tuple[int, int, int, int]]:
    return zip(jobs.arrival.tolist(), jobs.length.tolist(), jobs.expected.tolist(), jobs.max_wait.tolist(), strict=True)
