from datetime import datetime, timedelta

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scheduler.job import Job
from scheduler.policy import POLICIES
from scheduler.replay.rolling import Figures, JobOutlastsSignal, Recording, bound, check, peak_at_once, run
from scheduler.slots import Slots
from tests.pure.scheduler.factories import NOW_AT

GREEN, RUN_NOW = POLICIES["lowest_carbon"], POLICIES["run_now"]


def recording(carbon: list[float], *jobs: Job) -> Recording:
    return Recording(jobs, Slots(NOW_AT, 3600, len(carbon)), np.array(carbon), np.full(len(carbon), np.nan))


def job(key: str, at_h: float, hours: float = 1, *, wait_h: float = 4, gpus: int = 1) -> Job:
    return Job(key, "any", gpus, hours * 3600, 1000.0, NOW_AT + timedelta(hours=at_h), max_wait_s=wait_h * 3600)


def replayed(made: Recording, policy_name: str, *, gpus: int, believed: list[float] | None = None) -> Figures:
    values = made.g_per_kwh if believed is None else np.array(believed)

    def belief(slot: int) -> tuple[np.ndarray, datetime]:
        return values[slot:], made.at(slot)

    return run(made, POLICIES[policy_name], gpus=gpus, carbon=belief, price=None, on_slot=lambda: None)


def test_a_kilowatt_for_an_hour_at_500_g_is_half_a_kilogram() -> None:
    made = recording([500, 100, 100, 100, 100, 100], job("one", 0))

    at_once, green = replayed(made, "run_now", gpus=1), replayed(made, "lowest_carbon", gpus=1)

    assert (at_once.carbon_kg, at_once.energy_kwh, at_once.mean_wait_h) == (0.5, 1, 0)
    assert (green.carbon_kg, green.mean_wait_h, green.missed_deadlines) == (0.1, 1, 0)


def test_a_plan_goes_by_what_was_believed_and_is_counted_by_what_came() -> None:
    made = recording([500, 900, 100, 500, 500, 500], job("one", 0, wait_h=2))

    told = replayed(made, "lowest_carbon", gpus=1, believed=[500, 100, 900, 500, 500, 500])

    assert (told.carbon_kg, told.mean_wait_h) == (0.9, 1)


def test_run_now_waits_for_its_turn() -> None:
    made = recording([1.0] * 8, job("first", 0, 2), job("second", 0, 1))

    told = replayed(made, "run_now", gpus=1)

    assert (told.mean_wait_h, told.peak_gpus) == (1, 1)
    assert peak_at_once(made) == 2


def test_a_job_that_might_outlast_the_signal_is_refused() -> None:
    with pytest.raises(JobOutlastsSignal, match="job late, submitted .* cut such jobs or give a longer signal"):
        check(recording([1.0] * 6, job("late", 2, 1)))
    check(recording([1.0] * 7, job("fits", 2, 1)))


@st.composite
def recordings(draw: st.DrawFn) -> tuple[Recording, int]:
    carbon = draw(st.lists(st.integers(1, 900), min_size=60, max_size=60))
    jobs = [
        job(
            str(k),
            draw(st.floats(0, 12)),
            draw(st.floats(0.2, 4)),
            wait_h=draw(st.integers(0, 12)),
            gpus=draw(st.integers(1, 2)),
        )
        for k in range(draw(st.integers(1, 6)))
    ]
    return recording(carbon, *jobs), draw(st.integers(2, 6))


@settings(max_examples=60, deadline=None)
@given(recordings())
def test_with_room_for_all_no_deadline_is_missed_and_no_plan_beats_the_bound(made: tuple[Recording, int]) -> None:
    recorded, gpus = made
    at_once, green = replayed(recorded, "run_now", gpus=gpus), replayed(recorded, "lowest_carbon", gpus=gpus)
    enough = replayed(recorded, "lowest_carbon", gpus=2 * len(recorded.jobs))

    assert enough.missed_deadlines == 0
    assert max(at_once.peak_gpus, green.peak_gpus) <= gpus
    assert green.energy_kwh == pytest.approx(at_once.energy_kwh)
    if green.missed_deadlines == 0:
        assert green.carbon_kg >= bound(recorded, GREEN).carbon_kg - 1e-9
