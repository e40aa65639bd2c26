"""Counters that restart, and seconds that arrive after their tokens."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aiobserve.attribution.counters import Column, Curves, Readings, carried_seconds, curves, increases

EDGE_S = np.arange(5, dtype=np.int64) * 900
MADE, FINISHED, SECONDS = 0, 1, 2
DECODE = Column(MADE, FINISHED, SECONDS)


def read(*replicas: list[tuple[float, ...]], started_s: list[float] | None = None) -> Curves:
    """Return the curves of replicas, each a list of (at_s, counter, ...)."""
    rows = [(number, *row) for number, one in enumerate(replicas) for row in one]
    table = np.array(rows, dtype=np.float64)
    started = np.full(len(rows), np.nan) if started_s is None else np.array(started_s, dtype=np.float64)
    return curves(Readings(table[:, 0].astype(np.int64), table[:, 1], started, table[:, 2:]))


def risen(*vectors: list[float]) -> float:
    """Return the increase over one window of replicas that were read at its start and its end."""
    found = read(*[[(900.0 * i, value) for i, value in enumerate(vector)] for vector in vectors])
    return float(increases(found, EDGE_S[:2]).sum())


def test_a_replica_that_restarts_beside_one_that_grows_hides_nothing() -> None:
    assert risen([900, 100], [100, 1000]) == 1000  # 100 since its restart, and 900


def test_a_restart_is_not_negative_tokens() -> None:
    assert risen([900, 100], [100, 150]) == 150  # 100 since its restart, and 50


def test_a_counter_is_interpolated_at_the_edges() -> None:
    found = read([(450, 0.0), (1350, 100.0)])

    assert increases(found, EDGE_S)[0, :, 0].tolist() == [50, 50, 0, 0]


def test_replicas_do_not_run_into_each_other() -> None:
    found = read([(0, 500.0), (900, 600.0)], [(1800, 0.0), (2700, 40.0)])

    assert increases(found, EDGE_S)[:, :, 0].tolist() == [[100, 0, 0, 0], [0, 0, 40, 0]]


def test_a_new_process_that_overtook_the_old_reading_is_seen_by_its_start() -> None:
    found = read([(0, 900.0), (900, 1000.0)], started_s=[-5000, 30])

    assert increases(found, EDGE_S)[0, 0, 0] == 1000
    assert found.restarted.tolist() == [False, True]


def test_a_replica_that_was_added_has_counted_from_zero() -> None:
    found = read([(0, 10.0), (1800, 10.0)], [(1350, 90.0), (1800, 120.0)], started_s=[-5000, -5000, 900, 900])

    assert increases(found, EDGE_S)[1, :, 0].tolist() == [0, 120, 0, 0]


@settings(max_examples=300, deadline=None)
@given(
    steps=st.lists(st.lists(st.integers(0, 10**6), min_size=2, max_size=12), min_size=1, max_size=5),
    restarts=st.randoms(use_true_random=False),
)
def test_no_token_is_lost_by_a_restart_of_any_replica(steps: list[list[int]], restarts) -> None:  # type: ignore[no-untyped-def]
    replicas = []
    for one in steps:
        value, rows = 10**7, [(0.0, 10.0**7)]
        for number, step in enumerate(one):
            # A restart is told by a fall: the new process counts from zero and stays below the old one.
            value = step if restarts.random() < 0.3 and step < value else value + step
            rows.append(((number + 1) * 300.0, float(value)))
        replicas.append(rows)
    found = read(*replicas)

    assert increases(found, EDGE_S).sum() == pytest.approx(sum(map(sum, steps)))


def test_a_request_over_three_windows_loses_nothing_and_counts_nothing_twice() -> None:
    """1,000 tokens at 20 ms: 300 in the first window, 450 in the second, 250 in the third, where its 20 s are observed."""
    found = read([(0, 0, 0, 0), (900, 300, 0, 0), (1800, 750, 0, 0), (2700, 1000, 1000, 20), (3600, 1000, 1000, 20)])

    seconds, still_open = carried_seconds(found, EDGE_S, DECODE)

    assert seconds[0] == pytest.approx([6, 9, 5, 0])
    assert still_open[0] == pytest.approx([0, 0, 0, 0])


def test_tokens_whose_request_still_runs_are_open_and_their_seconds_come_later() -> None:
    found = read([(0, 0, 0, 0), (900, 300, 200, 4), (1800, 750, 200, 4)])

    seconds, still_open = carried_seconds(found, EDGE_S, DECODE)

    assert seconds[0] == pytest.approx([4, 0, 0, 0])
    assert still_open[0] == pytest.approx([100, 450, 0, 0])


def test_a_request_from_before_the_first_window_brings_its_seconds_to_the_tokens_it_still_makes() -> None:
    """500 of 1,000 tokens were made before; only half of the 20 s belong here."""
    found = read([(0, 1500, 1000, 99), (900, 2000, 2000, 119)])

    assert carried_seconds(found, EDGE_S, DECODE)[0][0] == pytest.approx([10, 0, 0, 0])


def test_requests_that_a_restart_ended_share_the_seconds_of_that_interval() -> None:
    found = read([(0, 0, 0, 0), (900, 300, 0, 0), (1800, 100, 100, 4), (2700, 200, 200, 8)])

    seconds, _ = carried_seconds(found, EDGE_S, DECODE)

    assert seconds.sum() == pytest.approx(8)
    assert seconds[0, 2] == pytest.approx(4)


def test_without_finished_tokens_the_seconds_are_spread_by_tokens() -> None:
    nan = float("nan")
    found = read([(0, 0, nan, 0), (900, 300, nan, 0), (1800, 750, nan, 0), (2700, 1000, nan, 20)])

    assert carried_seconds(found, EDGE_S, DECODE)[0][0] == pytest.approx([6, 9, 5, 0])


@settings(max_examples=200, deadline=None)
@given(
    requests=st.lists(st.tuples(st.floats(0, 3000), st.floats(1, 2000), st.integers(1, 5000)), min_size=1, max_size=12)
)
def test_over_time_carried_seconds_come_to_the_seconds_of_the_requests(
    requests: list[tuple[float, float, int]],
) -> None:
    edge_s = np.arange(8, dtype=np.int64) * 900
    rows = []
    for at in edge_s.astype(float):
        made = sum(tokens * min(max((at - start) / length, 0), 1) for start, length, tokens in requests)
        done = [one for one in requests if one[0] + one[1] <= at]
        rows.append((at, made, float(sum(one[2] for one in done)), sum(one[1] for one in done)))

    seconds, still_open = carried_seconds(read(rows), edge_s, DECODE)

    assert seconds.sum() == pytest.approx(sum(length for _, length, _ in requests))
    assert (seconds > -1e-6).all()
    assert np.abs(still_open).max() < 1e-6
