"""A job that may wait, in the numbers that the planner needs."""

from dataclasses import dataclass
from datetime import datetime, timedelta


@dataclass(frozen=True)
class Job:
    """Work that has been submitted and not started.

    Attributes:
        key: the job's key, unique in a plan.
        pool: the name of the GPUs that it may run on (one kind at one site).
        gpus: how many it takes, all at once.
        runtime_s: how long it is expected to run, without a pause.
        power_w: IT power of the whole job while it runs.
        submitted_at: when it was submitted; the order of the queue.
        release_at: before this it cannot start; None when it can start at once.
        deadline_at: when it must have ended; None for no deadline.
        max_wait_s: how long after submission it may start at the latest; None for no limit.
        deferrable: False for work that runs as soon as there is room.
    """

    key: str
    pool: str
    gpus: int
    runtime_s: float
    power_w: float
    submitted_at: datetime
    release_at: datetime | None = None
    deadline_at: datetime | None = None
    max_wait_s: float | None = None
    deferrable: bool = True


def latest_start_at(job: Job) -> datetime | None:
    """Return the last instant at which the job may start and keep its promise; None when it has made none."""
    limits = []
    if job.deadline_at is not None:
        limits.append(job.deadline_at - timedelta(seconds=job.runtime_s))
    if job.max_wait_s is not None:
        limits.append(job.submitted_at + timedelta(seconds=job.max_wait_s))
    return min(limits) if limits else None
