import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scheduler.elastic.pauses import Pauses
from scheduler.elastic.share import Free, Training, cheapest_share, next_edge, smallest_share, worthwhile
from scheduler.replay.elasticflow import Elastic, Grid, earliest_deadline_first, outcomes, promising

# Two GPUs are less than twice as fast as one; four are slower than two.
RATE = {1: 1.0, 2: 1.6, 4: 1.5}


def training(deadline_s: int, left: float = 100, rate: dict[int, float] = RATE) -> Training:
    return Training("job", deadline_s, left, worthwhile(rate, 8), rate)


def job(key: str, submit_s: int, deadline_s: int, iterations: float = 100, rate: dict[int, float] = RATE) -> Elastic:
    return Elastic(key, submit_s, deadline_s, iterations, rate)


def test_a_level_that_is_not_faster_is_not_worth_its_gpus() -> None:
    assert worthwhile(RATE, 8) == (1, 2)
    assert worthwhile(RATE, 1) == (1,)


def test_the_fewest_gpus_that_keep_the_deadline_are_taken() -> None:
    slow, fast = cheapest_share(training(100), Free([0], [8])), cheapest_share(training(70), Free([0], [8]))

    assert slow is not None and slow.segments == ((0, 100, 1),)
    # 100 iterations at 1.6 a second are 62.5 s.
    assert fast is not None and fast.segments == ((0, 63, 2),)
    assert cheapest_share(training(60), Free([0], [8])) is None


def test_a_share_works_around_what_others_hold() -> None:
    free = Free([0, 50, 80], [0, 1, 4])

    share = smallest_share(training(142), free)

    # One GPU would be done at 150 s. 30 iterations by 80 s, the other 70 at 1.6 a second.
    assert share is not None and share.segments == ((50, 80, 1), (80, 124, 2))


def test_a_faster_share_can_cost_fewer_gpu_seconds() -> None:
    superlinear = {1: 1.0, 2: 2.5}

    share = cheapest_share(training(1000, rate=superlinear), Free([0], [8]))

    assert share is not None and (share.gpu_s, share.end_s) == (80, 40)


def test_edges_are_whole_slots_after_the_origin() -> None:
    assert [next_edge(at, 60, 5) for at in (5, 6, 65, 66)] == [5, 65, 65, 125]


def test_edf_gives_all_it_can_to_the_most_urgent_and_ruins_the_rest() -> None:
    # Each alone on one GPU would be done in 100 s. The urgent one takes both GPUs for 63 s, the other is late.
    jobs = [job("urgent", 0, 100), job("other", 0, 120)]

    told = earliest_deadline_first(jobs, gpus=2, slot_s=1)

    assert (told.in_time, told.admitted_missed) == (1, 1)
    assert promising(jobs, gpus=2, slot_s=1, choose=cheapest_share, policy="ours").in_time == 2


def test_a_job_whose_deadline_cannot_be_kept_is_declined_at_once() -> None:
    told = promising([job("hopeless", 0, 10)], gpus=8, slot_s=60, choose=cheapest_share, policy="ours")

    assert (told.admitted, told.in_time, told.deadline_ratio) == (0, 0, 0)


def test_a_newcomer_starts_at_once_on_idle_gpus() -> None:
    # The next edge is at 60 s; the second job, submitted at 10 s, must have ended by 40 s.
    jobs = [job("long", 0, 1000), job("urgent", 10, 40, iterations=20)]

    spare = promising(jobs, gpus=3, slot_s=60, choose=cheapest_share, policy="ours", spare_gpus=1)

    assert spare.in_time == 2


@st.composite
def clusters(draw: st.DrawFn) -> tuple[list[Elastic], int, int]:
    jobs = []
    for k in range(draw(st.integers(1, 9))):
        one = draw(st.floats(0.5, 3))
        rate = {1: one, 2: one * draw(st.floats(0.8, 2.3)), 4: one * draw(st.floats(0.7, 4.5))}
        submit, work = draw(st.integers(0, 400)), draw(st.floats(1, 400))
        jobs.append(job(str(k), submit, submit + draw(st.integers(5, 900)), work, rate))
    return jobs, draw(st.integers(1, 8)), draw(st.sampled_from([1, 10, 60]))


@settings(max_examples=200, deadline=None)
@given(clusters(), st.sampled_from([cheapest_share, smallest_share]), st.integers(0, 2))
def test_no_promise_is_ever_broken(made: tuple[list[Elastic], int, int], choose: object, spare: int) -> None:
    jobs, gpus, slot_s = made

    told = promising(jobs, gpus=gpus, slot_s=slot_s, choose=choose, policy="any", spare_gpus=spare)  # type: ignore[arg-type]

    assert told.admitted_missed == 0
    assert told.in_time == told.admitted


@settings(max_examples=60, deadline=None)
@given(clusters())
def test_nobody_does_better_than_every_job_alone(made: tuple[list[Elastic], int, int]) -> None:
    jobs, gpus, slot_s = made

    ratios = {one.policy: one.deadline_ratio for one in outcomes(jobs, gpus=gpus, slot_s=slot_s)}

    assert max(ratios.values()) == pytest.approx(ratios["bound"])


def test_work_that_can_wait_keeps_out_of_dirty_hours() -> None:
    pauses = Pauses([0, 100, 200], [True, False, True])

    waits = pauses.choice()(training(250), Free([0], [8]))
    cannot = pauses.choice()(training(150), Free([0], [8]))

    assert waits is not None and waits.segments == ((100, 200, 1),)
    # 62.5 s on two GPUs fit between 100 and 163 s, too late; so it runs through the dirty hour.
    assert cannot is not None and cannot.segments == ((0, 100, 1),)
    assert [pauses.at(at) for at in (-1, 0, 100, 200)] == [False, True, False, True]


def test_a_gpu_of_a_kilowatt_for_an_hour_at_500_g_is_half_a_kilogram() -> None:
    grid = Grid(np.array([500.0, 100.0]), power_w_per_gpu=1000)

    assert grid.carbon_kg([(10, 3610, 1)], 10) == pytest.approx(0.5)
    assert grid.carbon_kg([(1810, 5410, 2)], 10) == pytest.approx(0.6)


@settings(max_examples=60, deadline=None)
@given(clusters(), st.lists(st.booleans(), min_size=1, max_size=12))
def test_pausing_in_dirty_hours_breaks_no_promise(made: tuple[list[Elastic], int, int], dirty: list[bool]) -> None:
    jobs, gpus, slot_s = made
    origin_s = min(one.submit_s for one in jobs)
    pauses = Pauses([origin_s + 60 * k for k in range(len(dirty) + 1)], [*dirty, False])

    told = promising(jobs, gpus=gpus, slot_s=slot_s, policy="green", choose=pauses.choice(), pauses=pauses)

    assert told.admitted_missed == 0
