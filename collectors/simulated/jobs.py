"""The jobs of the simulated company: who ran what, where, and what waits at the end."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

import numpy as np

from aiobserve.domain.units import SECONDS_PER_DAY, SECONDS_PER_HOUR
from collectors.simulated.company import FORGOTTEN, FORGOTTEN_GPU, GPUS, NOW_AT, SPAN
from collectors.simulated.lanes import LANES, Lane, Work
from collectors.simulated.random_streams import stream
from collectors.simulated.shapes import LOG_DURATION_SIGMA

OFFICE_HOURS = (8, 18)
# New York's afternoon peak, when PJM is dearest.
EVENING_FROM_H, EVENING_LENGTH_H = 17, 3
FAIL_SHARE, REQUEUE_SHARE = 0.06, 0.04
LONGEST_S = 4 * SECONDS_PER_DAY
WAITING_JOBS = 44


@dataclass(frozen=True)
class Run:
    """One attempt of a job on a lane, in epoch seconds."""

    key: str
    name: str
    lane: Lane
    work: Work
    attempt: int
    state: str
    submitted_s: int
    start_s: int
    end_s: int
    utilisation: float


@lru_cache(maxsize=4)
def runs(seed: int) -> tuple[Run, ...]:
    """Return every run of the 90 days in order of lane and time. The last attempt's end may lie after the span."""
    return tuple(run for lane in LANES for run in PATTERNS[lane.pattern](lane, seed))


def _renewal(lane: Lane, seed: int) -> list[Run]:
    rng = stream(seed, "lane", lane.name)
    weights = np.array([work.weight for work in lane.works])
    found: list[Run] = []
    at_s, end_s = int(SPAN.start_at.timestamp()), int(SPAN.end_at.timestamp())
    mean_s = lane.median_s * float(np.exp(LOG_DURATION_SIGMA**2 / 2))
    pause_s = mean_s * (1 - lane.busy_share) / lane.busy_share
    number = 0
    while True:
        at_s += int(rng.exponential(pause_s)) + 60
        length_s = int(np.clip(lane.median_s * np.exp(rng.normal(0, LOG_DURATION_SIGMA)), 300, LONGEST_S))
        work = lane.works[int(rng.choice(len(lane.works), p=weights / weights.sum()))]
        outcome = float(rng.random())
        utilisation = float(np.clip(work.utilisation + rng.normal(0, 0.06), 0.2, 1.0))
        if at_s >= end_s:
            return found
        if at_s + length_s > end_s:
            length_s = max(end_s - at_s, 60)
        if _forgotten(lane, at_s, at_s + length_s):
            at_s = int(FORGOTTEN.end_at.timestamp())
            continue
        number += 1
        found += _attempts(lane, work, number, at_s, length_s, outcome, utilisation)
        at_s = found[-1].end_s


def _attempts(
    lane: Lane, work: Work, number: int, at_s: int, length_s: int, outcome: float, utilisation: float
) -> list[Run]:
    """Return one run, or two when the first was preempted and requeued."""
    name = f"{work.workload_type.replace('_', '-')}-{work.model or 'adhoc'}-{lane.name}-{number:04d}"
    wait_s = 30 + number % 240
    if outcome < REQUEUE_SHARE and length_s > 2 * SECONDS_PER_HOUR:
        first_s = length_s // 3
        again_s = at_s + first_s + 120
        return [
            _run(lane, work, name, 1, "requeued", at_s - wait_s, at_s, at_s + first_s, utilisation),
            _run(
                lane,
                work,
                name,
                2,
                "completed",
                at_s + first_s,
                again_s,
                max(at_s + length_s, again_s + 60),
                utilisation,
            ),
        ]
    state = "failed" if outcome > 1 - FAIL_SHARE else "completed"
    return [_run(lane, work, name, 1, state, at_s - wait_s, at_s, at_s + length_s, utilisation)]


def _serving(lane: Lane, seed: int) -> list[Run]:
    """Return one deployment a week, round the clock."""
    (work,) = lane.works
    edges = np.arange(int(SPAN.start_at.timestamp()), int(SPAN.end_at.timestamp()), 7 * SECONDS_PER_DAY).tolist()
    edges.append(int(SPAN.end_at.timestamp()))
    return [
        _run(lane, work, f"serve-{work.model}-{number + 1:02d}", 1, "completed" if end_s < edges[-1] else "running",
             start_s, start_s, end_s, work.utilisation)
        for number, (start_s, end_s) in enumerate(zip(edges[:-1], edges[1:], strict=True))
    ]  # fmt: skip


def _office(lane: Lane, seed: int) -> list[Run]:
    """Return one reservation a week that is held round the clock; power.py lets it work in office hours only."""
    (work,) = lane.works
    return [
        _run(
            lane,
            work,
            f"workbench-{work.model}-{i + 1:02d}",
            1,
            run.state,
            run.start_s,
            run.start_s,
            run.end_s,
            work.utilisation,
        )
        for i, run in enumerate(_serving(lane, seed))
    ]


def _evening(lane: Lane, seed: int) -> list[Run]:
    """Return one batch on each working day at the hour at which electricity is dearest."""
    (work,) = lane.works
    zone = ZoneInfo(GPUS[lane.node, lane.gpus[0]].site.timezone)
    found = []
    day = SPAN.start_at.date()
    while day < SPAN.end_at.date():
        start_at = datetime(day.year, day.month, day.day, EVENING_FROM_H, tzinfo=zone)
        start_s = int(start_at.timestamp())
        end_s = min(start_s + EVENING_LENGTH_H * SECONDS_PER_HOUR, int(SPAN.end_at.timestamp()))
        if day.weekday() < 5 and start_s >= SPAN.start_at.timestamp() and end_s > start_s:
            found.append(
                _run(
                    lane, work, f"nightly-rerank-{day:%m%d}", 1, "completed", start_s, start_s, end_s, work.utilisation
                )
            )
        day += timedelta(days=1)
    return found


PATTERNS = {"renewal": _renewal, "serving": _serving, "office": _office, "evening": _evening}


def _run(
    lane: Lane,
    work: Work,
    name: str,
    attempt: int,
    state: str,
    submitted_s: int,
    start_s: int,
    end_s: int,
    utilisation: float,
) -> Run:
    return Run(f"{name}:{attempt}", name, lane, work, attempt, state, submitted_s, start_s, end_s, utilisation)


def _forgotten(lane: Lane, start_s: int, end_s: int) -> bool:
    if (lane.node, lane.gpus[0]) != FORGOTTEN_GPU:
        return False
    return start_s < FORGOTTEN.end_at.timestamp() and end_s > FORGOTTEN.start_at.timestamp()


def is_open(run: Run) -> bool:
    """Return whether the run still goes on at the company's present."""
    return run.state == "running"


@dataclass(frozen=True)
class Waiting:
    """A job that waits at the company's present, in epoch seconds; a deadline or a longest wait is its promise."""

    key: str
    name: str
    lane: Lane
    work: Work
    gpus: int
    submitted_s: int
    runtime_s: float
    deadline_s: int | None
    max_wait_s: float | None
    urgent: bool


@lru_cache(maxsize=4)
def waiting(seed: int) -> tuple[Waiting, ...]:
    """Return the jobs that wait to be planned."""
    rng = stream(seed, "waiting")
    lanes = [lane for lane in LANES if lane.pattern in ("renewal", "evening") and lane.share_millis == 1000]
    now_s = int(NOW_AT.astimezone(UTC).timestamp())
    found = []
    for number in range(WAITING_JOBS):
        lane = lanes[int(rng.integers(len(lanes)))]
        work = lane.works[int(rng.integers(len(lane.works)))]
        runtime_s = float(np.clip(lane.median_s * np.exp(rng.normal(0, 0.5)), 900, SECONDS_PER_DAY)) // 60 * 60
        slack_s = float(rng.uniform(2, 36)) * SECONDS_PER_HOUR
        urgent = number % 11 == 0
        by_deadline = number % 3 != 0
        name = f"{work.workload_type.replace('_', '-')}-{work.model or 'adhoc'}-queued-{number + 1:02d}"
        found.append(
            Waiting(
                key=f"{name}:1",
                name=name,
                lane=lane,
                work=work,
                gpus=len(lane.gpus),
                submitted_s=now_s - int(rng.integers(60, 3 * SECONDS_PER_HOUR)),
                runtime_s=runtime_s,
                deadline_s=int(now_s + runtime_s + slack_s) if by_deadline and not urgent else None,
                max_wait_s=None if by_deadline or urgent else slack_s + 3 * SECONDS_PER_HOUR,
                urgent=urgent,
            )
        )
    return tuple(found)
