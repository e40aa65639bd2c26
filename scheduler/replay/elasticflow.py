"""Elastic trainings with deadlines on a cluster, as ElasticFlow replays them: who ends in time under which policy.

A job that is declined counts as missed. GPUs are handed out at most once a slot.
"""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from aiobserve.domain.units import HOURS_PER_DAY, SECONDS_PER_HOUR
from scheduler.elastic.cluster import Cluster
from scheduler.elastic.pauses import Pauses
from scheduler.elastic.share import Choose, Training, cheapest_share, next_edge, smallest_share, worthwhile

FloatArray = npt.NDArray[np.float64]

# One GPU in so many stays free for urgent newcomers; chosen on jobs drawn anew from a trace, at other times.
SPARE_ONE_IN = 16
# In which part of the hours of a day jobs run that can wait, for the trade of deadlines and carbon.
CLEAN_SHARES = (0.75, 0.5, 0.25)


@dataclass(frozen=True)
class Elastic:
    """A recorded training: when it was submitted, by when it must end, its iterations, and its speed by GPUs."""

    key: str
    submit_s: int
    deadline_s: int
    iterations: float
    rate: dict[int, float]


@dataclass(frozen=True)
class Outcome:
    """What one policy did.

    Attributes:
        deadline_ratio: jobs that ended in time over all jobs.
        admitted_missed: jobs that were admitted and ended late.
        gpu_hours: GPU-hours in use, of all jobs that ran, also those that ended late.
    """

    policy: str
    deadline_ratio: float
    in_time: int
    admitted: int
    admitted_missed: int
    jobs: int
    gpu_hours: float
    carbon_kg: float | None = None


@dataclass(frozen=True)
class Grid:
    """Hourly intensity from the first submission on, and what a GPU draws. Beyond its end an hour is like the last."""

    g_per_kwh: FloatArray
    power_w_per_gpu: float

    def carbon_kg(self, used: Sequence[tuple[int, int, int]], origin_s: int) -> float:
        """Return the carbon of (from_s, to_s, GPUs)."""
        end_h = max((to - origin_s for _, to, _ in used), default=0) // SECONDS_PER_HOUR + 1
        hourly = np.concatenate([self.g_per_kwh, np.full(max(end_h - len(self.g_per_kwh), 0), self.g_per_kwh[-1])])
        before = np.r_[0.0, np.cumsum(hourly)]
        at = (np.array([[since, to] for since, to, _ in used]) - origin_s) / SECONDS_PER_HOUR
        gram_hours = np.diff(np.interp(at, np.arange(len(before)), before), axis=1)[:, 0]
        return float(gram_hours @ np.array([gpus for _, _, gpus in used])) * self.power_w_per_gpu / 1_000 / 1_000

    def pauses(self, clean_share: float, *, origin_s: int, slot_s: int) -> Pauses:
        """Return the hours that are dirtier than so large a share of the day that begins with them."""
        change, pause = [], []
        for hour, g in enumerate(self.g_per_kwh):
            day = self.g_per_kwh[hour : hour + HOURS_PER_DAY]
            change.append(next_edge(origin_s + hour * SECONDS_PER_HOUR, slot_s, origin_s))
            pause.append(bool(g > np.quantile(day, clean_share)))
        return Pauses([*change, change[-1] + SECONDS_PER_HOUR], [*pause, False])


def outcomes(jobs: Sequence[Elastic], *, gpus: int, slot_s: int, grid: Grid | None = None) -> Iterator[Outcome]:
    """Yield the outcome of each policy, and of none that could be beaten: what each job could do alone.

    Args:
        grid: with it carbon is reckoned, and ours also shown with pauses in dirty hours, known in advance.
    """
    spare = gpus // SPARE_ONE_IN
    yield earliest_deadline_first(jobs, gpus=gpus, slot_s=slot_s, grid=grid)
    yield promising(jobs, gpus=gpus, slot_s=slot_s, choose=smallest_share, policy="minimum_share", grid=grid)
    yield promising(jobs, gpus=gpus, slot_s=slot_s, policy="ours", spare_gpus=spare, grid=grid)
    if grid is not None:
        origin_s = min(job.submit_s for job in jobs)
        for share in CLEAN_SHARES:
            pauses = grid.pauses(share, origin_s=origin_s, slot_s=slot_s)
            name = f"ours_cleanest_{share:.0%}".rstrip("%")
            yield promising(
                jobs,
                gpus=gpus,
                slot_s=slot_s,
                policy=name,
                spare_gpus=spare,
                choose=pauses.choice(),
                grid=grid,
                pauses=pauses,
            )
    alone = sum(_alone_in_time(job, gpus) for job in jobs)
    yield Outcome("bound", alone / len(jobs), alone, alone, 0, len(jobs), 0.0)


def promising(
    jobs: Sequence[Elastic],
    *,
    gpus: int,
    slot_s: int,
    policy: str,
    choose: Choose = cheapest_share,
    spare_gpus: int = 0,
    grid: Grid | None = None,
    pauses: Pauses | None = None,
) -> Outcome:
    """Admit each job when it is submitted, if every promise can be kept, and keep them.

    Args:
        choose: how a job's share is chosen among those that keep its deadline.
    """
    queue = sorted(jobs, key=lambda job: (job.submit_s, job.deadline_s, job.key))
    origin_s = queue[0].submit_s
    cluster = Cluster(gpus, slot_s=slot_s, origin_s=origin_s, choose=choose, spare_gpus=spare_gpus, pauses=pauses)
    admitted, late, arrived = 0, 0, 0
    while arrived < len(queue) or cluster.seats:
        edge_s = cluster.next_edge_s()
        coming_s = queue[arrived].submit_s if arrived < len(queue) else None
        at_s = min(at for at in (edge_s, coming_s) if at is not None)
        ended = cluster.run_to(at_s)
        late += sum(seat.end_s is not None and seat.end_s > seat.job.deadline_s for seat in ended)
        cluster.leave(ended)
        while arrived < len(queue) and queue[arrived].submit_s <= at_s:
            one = queue[arrived]
            admitted += cluster.admit(
                Training(one.key, one.deadline_s, one.iterations, worthwhile(one.rate, gpus), one.rate)
            )
            arrived += 1
        if (at_s - cluster.origin_s) % slot_s == 0:
            cluster.hand_out()
    in_time = admitted - late
    return _outcome(policy, jobs, in_time, admitted, late, cluster.used, grid)


def earliest_deadline_first(jobs: Sequence[Elastic], *, gpus: int, slot_s: int, grid: Grid | None = None) -> Outcome:
    """Give every job as many GPUs as it can take, in order of deadline, and decline none (the published baseline)."""
    queue = sorted(jobs, key=lambda job: job.submit_s)
    left = {job.key: job.iterations for job in jobs}
    most = {job.key: min(gpus, max(job.rate, default=0)) for job in jobs}
    running: list[Elastic] = []
    used: list[tuple[int, int, int]] = []
    in_time, arrived, now = 0, 0, queue[0].submit_s
    while arrived < len(queue) or running:
        while arrived < len(queue) and queue[arrived].submit_s <= now:
            running.append(queue[arrived])
            arrived += 1
        running.sort(key=lambda job: job.deadline_s)
        held = _all_they_can_take(running, most, gpus)
        speed = {job.key: job.rate[held[job.key]] for job in running if job.key in held}
        ends = {key: math.ceil(now + left[key] / rate) for key, rate in speed.items()}
        coming = [queue[arrived].submit_s] if arrived < len(queue) else []
        if not ends and not coming:
            break
        until = max(min([*ends.values(), *coming]), now + slot_s)
        in_time += sum(job.key in ends and ends[job.key] <= min(until, job.deadline_s) for job in running)
        running = [job for job in running if ends.get(job.key, until + 1) > until]
        for key, rate in speed.items():
            left[key] -= (until - now) * rate
            used.append((now, min(ends[key], until), held[key]))
        now = until
    return _outcome("edf", jobs, in_time, len(jobs), len(jobs) - in_time, used, grid)


def _outcome(
    policy: str,
    jobs: Sequence[Elastic],
    in_time: int,
    admitted: int,
    late: int,
    used: Sequence[tuple[int, int, int]],
    grid: Grid | None,
) -> Outcome:
    hours = sum((to - since) * gpus for since, to, gpus in used) / SECONDS_PER_HOUR
    carbon_kg = grid.carbon_kg(used, min(job.submit_s for job in jobs)) if grid is not None and used else None
    return Outcome(policy, in_time / len(jobs), in_time, admitted, late, len(jobs), hours, carbon_kg)


def _all_they_can_take(jobs: Sequence[Elastic], most: dict[str, int], gpus: int) -> dict[str, int]:
    """Return the GPUs of each job that gets any: its most when they are free, else the most there are."""
    held = {}
    for job in jobs:
        level = max((count for count in job.rate if count <= min(gpus, most[job.key])), default=0)
        if level:
            held[job.key] = level
            gpus -= level
    return held


def _alone_in_time(job: Elastic, gpus: int) -> bool:
    levels = worthwhile(job.rate, gpus)
    return bool(levels) and math.ceil(job.submit_s + job.iterations / job.rate[levels[-1]]) <= job.deadline_s
