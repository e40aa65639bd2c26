from dataclasses import replace
from datetime import timedelta

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aiobserve.domain.signal import StepSignal
from scheduler.job import Job, latest_start_at
from scheduler.plan import Plan, plan
from scheduler.policy import POLICIES
from scheduler.slots import Pool, Slots
from tests.pure.scheduler.factories import HOUR, NOW_AT, job, pool, slots

CHEAPEST, CLEANEST, BLENDED, RUN_NOW = (
    POLICIES[name] for name in ("cheapest_window", "lowest_carbon", "blended", "run_now")
)


def starts_h(made: Plan) -> dict[str, float]:
    return {decision.job_key: (decision.start_at - NOW_AT) / HOUR for decision in made.decisions}


def test_run_now_starts_in_order_of_submission_as_soon_as_there_is_room() -> None:
    made = plan([job("second", minute=5), job("first")], pool([9, 1, 1, 1]), slots(4), policy=RUN_NOW)

    assert starts_h(made) == {"first": 0, "second": 1}


def test_the_cheapest_window_is_taken() -> None:
    made = plan([job("batch", hours=2)], pool([50, 40, 10, 10, 40, 50]), slots(), policy=CHEAPEST)

    assert starts_h(made) == {"batch": 2}
    decision = made.decisions[0]
    assert decision.action == "deferred"
    assert (decision.cost_now_usd, decision.cost_usd) == (pytest.approx(0.09), pytest.approx(0.02))


def test_the_cleanest_window_is_taken_whatever_it_costs() -> None:
    made = plan([job("batch")], pool([1, 2, 3], [500, 400, 100]), slots(3), policy=CLEANEST)

    assert starts_h(made) == {"batch": 2}


def test_blended_weighs_carbon_at_its_price() -> None:
    # 0.3 kg less at 80 USD/t is worth 2.4 cents; one cent dearer is worth it, three are not.
    worth_it = plan([job("batch")], pool([50, 60], [500, 200]), slots(2), policy=BLENDED)
    not_worth_it = plan([job("batch")], pool([50, 80], [500, 200]), slots(2), policy=BLENDED)

    assert starts_h(worth_it) == {"batch": 1}
    assert starts_h(not_worth_it) == {"batch": 0}


def test_a_deadline_is_never_broken_for_a_cheaper_hour() -> None:
    made = plan([job("batch", hours=2, deadline_h=4)], pool([50, 40, 30, 20, 1, 1]), slots(), policy=CHEAPEST)

    assert starts_h(made) == {"batch": 2}
    assert made.decisions[0].slack_s == 0


def test_a_longest_wait_counts_from_submission() -> None:
    made = plan([job("batch", max_wait_s=2 * 3600)], pool([50, 40, 1]), slots(3), policy=CHEAPEST)

    assert starts_h(made) == {"batch": 1}


def test_a_deadline_that_cannot_be_met_is_said_at_once() -> None:
    made = plan([job("long", hours=3), job("late", minute=5, deadline_h=2)], pool([1] * 6), slots(), policy=RUN_NOW)

    late = made.decisions[1]
    assert late.action == "cannot_meet_deadline"
    assert "2 h 00 min too late" in late.reason


def test_urgent_work_is_not_moved() -> None:
    made = plan([job("urgent", deferrable=False)], pool([50, 1]), slots(2), policy=CHEAPEST)

    assert starts_h(made) == {"urgent": 0}
    assert "may not wait" in made.decisions[0].reason


def test_work_that_fits_nowhere_is_planned_again() -> None:
    made = plan([job("big", gpus=2)], pool([1, 1]), slots(2), policy=CHEAPEST)

    assert made.decisions[0].action == "no_capacity"
    assert made.decisions[0].reason == "the horizon has no room for it; it waits for the next plan"


def test_equal_hours_move_nothing() -> None:
    made = plan([job("batch")], pool([5, 5, 5]), slots(3), policy=CHEAPEST)

    assert starts_h(made) == {"batch": 0}


@pytest.mark.parametrize(
    ("pools", "why"),
    [
        (pool([50, 1], issued_at=None), "there is no electricity price forecast"),
        (pool([50, 1], issued_at=NOW_AT - timedelta(hours=48)), "48 h old, 24 h allowed"),
        (pool([50, 99_999.0]), "absurd value, 99999"),
        (pool([float("nan")] * 2), "does not reach"),
    ],
    ids=["missing", "stale", "absurd", "empty"],
)
def test_a_signal_that_cannot_be_trusted_means_run_now(pools: dict[str, Pool], why: str) -> None:
    made = plan([job("batch")], pools, slots(2), policy=CHEAPEST)

    assert starts_h(made) == {"batch": 0}
    assert why in made.decisions[0].reason


def test_hours_without_a_forecast_are_not_moved_into() -> None:
    made = plan([job("batch")], pool([50, float("nan"), 40]), slots(3), policy=CHEAPEST)

    assert starts_h(made) == {"batch": 2}


def test_the_reason_has_the_numbers() -> None:
    made = plan([job("batch", deadline_h=5)], pool([100, 100, 50], [500, 500, 250]), slots(3), policy=BLENDED)

    assert made.decisions[0].reason == (
        "moved 2 h 00 min later: electricity 0.10 -> 0.05 USD (-50%), carbon 0.50 -> 0.25 kg (-50%); "
        "2 h 00 min slack left before its deadline"
    )


@st.composite
def random_plans(draw: st.DrawFn) -> tuple[list[Job], dict[str, Pool], Slots]:
    n = draw(st.integers(3, 12))
    prices = draw(st.lists(st.floats(-50, 300), min_size=n, max_size=n))
    gpus = draw(st.lists(st.integers(0, 4), min_size=n, max_size=n))
    pools = pool(prices)
    pools = {"p": replace(pools["p"], free_gpus=np.array(gpus))}
    jobs = [
        job(
            f"job-{i}",
            hours=draw(st.floats(0.1, 4)),
            gpus=draw(st.integers(1, 3)),
            deadline_h=draw(st.one_of(st.none(), st.floats(0.5, 14))),
            minute=i,
            deferrable=draw(st.booleans()),
        )
        for i in range(draw(st.integers(0, 9)))
    ]
    return jobs, pools, slots(n)


def occupancy(jobs: list[Job], made: Plan, grid: Slots) -> np.ndarray:
    """Reckon, apart from the planner, the GPUs that a plan holds in each slot."""
    held = np.zeros(grid.n, dtype=int)
    for one, decision in zip(jobs, made.decisions, strict=True):
        if decision.action == "no_capacity":
            continue
        first = round((decision.start_at - NOW_AT).total_seconds() / grid.slot_s)
        last = int(np.ceil((first * grid.slot_s + one.runtime_s) / grid.slot_s - 1e-9))
        held[first : max(last, first + 1)] += one.gpus
    return held


@settings(max_examples=300, deadline=None)
@given(instance=random_plans(), name=st.sampled_from(list(POLICIES)))
def test_no_plan_exceeds_its_pool_or_breaks_a_promise_that_run_now_keeps(
    instance: tuple[list[Job], dict[str, Pool], Slots], name: str
) -> None:
    jobs, pools, grid = instance
    made = plan(jobs, pools, grid, policy=POLICIES[name])
    at_once = plan(jobs, pools, grid, policy=RUN_NOW)

    assert (occupancy(jobs, made, grid) <= pools["p"].free_gpus).all() if jobs else True
    for one, planned, now in zip(jobs, made.decisions, at_once.decisions, strict=True):
        latest_at = latest_start_at(one)
        if latest_at is not None and now.action != "no_capacity" and now.start_at <= latest_at:
            assert planned.start_at <= latest_at
        if now.action != "no_capacity":
            assert planned.action != "no_capacity"
    assert made.lower_bound <= made.objective + 1e-9


@settings(max_examples=60, deadline=None)
@given(instance=random_plans())
def test_the_bound_is_below_the_best_of_all_plans(instance: tuple[list[Job], dict[str, Pool], Slots]) -> None:
    jobs, pools, grid = instance
    jobs = [replace(one, deferrable=True, deadline_at=None) for one in jobs[:3]]
    made = plan(jobs, pools, grid, policy=CHEAPEST)
    if not jobs or any(decision.action == "no_capacity" for decision in made.decisions):
        return

    best = cheapest_by_force(jobs, pools["p"], grid)

    assert made.lower_bound <= best + 1e-6
    assert best <= made.objective + 1e-6


def cheapest_by_force(jobs: list[Job], where: Pool, grid: Slots) -> float:
    """Try every combination of starts."""
    best = float("inf")

    def try_job(i: int, free: np.ndarray, cost: float) -> None:
        nonlocal best
        if i == len(jobs):
            best = min(best, cost)
            return
        held = max(int(np.ceil(jobs[i].runtime_s / grid.slot_s)), 1)
        for start in range(grid.n - held + 1):
            if (free[start : start + held] >= jobs[i].gpus).all():
                rest = free.copy()
                rest[start : start + held] -= jobs[i].gpus
                try_job(i + 1, rest, cost + run_cost(jobs[i], where, grid, start, held))

    try_job(0, where.free_gpus.copy(), 0.0)
    return best


def run_cost(one: Job, where: Pool, grid: Slots, start: int, held: int) -> float:
    seconds = [min(grid.slot_s, one.runtime_s - k * grid.slot_s) for k in range(held)]
    kwh = [one.power_w / 1000 * s / 3600 for s in seconds]
    return float(sum(k * where.usd_per_mwh.value[start + i] / 1000 for i, k in enumerate(kwh)))


def test_the_same_queue_gives_the_same_plan() -> None:
    jobs = [job(f"job-{i}", minute=i, hours=1 + i % 3) for i in range(12)]
    pools = {"p": replace(pool([50, 40, 30, 20, 10, 60] * 4)["p"], free_gpus=np.full(24, 3))}

    assert plan(jobs, pools, slots(24), policy=BLENDED) == plan(jobs, pools, slots(24), policy=BLENDED)


def test_a_slot_is_priced_by_the_mean_of_the_signal_over_it() -> None:
    from_s = int(NOW_AT.timestamp())
    start_s = np.array([from_s - 1800, from_s + 1800])
    signal = StepSignal(start_s, start_s + 3600, np.array([10.0, 30.0]), np.ones(2, np.int8), "test")

    forecast = Slots(NOW_AT, 3600, 1).sample(signal, NOW_AT)

    assert forecast.value.tolist() == [20.0]
