"""Elastic trainings with deadlines on a cluster, as ElasticFlow replays them: who ends in time under which policy.

A job that is declined counts as missed. GPUs are handed out at most once a slot.
"""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from scheduler.elastic.cluster import Cluster
from scheduler.elastic.share import Choose, Training, cheapest_share, smallest_share, worthwhile

# One GPU in so many stays free for urgent newcomers; chosen on jobs drawn anew from a trace, at other times.
SPARE_ONE_IN = 16


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
    """

    policy: str
    deadline_ratio: float
    in_time: int
    admitted: int
    admitted_missed: int
    jobs: int


def outcomes(jobs: Sequence[Elastic], *, gpus: int, slot_s: int) -> Iterator[Outcome]:
    """Yield the outcome of each policy, and of none that could be beaten: what each job could do alone."""
    yield earliest_deadline_first(jobs, gpus=gpus, slot_s=slot_s)
    yield promising(jobs, gpus=gpus, slot_s=slot_s, choose=smallest_share, policy="minimum_share")
    yield promising(
        jobs, gpus=gpus, slot_s=slot_s, choose=cheapest_share, policy="ours", spare_gpus=gpus // SPARE_ONE_IN
    )
    alone = sum(_alone_in_time(job, gpus) for job in jobs)
    yield Outcome("bound", alone / len(jobs), alone, alone, 0, len(jobs))


def promising(
    jobs: Sequence[Elastic], *, gpus: int, slot_s: int, choose: Choose, policy: str, spare_gpus: int = 0
) -> Outcome:
    """Admit each job when it is submitted, if every promise can be kept, and keep them.

    Args:
        choose: how a job's share is chosen among those that keep its deadline.
    """
    queue = sorted(jobs, key=lambda job: (job.submit_s, job.deadline_s, job.key))
    cluster = Cluster(gpus, slot_s=slot_s, origin_s=queue[0].submit_s, choose=choose, spare_gpus=spare_gpus)
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
    return Outcome(policy, in_time / len(jobs), in_time, admitted, late, len(jobs))


def earliest_deadline_first(jobs: Sequence[Elastic], *, gpus: int, slot_s: int) -> Outcome:
    """Give every job as many GPUs as it can take, in order of deadline, and decline none (the published baseline)."""
    queue = sorted(jobs, key=lambda job: job.submit_s)
    left = {job.key: job.iterations for job in jobs}
    most = {job.key: min(gpus, max(job.rate, default=0)) for job in jobs}
    running: list[Elastic] = []
    in_time, arrived, now = 0, 0, queue[0].submit_s
    while arrived < len(queue) or running:
        while arrived < len(queue) and queue[arrived].submit_s <= now:
            running.append(queue[arrived])
            arrived += 1
        running.sort(key=lambda job: job.deadline_s)
        held = _all_they_can_take(running, most, gpus)
        ends = {key: math.ceil(now + left[key] / job_rate) for key, job_rate in held.items()}
        coming = [queue[arrived].submit_s] if arrived < len(queue) else []
        if not ends and not coming:
            break
        until = max(min([*ends.values(), *coming]), now + slot_s)
        in_time += sum(job.key in ends and ends[job.key] <= min(until, job.deadline_s) for job in running)
        running = [job for job in running if ends.get(job.key, until + 1) > until]
        for key, job_rate in held.items():
            left[key] -= (until - now) * job_rate
        now = until
    return Outcome("edf", in_time / len(jobs), in_time, len(jobs), len(jobs) - in_time, len(jobs))


def _all_they_can_take(jobs: Sequence[Elastic], most: dict[str, int], gpus: int) -> dict[str, float]:
    """Return the speed of each job that gets GPUs: its most when they are free, else the most there are."""
    held = {}
    for job in jobs:
        level = max((count for count in job.rate if count <= min(gpus, most[job.key])), default=0)
        if level:
            held[job.key] = job.rate[level]
            gpus -= level
    return held


def _alone_in_time(job: Elastic, gpus: int) -> bool:
    levels = worthwhile(job.rate, gpus)
    return bool(levels) and math.ceil(job.submit_s + job.iterations / job.rate[levels[-1]]) <= job.deadline_s
