"""Any policy over recorded jobs and signals: planned slot by slot by what was known then, on a limited number of GPUs."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

import numpy as np
import numpy.typing as npt

from aiobserve.domain.units import KWH_PER_MWH, SECONDS_PER_HOUR
from scheduler.job import Job, latest_start_at
from scheduler.plan import plan
from scheduler.policy import Policy
from scheduler.slots import Forecast, Pool, Slots

FloatArray = npt.NDArray[np.float64]
Int64Array = npt.NDArray[np.int64]
# From a slot to the forecast of it and those after it, and when that was issued.
Belief = Callable[[int], tuple[FloatArray, datetime]]

POOL = "replay"


class JobOutlastsSignal(ValueError):
    """A job might run past the end of the signal, so that what it would emit is not known."""


@dataclass(frozen=True)
class Recording:
    """Jobs and what really happened, slot by slot: intensity and price, shape (n,) each; NaN prices when there are none."""

    jobs: tuple[Job, ...]
    slots: Slots
    g_per_kwh: FloatArray
    usd_per_mwh: FloatArray

    def first_slot(self, job: Job) -> int:
        """Return the first slot that begins at or after a job's submission."""
        return -int((self.slots.start_at - job.submitted_at).total_seconds() // self.slots.slot_s)

    def held_slots(self, job: Job) -> int:
        """Return how many slots a job holds, the last perhaps in part."""
        return max(-int(-job.runtime_s // self.slots.slot_s), 1)

    def at(self, slot: int) -> datetime:
        """Return when a slot begins."""
        return self.slots.start_at + timedelta(seconds=slot * self.slots.slot_s)


@dataclass(frozen=True)
class Figures:
    """What a replay came to. Waiting is from submission to start, of jobs that are never paused."""

    policy: str
    carbon_kg: float
    cost_usd: float
    energy_kwh: float
    mean_wait_h: float
    p50_wait_h: float
    p95_wait_h: float
    p99_wait_h: float
    missed_deadlines: int
    peak_gpus: int
    jobs: int


def check(recording: Recording) -> None:
    """Refuse jobs that could run past the end of the signal, or before it.

    Raises:
        JobOutlastsSignal: naming how many and what to do.
    """
    end = recording.slots.n
    for job in recording.jobs:
        latest_at = latest_start_at(job) or job.submitted_at
        waits = max((latest_at - job.submitted_at).total_seconds(), 0) // recording.slots.slot_s
        if recording.first_slot(job) < 0 or recording.first_slot(job) + waits + recording.held_slots(job) > end:
            raise JobOutlastsSignal(
                f"job {job.key}, submitted {job.submitted_at:%Y-%m-%d %H:%M}Z, may run outside the signal "
                f"({recording.slots.start_at:%Y-%m-%d %H:%M}Z to {recording.slots.end_at:%Y-%m-%d %H:%M}Z); "
                "cut such jobs or give a longer signal"
            )


def peak_at_once(recording: Recording) -> int:
    """Return the GPUs in use at most when every job starts when it is submitted."""
    return int(_held(recording, [recording.first_slot(job) for job in recording.jobs]).max(initial=0))


def run(
    recording: Recording,
    policy: Policy,
    *,
    gpus: int,
    carbon: Belief,
    price: Belief | None,
    on_slot: Callable[[], None],
) -> Figures:
    """Replay a policy: plan the queue whenever a job arrives, a planned start is due or the hour is new.

    Args:
        carbon, price: what was believed at each slot; None when no price is known.
        on_slot: called once a slot, to show progress.
    """
    starts: dict[str, int] = {}
    free = np.full(recording.slots.n, gpus, dtype=np.int64)
    coming = sorted(recording.jobs, key=lambda job: (job.submitted_at, job.key))
    queue: list[Job] = []
    for slot in range(recording.slots.n):
        on_slot()
        while coming and recording.first_slot(coming[0]) <= slot:
            queue.append(replace(coming.pop(0), pool=POOL))
        if not queue:
            if not coming:
                break
            continue
        for job in _due(recording, queue, free, slot, policy, carbon, price):
            starts[job.key] = slot
            free[slot : slot + recording.held_slots(job)] -= job.gpus
            queue.remove(job)
    late = [job for job in queue if job.key not in starts]
    if late:
        raise JobOutlastsSignal(
            f"{len(late)} jobs found no room before the signal ends; give more GPUs or a longer signal"
        )
    return figures(recording, policy.name, [starts[job.key] for job in recording.jobs])


def figures(recording: Recording, name: str, starts: Sequence[int]) -> Figures:
    """Return what jobs that start in these slots came to, by the signals as they were."""
    hours = recording.slots.slot_s / SECONDS_PER_HOUR
    carbon_g = cost_usd = energy_kwh = 0.0
    missed = 0
    waits = []
    for job, start in zip(recording.jobs, starts, strict=True):
        used = _used(recording, job) * hours * job.power_w / 1_000
        held = slice(start, start + len(used))
        energy_kwh += float(used.sum())
        carbon_g += float(used @ recording.g_per_kwh[held])
        cost_usd += float(used @ recording.usd_per_mwh[held]) / KWH_PER_MWH
        waits.append((recording.at(start) - job.submitted_at).total_seconds() / SECONDS_PER_HOUR)
        latest_at = latest_start_at(job)
        # A slot may begin later than the latest instant; a start in the slot of submission was never late.
        missed += latest_at is not None and recording.at(start) > max(
            latest_at, recording.at(recording.first_slot(job))
        )
    p50, p95, p99 = (float(np.quantile(waits, share)) for share in (0.5, 0.95, 0.99))
    return Figures(
        name,
        carbon_g / 1_000,
        cost_usd,
        energy_kwh,
        float(np.mean(waits)),
        p50,
        p95,
        p99,
        int(missed),
        int(_held(recording, starts).max()),
        len(waits),
    )


def bound(recording: Recording, policy: Policy) -> Figures:
    """Return the best start of each job with perfect knowledge and any number of GPUs: no plan is better by its measure."""
    worth = policy.worth(recording.usd_per_mwh, recording.g_per_kwh) if policy.needs else np.zeros(recording.slots.n)
    starts = []
    for job in recording.jobs:
        first, used = recording.first_slot(job), _used(recording, job)
        latest_at = latest_start_at(job)
        slack = (
            0 if latest_at is None else int((latest_at - recording.at(first)).total_seconds() // recording.slots.slot_s)
        )
        totals = [float(used @ worth[start : start + len(used)]) for start in range(first, first + max(slack, 0) + 1)]
        starts.append(first + int(np.argmin(totals)))
    return figures(recording, "bound", starts)


def _due(
    recording: Recording,
    queue: list[Job],
    free: Int64Array,
    slot: int,
    policy: Policy,
    carbon: Belief,
    price: Belief | None,
) -> Iterator[Job]:
    now_at = recording.at(slot)
    reach = max(_reach(recording, job, now_at) for job in queue) + int(sum(recording.held_slots(job) for job in queue))
    slots = Slots(now_at, recording.slots.slot_s, min(recording.slots.n - slot, reach))
    none = Forecast(np.full(slots.n, np.nan), None)
    pool = Pool(
        POOL,
        free[slot : slot + slots.n],
        none if price is None else _forecast(price, slot, slots.n),
        _forecast(carbon, slot, slots.n),
    )
    made = plan(queue, {POOL: pool}, slots, policy=policy)
    by_key = {job.key: job for job in queue}
    for decision in made.decisions:
        if decision.action != "no_capacity" and decision.start_at <= now_at:
            yield by_key[decision.job_key]


def _reach(recording: Recording, job: Job, now_at: datetime) -> int:
    latest_at = latest_start_at(job) or now_at
    return max(int((latest_at - now_at).total_seconds() // recording.slots.slot_s), 0) + 1


def _forecast(belief: Belief, slot: int, n: int) -> Forecast:
    value, issued_at = belief(slot)
    value = np.concatenate([value[:n], np.full(max(n - len(value), 0), np.nan)])
    return Forecast(value, issued_at)


def _used(recording: Recording, job: Job) -> FloatArray:
    """Return the used part of each slot that a job holds."""
    length = job.runtime_s / recording.slots.slot_s
    return np.minimum(length - np.arange(recording.held_slots(job)), 1.0)


def _held(recording: Recording, starts: Sequence[int]) -> Int64Array:
    change = np.zeros(recording.slots.n + 1, dtype=np.int64)
    for job, start in zip(recording.jobs, starts, strict=True):
        change[start] += job.gpus
        change[min(start + recording.held_slots(job), recording.slots.n)] -= job.gpus
    return np.cumsum(change)[:-1]
