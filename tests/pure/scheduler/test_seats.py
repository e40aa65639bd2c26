import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from scheduler.optimise.zero_laxity import Claim, keep_promises
from scheduler.replay.seats import Commitment, Seats


def test_a_job_waits_for_its_cheapest_slots() -> None:
    seats = Seats(np.array([9.0, 1.0, 9.0, 1.0]), seats=1, max_resumes=1, resume_slots=0)

    assert seats.submit(0, deadline=4, work_slots=2).spans == ((1, 2), (3, 4))


def test_the_newcomer_goes_elsewhere_when_that_is_cheaper_than_making_room() -> None:
    seats = Seats(np.array([9.0, 1.0, 2.0, 9.0]), seats=1, max_resumes=0, resume_slots=0)

    first = seats.submit(0, deadline=2, work_slots=1)
    second = seats.submit(0, deadline=4, work_slots=1)

    assert (first.spans, second.spans) == (((1, 2),), ((2, 3),))


def test_a_job_that_loses_less_makes_room() -> None:
    seats = Seats(np.array([9.0, 1.0, 2.0, 9.0]), seats=1, max_resumes=0, resume_slots=0)

    flexible = seats.submit(0, deadline=4, work_slots=1)
    urgent = seats.submit(0, deadline=2, work_slots=1)

    assert (urgent.spans, flexible.spans) == (((1, 2),), ((2, 3),))


def test_work_that_cannot_be_in_time_runs_as_early_as_it_can() -> None:
    seats = Seats(np.ones(6), seats=1, max_resumes=0, resume_slots=0)

    in_time = seats.submit(0, deadline=3, work_slots=3)
    late = seats.submit(0, deadline=3, work_slots=2)

    assert in_time.spans == ((0, 3),)
    assert late.spans == ((3, 5),) and late.end > late.deadline


def test_what_has_run_stays_and_counts() -> None:
    job = Commitment(0, 10, 3.0, 0.5, spans=((0, 2), (4, 6)), last_filled=0.5)

    assert job.left_slots(2) == 1.0
    assert job.left_slots(5) == 0.5
    assert [job.state(now) for now in (0, 2, 3, 5)] == ["new", "running", "paused", "running"]


def test_seats_go_to_those_who_can_wait_no_longer() -> None:
    spans = keep_promises([Claim(2, 4), Claim(2, 2)], seats=[1] * 9, resume_slots=0)

    assert spans == [[(2, 4)], [(0, 2)]]
    assert keep_promises([Claim(2, 3), Claim(2, 2)], seats=[1] * 9, resume_slots=0) is None


def test_whoever_runs_is_not_moved_for_nothing() -> None:
    spans = keep_promises([Claim(2, 9), Claim(2, 9, True, True)], seats=[1] * 9, resume_slots=0.5)

    assert spans == [[(2, 4)], [(0, 2)]]


@st.composite
def arrivals(draw: st.DrawFn) -> tuple[np.ndarray, list[tuple[int, int, int]], int]:
    worth = np.array(draw(st.lists(st.integers(1, 50), min_size=60, max_size=60)), dtype=float)
    jobs = sorted(
        (arrival, length, arrival + length + draw(st.integers(0, 10)))
        for arrival, length in draw(st.lists(st.tuples(st.integers(0, 15), st.integers(1, 6)), max_size=10))
    )
    return worth, jobs, draw(st.integers(1, 3))


@settings(max_examples=150, deadline=None)
@given(arrivals(), st.sampled_from([0.0, 0.5]), st.integers(0, 3))
def test_seats_are_never_over_filled_and_every_job_does_its_work(
    made: tuple[np.ndarray, list[tuple[int, int, int]], int], lost: float, most: int
) -> None:
    worth, jobs, limit = made
    seats = Seats(worth, seats=limit, max_resumes=most, resume_slots=lost)

    held = [seats.submit(arrival, deadline=end, work_slots=float(length)) for arrival, length, end in jobs]

    used = np.zeros(len(worth), dtype=int)
    for job, (arrival, length, _) in zip(held, jobs, strict=True):
        ran = sum(end - first for first, end in job.spans) - (1 - job.last_filled)
        assert ran == length + lost * (len(job.spans) - 1)
        assert job.spans[0][0] >= arrival
        for first, end in job.spans:
            used[first:end] += 1
    assert used.tolist() == seats.used.tolist()
    assert used.max(initial=0) <= limit


@settings(max_examples=100, deadline=None)
@given(arrivals())
def test_with_a_seat_for_everyone_no_deadline_is_missed(
    made: tuple[np.ndarray, list[tuple[int, int, int]], int],
) -> None:
    worth, jobs, _ = made
    seats = Seats(worth, seats=len(jobs) or 1, max_resumes=2, resume_slots=0.5)

    held = [seats.submit(arrival, deadline=end, work_slots=float(length)) for arrival, length, end in jobs]

    assert all(job.end <= job.deadline for job in held)
