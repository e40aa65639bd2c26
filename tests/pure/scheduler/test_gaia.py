import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scheduler.optimise.unknown_length import pause_table
from scheduler.replay.gaia import TICKS_PER_HOUR, Intensity, JobsOutlastSignal, Trace, account, reserved_first, trace
from scheduler.replay.gaia_issued import suspend_by
from scheduler.replay.gaia_policies import (
    carbon_time,
    cleanest_ticks,
    ecovisor,
    lowest_slot,
    lowest_window,
    no_wait,
    ours,
    suspend_resume_optimum,
)

HOUR = TICKS_PER_HOUR
POLICIES = (no_wait, lowest_slot, lowest_window, carbon_time, ecovisor, ours, suspend_resume_optimum)


def jobs(*hours: tuple[float, float], cpus: int = 1) -> Trace:
    """Jobs of (arrival, length) in hours."""
    arrival, length = np.array(hours).T * 3600
    return trace(arrival, length, np.full(len(hours), cpus))


def test_a_short_job_may_wait_six_hours_and_is_expected_to_be_as_long_as_the_average() -> None:
    made = jobs((0, 1), (0, 1.5), (0, 4))

    assert (made.max_wait / HOUR).tolist() == [6, 6, 24]
    assert (made.expected / HOUR).tolist() == [1.25, 1.25, 4]


def test_one_watt_for_an_hour_at_500_g_per_kwh_is_half_a_gram() -> None:
    told = account(jobs((0, 1)), Intensity(np.array([500.0, 100.0])), [[(0, HOUR)]], reserved=0)

    assert (told.carbon_g, told.mean_wait_h, told.cost_usd) == (0.5, 0, 0.0624)


def test_a_clean_hour_is_waited_for() -> None:
    signal = Intensity(np.array([500.0, 100.0] + [500.0] * 40))

    for policy in (lowest_slot, lowest_window, carbon_time, suspend_resume_optimum, ours):
        assert policy(jobs((0, 1)), signal) == [[(HOUR, 2 * HOUR)]], policy.__name__


def test_a_job_pauses_through_a_dirty_hour() -> None:
    signal = Intensity(np.array([100.0, 900.0, 100.0] + [500.0] * 40))

    assert suspend_resume_optimum(jobs((0, 1.5)), signal) == [[(0, HOUR), (2 * HOUR, 2 * HOUR + HOUR // 2)]]


def test_a_high_price_of_waiting_runs_at_once() -> None:
    worth = np.array([9.0, 1.0, 1.0, 1.0])

    assert pause_table(worth, mean_slots=1, waiting_slots=2, wait_price=0.1)[0, 2]
    assert not pause_table(worth, mean_slots=1, waiting_slots=2, wait_price=20)[0, 2]
    assert not pause_table(worth, mean_slots=1, waiting_slots=2, wait_price=0.1)[0, 0]


def test_reserved_instances_are_taken_as_soon_as_they_are_free() -> None:
    made = jobs((0, 1), (0, 1), (0, 1))
    latest = made.arrival + 6 * HOUR

    starts = [pieces[0][0] for pieces in reserved_first(made, latest, reserved=2)]

    assert starts == [0, 0, HOUR + 1]


def test_what_does_not_fit_on_reserved_instances_is_paid_on_demand() -> None:
    # Two jobs at once on one reserved instance: one hour on demand; the reserved one is paid until the last start, 0.
    told = account(jobs((0, 1), (0, 1)), Intensity(np.full(3, 1.0)), [[(0, HOUR)], [(0, HOUR)]], reserved=1)

    assert told.cost_usd == pytest.approx(0.0624)


def test_a_signal_that_is_too_short_is_said() -> None:
    with pytest.raises(JobsOutlastSignal, match="1.0 h after the signal"):
        account(jobs((0, 3)), Intensity(np.ones(2)), [[(0, 3 * HOUR)]], reserved=0)


@st.composite
def replays(draw: st.DrawFn) -> tuple[Trace, Intensity]:
    made = [(draw(st.floats(0, 20)), draw(st.floats(0.1, 9))) for _ in range(draw(st.integers(1, 6)))]
    values = draw(st.lists(st.integers(1, 900), min_size=60, max_size=60))
    return jobs(*made, cpus=draw(st.integers(1, 4))), Intensity(np.array(values, dtype=float))


@settings(max_examples=60, deadline=None)
@given(replays())
def test_no_policy_beats_the_optimum_or_waits_too_long(made: tuple[Trace, Intensity]) -> None:
    trace_, signal = made
    best = account(trace_, signal, suspend_resume_optimum(trace_, signal), reserved=0).carbon_g

    for policy in POLICIES:
        spans = policy(trace_, signal)
        for pieces, arrival, length, wait in zip(spans, trace_.arrival, trace_.length, trace_.max_wait, strict=True):
            assert sum(end - first for first, end in pieces) == length
            assert pieces[0][0] >= arrival and pieces[-1][1] <= arrival + length + wait
        assert account(trace_, signal, spans, reserved=0).carbon_g >= best - 1e-9


@settings(max_examples=60, deadline=None)
@given(replays())
def test_with_perfect_forecasts_planning_again_changes_nothing(made: tuple[Trace, Intensity]) -> None:
    trace_, signal = made
    best = account(trace_, signal, suspend_resume_optimum(trace_, signal), reserved=0).carbon_g

    hourly = suspend_by(trace_, lambda hour: signal.hourly[hour:], every_hours=1)

    assert account(trace_, signal, hourly, reserved=0).carbon_g == pytest.approx(best)


def test_the_cleanest_ticks_begin_in_the_middle_of_an_hour() -> None:
    assert cleanest_ticks(HOUR // 2, 3 * HOUR, HOUR, np.array([1.0, 5.0, 2.0])) == [
        (HOUR // 2, HOUR),
        (2 * HOUR, 2 * HOUR + HOUR // 2),
    ]
