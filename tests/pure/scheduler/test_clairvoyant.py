from itertools import combinations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from scheduler.replay.clairvoyant import SignalTooShort, least_contiguous, least_interruptible, run_totals
from scheduler.replay.shifting_limits import shifting_limits


def test_a_run_costs_the_sum_of_the_slots_it_holds() -> None:
    assert run_totals(np.array([1.0, 2.0, 3.0, 4.0]), length=2).tolist() == [3, 5, 7]


def test_the_best_later_start_is_found_up_to_the_slack_and_the_end() -> None:
    signal = np.array([9.0, 5.0, 1.0, 7.0])

    assert least_contiguous(signal, length=1, slack=1).tolist() == [5, 1, 1, 7]
    assert least_contiguous(signal, length=2, slack=1).tolist() == [6, 6, 8]


def test_with_free_pauses_the_cheapest_slots_of_the_window_are_taken() -> None:
    # Two slots out of 9 5 1 (7): 5 + 1; then out of 5 1 7: 5 + 1; then 1 + 7.
    assert least_interruptible(np.array([9.0, 5.0, 1.0, 7.0]), length=2, slack=1).tolist() == [6, 6, 8]
    assert least_interruptible(np.array([1.0, 9.0, 1.0, 9.0]), length=2, slack=1).tolist() == [2, 10, 10]


def test_zones_do_not_touch_each_other() -> None:
    zones = np.array([[9.0, 1.0], [1.0, 2.0], [5.0, 3.0]])

    for zone in (0, 1):
        alone = least_interruptible(zones[:, zone], length=2, slack=1)
        assert least_interruptible(zones, length=2, slack=1)[:, zone].tolist() == alone.tolist()


def test_a_job_longer_than_the_signal_is_refused() -> None:
    with pytest.raises(SignalTooShort, match="a job of 3 slots does not fit into a signal of 2"):
        run_totals(np.ones(2), length=3)


def test_the_limit_of_a_zone_that_is_clean_every_second_hour() -> None:
    # At once a job costs 1 or 3 in turn; one hour later it always could cost 1: the odd hours save two thirds.
    (limit,) = shifting_limits(np.array([[1.0], [3.0]] * 4), slack_hours=1, job_hours=[1])

    assert limit.arrivals == 7
    assert limit.defer_percent == pytest.approx(3 * (200 / 3) / 7)
    assert limit.interrupt_extra_percent == 0


signals = st.lists(st.floats(0, 1000), min_size=1, max_size=9)


@given(signal=signals, length=st.integers(1, 4), slack=st.integers(0, 4))
def test_the_bounds_are_those_of_trying_everything(signal: list[float], length: int, slack: int) -> None:
    if length > len(signal):
        return
    values = np.array(signal)
    contiguous = least_contiguous(values, length=length, slack=slack)
    split = least_interruptible(values, length=length, slack=slack)
    for arrival in range(len(values) - length + 1):
        window = values[arrival : arrival + length + slack]
        runs = [window[start : start + length].sum() for start in range(len(window) - length + 1)]
        assert contiguous[arrival] == pytest.approx(min(runs))
        assert split[arrival] == pytest.approx(min(sum(chosen) for chosen in combinations(window, length)))
        assert split[arrival] <= contiguous[arrival] + 1e-9 <= values[arrival : arrival + length].sum() + 2e-9
