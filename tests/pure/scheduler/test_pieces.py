from itertools import combinations, groupby

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scheduler.optimise.pieces import best_pieces


def test_a_pause_is_taken_when_it_gains_more_than_the_resume_loses() -> None:
    worth = np.array([1.0, 9.0, 1.0, 1.0])

    free = best_pieces(worth, work_slots=3, max_resumes=1)
    dear = best_pieces(worth, work_slots=2, max_resumes=1, resume_slots=1)

    assert free is not None and (free.spans, free.cost) == (((0, 1), (2, 4)), 3)
    assert dear is not None and (dear.spans, dear.cost) == (((2, 4),), 2)


def test_half_a_slot_lost_is_half_a_slot_longer() -> None:
    pieces = best_pieces(np.array([1.0, 9.0, 1.0, 2.0]), work_slots=2, max_resumes=1, resume_slots=0.5)

    # 1 + 1 + half of 2 = 3; running on without a pause costs 1 + 2 = 3 as well, and resumes nothing.
    assert pieces is not None and (pieces.spans, pieces.resumes, pieces.cost) == (((2, 4),), 0, 3)


def test_a_job_that_runs_pays_no_resume_until_it_pauses() -> None:
    worth = np.array([2.0, 1.0])

    running = best_pieces(worth, work_slots=1, max_resumes=1, resume_slots=1, state="running")
    paused = best_pieces(worth, work_slots=1, max_resumes=1, resume_slots=1, state="paused")

    assert running is not None and (running.spans, running.resumes) == (((0, 1),), 0)
    assert paused is not None and (paused.spans, paused.resumes, paused.cost) == (((0, 2),), 1, 3)


def test_a_piece_has_its_least_length() -> None:
    worth = np.array([1.0, 8.0, 1.0, 9.0, 2.0, 2.0])

    short = best_pieces(worth, work_slots=4, max_resumes=2)
    long = best_pieces(worth, work_slots=4, max_resumes=2, least_piece=2)

    assert short is not None and (short.spans, short.cost) == (((0, 1), (2, 3), (4, 6)), 6)
    assert long is not None and (long.spans, long.cost) == (((0, 2), (4, 6)), 13)


def test_slots_that_may_not_be_used_are_not() -> None:
    pieces = best_pieces(np.array([5.0, np.inf, 5.0]), work_slots=2, max_resumes=1)

    assert pieces is not None and pieces.spans == ((0, 1), (2, 3))
    assert best_pieces(np.array([5.0, np.inf, 5.0]), work_slots=2, max_resumes=0) is None
    assert best_pieces(np.array([5.0]), work_slots=2, max_resumes=1) is None


def test_an_unknown_state_is_refused() -> None:
    with pytest.raises(ValueError, match="new, running or paused, not 'asleep'"):
        best_pieces(np.ones(3), work_slots=1, max_resumes=0, state="asleep")


@st.composite
def windows(draw: st.DrawFn) -> tuple[np.ndarray, float, int, float, str]:
    worth = np.array(draw(st.lists(st.integers(-3, 20), min_size=1, max_size=8)), dtype=float)
    worth[draw(st.lists(st.integers(0, len(worth) - 1), max_size=1))] = np.inf
    work = draw(st.integers(1, 16)) / 2
    lost = draw(st.sampled_from([0, 0.5, 1]))
    return worth, work, draw(st.integers(0, 3)), lost, draw(st.sampled_from(["new", "running", "paused"]))


def cheapest_by_force(worth: np.ndarray, work: float, most: int, lost: float, state: str) -> float:
    best = float("inf")
    for count in range(1, len(worth) + 1):
        for slots in combinations(range(len(worth)), count):
            begins = [next(g)[1] for _, g in groupby(enumerate(slots), key=lambda pair: pair[1] - pair[0])]
            resumes = len(begins) - 1 + (state == "paused" or (state == "running" and slots[0] > 0))
            total = work + resumes * lost
            if resumes > most or np.ceil(total) != count:
                continue
            unused = (count - total) * worth[slots[-1]] if count > total else 0.0
            best = min(best, float(worth[list(slots)].sum() - unused))
    return best


@settings(max_examples=300, deadline=None)
@given(windows())
def test_no_other_pieces_are_cheaper(window: tuple[np.ndarray, float, int, float, str]) -> None:
    worth, work, most, lost, state = window
    with np.errstate(invalid="ignore"):
        best = cheapest_by_force(worth, work, most, lost, state)

    found = best_pieces(worth, work_slots=work, max_resumes=most, resume_slots=lost, state=state)

    if found is None:
        assert not np.isfinite(best)
        return
    assert found.cost == pytest.approx(best)
    used = found.filled(len(worth))
    assert found.cost == pytest.approx(float(used[used > 0] @ worth[used > 0]))
    assert used.sum() == pytest.approx(work + found.resumes * lost)


@given(windows())
def test_more_resumes_never_cost_more(window: tuple[np.ndarray, float, int, float, str]) -> None:
    worth, work, most, lost, _ = window
    contiguous = best_pieces(worth, work_slots=work, max_resumes=0)
    paused = best_pieces(worth, work_slots=work, max_resumes=most, resume_slots=lost)

    if contiguous is not None:
        assert paused is not None and paused.cost <= contiguous.cost + 1e-9
