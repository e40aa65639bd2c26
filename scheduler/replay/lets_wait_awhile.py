"""Let's Wait Awhile, scenario "ML project": what waiting saves, as published and as an honest scheduler would.

Paper mode keeps two quirks of the published code: the forecast reaches one slot too far, so that a job may end late and
the baseline takes the better of two starts, and Friday evening's next workday is Saturday. Honest mode has neither,
plans jobs as they arrive on a limited number of seats, and pays for every resume.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

import numpy as np
import numpy.typing as npt

from aiobserve.domain.units import SECONDS_PER_DAY
from scheduler.forecasting.smooth import best_width, smoothed
from scheduler.replay.ml_project import RULES, Trainings, finish_by, ml_project
from scheduler.replay.seats import Seats

FloatArray = npt.NDArray[np.float64]
Int64Array = npt.NDArray[np.int64]

# More resumes than this never paid on other seeds.
MAX_RESUMES = 4
# The forecast that a scheduler holds when the year begins, on which the smoothing is chosen.
LOOK_DAYS = 7


class NoWholeYear(ValueError):
    """The signal does not cover a calendar year and the days after it that jobs may run into."""


@dataclass(frozen=True)
class Cell:
    """One row of the table.

    Attributes:
        saving_percent: of the carbon of the baseline; mean over the seeds.
        optimum_percent: the same with perfect knowledge, free pauses and any number of seats.
        peak_jobs: most jobs at once in any seed.
        mean_pieces, most_pieces: pieces a job, mean and the most in any seed.
        missed_deadlines: jobs that ended late, all seeds together.
    """

    row: str
    saving_percent: float
    optimum_percent: float
    peak_jobs: int
    baseline_peak_jobs: int
    mean_pieces: float
    most_pieces: int
    missed_deadlines: int
    jobs: int
    seeds: int


@dataclass(frozen=True)
class Project:
    """The jobs of a year on the slots of a signal: arrival, length and the slot by which each must have ended."""

    jobs: Trainings
    deadline: Int64Array
    g_per_kwh: FloatArray

    def at_once_g(self) -> FloatArray:
        """Return what each job costs when it starts at once, in units of the signal, shape (jobs,)."""
        before = np.r_[0.0, np.cumsum(self.g_per_kwh)]
        return before[self.jobs.arrival + self.jobs.length] - before[self.jobs.arrival]

    def peak(self) -> int:
        """Return how many jobs run at once at most when all start at once."""
        return int(_running(len(self.g_per_kwh), self.jobs.arrival, self.jobs.arrival + self.jobs.length).max())


def project(g_per_kwh: FloatArray, *, year_at: datetime, slot_s: int, rule: str, calendar: bool) -> Project:
    """Return the jobs of the year that begins with the signal, under one rule of waiting.

    Raises:
        NoWholeYear: the signal ends before a job might.
    """
    jobs = ml_project(np.random.default_rng(0), year_at=year_at, slot_s=slot_s)
    done = jobs.arrival + jobs.length
    deadline = np.array(
        [finish_by(int(slot), year_at=year_at, slot_s=slot_s, rule=rule, calendar=calendar) for slot in done]
    )
    # One slot more, because the published forecasts reach one slot too far.
    if deadline.max() + 1 > len(g_per_kwh):
        missing = (int(deadline.max()) + 1 - len(g_per_kwh)) * slot_s / SECONDS_PER_DAY
        raise NoWholeYear(
            f"jobs of {year_at.year} run {missing:.1f} days past the end of the signal; give a longer one"
        )
    return Project(jobs, deadline, g_per_kwh)


def paper_cells(
    g_per_kwh: FloatArray, *, year_at: datetime, slot_s: int, error: float, seeds: Sequence[int]
) -> Iterator[Cell]:
    """Yield the four cells of the published table.

    Args:
        g_per_kwh: intensity from 1 January on, shape (n,).
        error: standard deviation of the forecast's noise as a share of the mean intensity.
    """
    for rule in RULES:
        one = project(g_per_kwh, year_at=year_at, slot_s=slot_s, rule=rule, calendar=False)
        late = Project(one.jobs, one.deadline + 1, g_per_kwh)
        two_starts = np.minimum(late.at_once_g(), _shifted(late).at_once_g())
        for interruptible in (False, True):
            place = _cheapest_slots if interruptible else _cheapest_run
            placed = [place(late, _noisy(g_per_kwh, error, seed)) for seed in seeds]
            yield cell(rule, interruptible, late, placed, float(two_starts.sum()), one.deadline)


def honest_cells(
    g_per_kwh: FloatArray,
    *,
    year_at: datetime,
    slot_s: int,
    error: float,
    seeds: Sequence[int],
    seats: int | None,
    resume_s: float,
    max_pieces: int = MAX_RESUMES + 1,
) -> Iterator[Cell]:
    """Yield the four cells with strict deadlines, a calendar, seats, lost time at every resume and no look-ahead.

    Args:
        seats: how many jobs may run at once; the peak of the baseline when None.
        max_pieces: of an interruptible job, unless only more keep a promise.
    """
    for rule in RULES:
        one = project(g_per_kwh, year_at=year_at, slot_s=slot_s, rule=rule, calendar=True)
        baseline = float(one.at_once_g().sum())
        for interruptible in (False, True):
            placed = [
                _on_seats(
                    one,
                    _smoothed(_noisy(g_per_kwh, error, seed), error * float(g_per_kwh.mean()), slot_s),
                    seats=one.peak() if seats is None else seats,
                    max_resumes=max_pieces - 1 if interruptible else 0,
                    resume_slots=resume_s / slot_s,
                )
                for seed in seeds
            ]
            yield cell(rule, interruptible, one, placed, baseline, one.deadline)


@dataclass(frozen=True)
class Placed:
    """Where the jobs of one seed ran: their carbon, how many ran at once at most, the pieces of each, and where it ended."""

    carbon: float
    peak: int
    pieces: Int64Array
    end: Int64Array

    @classmethod
    def of_spans(
        cls,
        one: Project,
        spans: Sequence[tuple[tuple[int, int], ...]],
        last_filled: Sequence[float] | None = None,
    ) -> "Placed":
        """Return what the pieces of each job came to; the last slot of each may be used in part."""
        g = one.g_per_kwh
        first = np.array([piece[0] for pieces in spans for piece in pieces])
        end = np.array([piece[1] for pieces in spans for piece in pieces])
        last = np.array([pieces[-1][1] for pieces in spans])
        before = np.r_[0.0, np.cumsum(g)]
        unused = 0.0 if last_filled is None else float(((1.0 - np.array(last_filled)) * g[last - 1]).sum())
        return cls(
            carbon=float((before[end] - before[first]).sum()) - unused,
            peak=int(_running(len(g), first, end).max()),
            pieces=np.array([len(pieces) for pieces in spans]),
            end=last,
        )


def _cheapest_run(one: Project, forecast: FloatArray) -> Placed:
    before, actual = (np.r_[0.0, np.cumsum(values)] for values in (forecast, one.g_per_kwh))
    start = one.jobs.arrival.copy()
    for k, (arrival, length, deadline) in enumerate(rows(one)):
        totals = before[arrival + length : deadline + 1] - before[arrival : deadline + 1 - length]
        start[k] += int(totals.argmin())
    end = start + one.jobs.length
    carbon = float((actual[end] - actual[start]).sum())
    return Placed(carbon, int(_running(len(forecast), start, end).max()), np.ones_like(end), end)


def _cheapest_slots(one: Project, forecast: FloatArray) -> Placed:
    running, end, carbon = np.zeros(len(forecast), dtype=np.int64), one.jobs.arrival.copy(), 0.0
    pieces = np.ones_like(end)
    for k, (arrival, length, deadline) in enumerate(rows(one)):
        window = forecast[arrival:deadline]
        slots = np.sort(np.argpartition(window, length - 1)[:length]) + arrival
        running[slots] += 1
        carbon += float(one.g_per_kwh[slots].sum())
        pieces[k] += int((np.diff(slots) > 1).sum())
        end[k] = slots[-1] + 1
    return Placed(carbon, int(running.max()), pieces, end)


def _on_seats(one: Project, forecast: FloatArray, *, seats: int, max_resumes: int, resume_slots: float) -> Placed:
    pool = Seats(forecast, seats=seats, max_resumes=max_resumes, resume_slots=resume_slots)
    held = [
        pool.submit(arrival, deadline=deadline, work_slots=float(length)) for arrival, length, deadline in rows(one)
    ]
    return Placed.of_spans(one, [job.spans for job in held], [job.last_filled for job in held])


def cell(
    rule: str,
    interruptible: bool,
    one: Project,
    placed: Sequence[Placed],
    baseline: float,
    deadline: Int64Array,
    *,
    suffix: str = "",
) -> Cell:
    """Return the row of one rule from where its jobs ran, one placement a seed."""
    best = (_cheapest_slots if interruptible else _cheapest_run)(one, one.g_per_kwh)
    return Cell(
        row=(f"{rule}_interruptible" if interruptible else rule) + suffix,
        saving_percent=float(100 * (1 - np.mean([run.carbon for run in placed]) / baseline)),
        optimum_percent=float(100 * (1 - best.carbon / baseline)),
        peak_jobs=max(run.peak for run in placed),
        baseline_peak_jobs=one.peak(),
        mean_pieces=float(np.mean([run.pieces.mean() for run in placed])),
        most_pieces=max(int(run.pieces.max()) for run in placed),
        missed_deadlines=int(sum((run.end > deadline).sum() for run in placed)),
        jobs=len(one.deadline),
        seeds=len(placed),
    )


def rows(one: Project) -> Iterator[tuple[int, int, int]]:
    """Yield arrival, length and deadline of each job."""
    yield from zip(one.jobs.arrival.tolist(), one.jobs.length.tolist(), one.deadline.tolist(), strict=True)


def _shifted(one: Project) -> Project:
    return Project(Trainings(one.jobs.arrival + 1, one.jobs.length), one.deadline, one.g_per_kwh)


def _noisy(g_per_kwh: FloatArray, error: float, seed: int) -> FloatArray:
    noise = np.random.default_rng(seed).normal(0, error * float(g_per_kwh.mean()), size=len(g_per_kwh))
    return g_per_kwh + noise


def _smoothed(forecast: FloatArray, error: float, slot_s: int) -> FloatArray:
    """Smooth a forecast whose error is known, as far as its first days show that this helps."""
    first = forecast[: LOOK_DAYS * SECONDS_PER_DAY // slot_s]
    return smoothed(forecast, width=best_width(first, error=error))


def _running(n: int, start: Int64Array, end: Int64Array) -> Int64Array:
    change = np.zeros(n + 1, dtype=np.int64)
    np.add.at(change, start, 1)
    np.add.at(change, end, -1)
    return np.cumsum(change)
