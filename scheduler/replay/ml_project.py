"""The "ML project" jobs of Let's Wait Awhile: a year of trainings that are submitted on workdays and may wait.

The jobs are made, not recorded: 3387 of them, 4 to 90 hours long, by the authors' protocol and its random numbers.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

import numpy as np
import numpy.typing as npt

from aiobserve.domain.units import HOURS_PER_DAY, SECONDS_PER_DAY, SECONDS_PER_HOUR, SECONDS_PER_MINUTE

Int64Array = npt.NDArray[np.int64]

JOBS = 3387
OPENS_H, CLOSES_H = 9, 17
LEAST_H, MOST_H = 4, 90
FRIDAY, SATURDAY, SUNDAY = 4, 5, 6
MONDAY, THURSDAY = 0, 3
WORKDAYS = 5
RULES = ("next_workday", "semi_weekly")


@dataclass(frozen=True)
class Trainings:
    """Arrival and length of each job in slots after the start of the year, shape (jobs,), in order of arrival."""

    arrival: Int64Array
    length: Int64Array


def ml_project(rng: np.random.Generator, *, year_at: datetime, slot_s: int, jobs: int = JOBS) -> Trainings:
    """Return the jobs of a year, on a grid of slots that divide an hour.

    Args:
        year_at: midnight of 1 January, UTC.
    """
    slot_min = slot_s // SECONDS_PER_MINUTE
    days = (year_at.replace(year=year_at.year + 1) - year_at).days
    workdays = [day for day in range(days) if (year_at + timedelta(days=day)).weekday() < WORKDAYS]
    counts = rng.multinomial(jobs, [1 / len(workdays)] * len(workdays))
    minutes = range(OPENS_H * 60, CLOSES_H * 60, slot_min)
    slots_a_day = SECONDS_PER_DAY // slot_s
    arrivals = [
        day * slots_a_day + np.sort(rng.choice(minutes, size=count)) // slot_min
        for day, count in zip(workdays, counts, strict=True)
    ]
    lengths = rng.choice(range(LEAST_H * 60, MOST_H * 60, slot_min), size=jobs) // slot_min
    return Trainings(np.concatenate(arrivals), lengths)


def finish_by(done: int, *, year_at: datetime, slot_s: int, rule: str, calendar: bool) -> int:
    """Return the slot by which a job must have ended that would end at slot `done` if it started at once.

    Args:
        rule: `next_workday`: 09:00 of the next workday when it would end outside working hours, else no later than
            `done`; `semi_weekly`: 09:00 of the next Monday or Thursday.
        calendar: True sends Friday evening to Monday; the published table sends it to Saturday.
    """
    at = year_at + timedelta(seconds=done * slot_s)
    hour = (at.hour * SECONDS_PER_HOUR + at.minute * SECONDS_PER_MINUTE) / SECONDS_PER_HOUR
    slots_a_day = HOURS_PER_DAY * SECONDS_PER_HOUR // slot_s
    days = _workday_after(at.weekday(), hour, calendar) if rule == "next_workday" else _half_week(at.weekday(), hour)
    if days is None:
        return done
    return (done // slots_a_day + days) * slots_a_day + OPENS_H * SECONDS_PER_HOUR // slot_s


def _workday_after(weekday: int, hour: float, calendar: bool) -> int | None:
    """Return days until the morning of the next workday, None when the job ends in working hours."""
    if weekday == SATURDAY:
        return 2
    if weekday == SUNDAY:
        return 1
    if hour > CLOSES_H:
        return 3 if calendar and weekday == FRIDAY else 1
    return 0 if hour < OPENS_H else None


def _half_week(weekday: int, hour: float) -> int:
    """Return days until 09:00 of the next Monday or Thursday, today included until then."""
    ahead = (day - weekday for day in (MONDAY, THURSDAY, MONDAY + 7))
    return next(days for days in ahead if days > 0 or (days == 0 and hour <= OPENS_H))
