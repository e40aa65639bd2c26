"""A plan: a start for every job, never later than its promise, with how far it may be from the best possible.

What a plan saves is measured against the run-now plan at the same capacity, not against an immediate start
that the queue would not have allowed.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import numpy as np
import numpy.typing as npt

from aiobserve.domain.units import KWH_PER_MWH, SECONDS_PER_HOUR
from scheduler.explain import Figures, reason
from scheduler.job import Job, latest_start_at
from scheduler.optimise.instance import Instance, start_costs
from scheduler.optimise.place import NOWHERE, first_fit, place
from scheduler.optimise.prices import slot_prices
from scheduler.policy import Policy
from scheduler.slots import Pool, Slots, fault

Int64Array = npt.NDArray[np.int64]
FloatArray = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Decision:
    """What happens to one job.

    Attributes:
        action: run_now (starts at once), queued (waits for room, as it would anyway), deferred (waits because
            that is better), cannot_meet_deadline (runs as early as it can, and that is too late), or no_capacity
            (the horizon has no room; it is planned again).
        start_at, end_at: when it will run; for no_capacity the end of the horizon.
        slack_s: what is left before its promise breaks; None when it has made none.
        cost_usd, carbon_g: electricity and emissions of the run by the forecasts; `_now` the same for run-now.
        reason: the decision in words, with its numbers.
    """

    job_key: str
    action: str
    start_at: datetime
    end_at: datetime
    slack_s: float | None
    cost_usd: float
    cost_now_usd: float
    carbon_g: float
    carbon_now_g: float
    reason: str


@dataclass(frozen=True)
class Plan:
    """Decisions for all jobs. Objective and bound are in the policy's unit and cover the jobs that could be moved."""

    policy: str
    decisions: tuple[Decision, ...]
    objective: float
    lower_bound: float

    @property
    def gap_ratio(self) -> float:
        """Return the proven gap: how much the plan may cost above the best possible, as a share of that."""
        if self.objective <= self.lower_bound:
            return 0.0
        return (self.objective - self.lower_bound) / abs(self.lower_bound) if self.lower_bound else float("inf")


def plan(jobs: Sequence[Job], pools: Mapping[str, Pool], slots: Slots, *, policy: Policy) -> Plan:
    """Plan jobs from `slots.start_at` on.

    Args:
        jobs: submitted and not started; each names one of `pools`.
        pools: by name.

    Raises:
        KeyError: a job names a pool that is not given.
    """
    plans = [
        _plan_pool([job for job in jobs if job.pool == name], pools[name], slots, policy)
        for name in dict.fromkeys(job.pool for job in jobs)
    ]
    decided = {decision.job_key: decision for part in plans for decision in part.decisions}
    return Plan(
        policy=policy.name,
        decisions=tuple(decided[job.key] for job in jobs),
        objective=sum(part.objective for part in plans),
        lower_bound=sum(part.lower_bound for part in plans),
    )


def _plan_pool(jobs: list[Job], pool: Pool, slots: Slots, policy: Policy) -> Plan:
    jobs = sorted(jobs, key=lambda job: (job.submitted_at, job.key))
    problem = fault(pool, now_at=slots.start_at, needs=policy.needs)
    gpus = np.array([job.gpus for job in jobs], dtype=np.int64)
    runtime_s = np.array([job.runtime_s for job in jobs], dtype=np.float64)
    power_kw = np.array([job.power_w / 1_000 * pool.pue_ratio for job in jobs])
    earliest_s = np.array([_earliest_s(job, slots) for job in jobs])
    latest_s = np.array([_latest_s(job, slots) for job in jobs])
    worth = policy.worth(pool.usd_per_mwh.value, pool.g_per_kwh.value)
    cost, held = start_costs(
        worth_per_kwh=worth,
        power_kw=power_kw,
        runtime_s=runtime_s,
        slot_s=slots.slot_s,
        earliest_start_s=earliest_s,
        latest_start_s=latest_s,
    )
    earliest = np.ceil(earliest_s / slots.slot_s).astype(np.int64)
    now = first_fit(gpus, held, earliest=earliest, free_gpus=pool.free_gpus)
    movable = _movable(jobs, now, latest_s, cost, slots) if policy.needs and not problem else np.zeros(len(jobs), bool)
    starts, objective, bound, fell_back = _best(pool, now, movable, Instance(gpus, held, cost, pool.free_gpus))
    figures = _figures(pool, slots, power_kw, runtime_s)
    decisions = [
        _decision(job, slots, int(starts[i]), int(now[i]), figures(i, int(starts[i])), figures(i, int(now[i])),
                  _because(job, problem, fell_back, policy))
        for i, job in enumerate(jobs)
    ]  # fmt: skip
    return Plan(policy.name, tuple(decisions), objective, bound)


def _movable(
    jobs: list[Job], now: Int64Array, latest_s: FloatArray, cost: FloatArray, slots: Slots
) -> npt.NDArray[np.bool_]:
    """Return which jobs may be moved: those that may wait, have somewhere to go, and keep their promise run at once."""
    deferrable = np.array([job.deferrable for job in jobs], dtype=bool)
    kept_at_once = (now != NOWHERE) & (now * slots.slot_s <= latest_s)
    costed = np.isfinite(cost).any(axis=1) if len(jobs) else np.zeros(0, bool)
    index = np.arange(len(jobs))
    return deferrable & kept_at_once & costed & np.isfinite(cost[index, np.maximum(now, 0)])


def _best(
    pool: Pool, now: Int64Array, movable: npt.NDArray[np.bool_], instance: Instance
) -> tuple[Int64Array, float, float, bool]:
    """Return starts, objective, bound, and whether run-now had to stand in for the optimised placement."""
    rows = np.flatnonzero(movable)
    if not rows.size:
        return now, 0.0, 0.0, False
    free = pool.free_gpus.copy()
    for i in np.flatnonzero(~movable & (now != NOWHERE)):
        free[now[i] : now[i] + instance.slots_held[i]] -= instance.gpus[i]
    part = Instance(instance.gpus[rows], instance.slots_held[rows], instance.cost[rows], free)
    priced = slot_prices(part)
    choices = np.isfinite(part.cost).sum(axis=1)
    order = np.lexsort((-part.gpus * part.slots_held, choices / part.slots_held))
    found = place(part, priced, order=order)
    at_once = float(part.cost[np.arange(len(rows)), now[rows]].sum())
    if (found == NOWHERE).any():
        return now, at_once, priced.lower_bound, True
    objective = float(part.cost[np.arange(len(rows)), found].sum())
    if objective > at_once:
        return now, at_once, priced.lower_bound, True
    starts = now.copy()
    starts[rows] = found
    return starts, objective, priced.lower_bound, False


def _earliest_s(job: Job, slots: Slots) -> float:
    return 0.0 if job.release_at is None else max((job.release_at - slots.start_at).total_seconds(), 0.0)


def _latest_s(job: Job, slots: Slots) -> float:
    latest_at = latest_start_at(job)
    return float("inf") if latest_at is None else (latest_at - slots.start_at).total_seconds()


def _figures(pool: Pool, slots: Slots, power_kw: FloatArray, runtime_s: FloatArray) -> Callable[[int, int], Figures]:
    """Return a function of (job index, start slot) that gives the money and carbon of the run by the forecasts."""
    hours = slots.slot_s / SECONDS_PER_HOUR

    def of(i: int, start: int) -> Figures:
        if start == NOWHERE:
            return Figures(float("nan"), float("nan"))
        length = runtime_s[i] / slots.slot_s
        last = min(start + math.ceil(length), slots.n)
        # The part of each slot that the run fills: all of it, but for the last.
        filled = np.minimum(length - np.arange(last - start), 1.0) * hours * power_kw[i]
        usd, g = (float(values[start:last] @ filled) for values in (pool.usd_per_mwh.value, pool.g_per_kwh.value))
        return Figures(usd / KWH_PER_MWH, g)

    return of


def _because(job: Job, problem: str, fell_back: bool, policy: Policy) -> str:
    if problem and job.deferrable:
        return f"{problem}, so nothing is deferred"
    if fell_back and job.deferrable:
        return "moving jobs would not have kept every deadline or saved anything"
    if not job.deferrable:
        return "it may not wait"
    return "the policy moves nothing" if not policy.needs else ""


def _decision(
    job: Job, slots: Slots, start: int, now: int, planned: Figures, at_once: Figures, because: str
) -> Decision:
    latest_at = latest_start_at(job)
    start_at = slots.end_at if start == NOWHERE else slots.start_at + timedelta(seconds=start * slots.slot_s)
    slack_s = None if latest_at is None else (latest_at - start_at).total_seconds()
    if start == NOWHERE:
        action = "no_capacity"
    elif slack_s is not None and slack_s < 0:
        action = "cannot_meet_deadline"
    elif start > now:
        action = "deferred"
    else:
        action = "run_now" if start == 0 else "queued"
    waited_s = (start - now) * slots.slot_s
    return Decision(
        job_key=job.key,
        action=action,
        start_at=start_at,
        end_at=start_at + timedelta(seconds=job.runtime_s),
        slack_s=slack_s,
        cost_usd=planned.cost_usd,
        cost_now_usd=at_once.cost_usd,
        carbon_g=planned.carbon_g,
        carbon_now_g=at_once.carbon_g,
        reason=reason(action, moved_s=waited_s, planned=planned, at_once=at_once, slack_s=slack_s, because=because),
    )
