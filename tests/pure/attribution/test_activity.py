"""By what the energy above the idle power is split among several holders of a device."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from aiobserve.attribution.activity import UNITS, Activity, active_weights
from aiobserve.attribution.engine import attribute
from aiobserve.attribution.occupancy import capacity_millis, holdings
from aiobserve.attribution.segments import cut
from aiobserve.domain.account import Account
from aiobserve.domain.quality import Quality
from tests.pure.attribution.sites import EDGE_S, SPAN_S, busy, reservations, site, steady

WHOLE = (0, SPAN_S)


def charged(
    watts: float, held: list[tuple[int, int, int, int, int]], activity: Activity
) -> dict[tuple[Account, int], tuple[int, int, Quality]]:
    """Return GPU time, energy and worst quality by account and claimant, of one GPU that idles at 20 W."""
    charges = attribute(site([steady(watts)], held, activity=activity)).charges
    rows = charges[charges["kind"].isin([Account.JOB, Account.IDLE])].groupby(["kind", "claimant"])
    sums = rows.agg({"gpu_millis": "sum", "energy_millij": "sum", "energy_quality": "max"})
    return {
        (Account(kind), claimant): (int(row["gpu_millis"]), int(row["energy_millij"]), Quality(row["energy_quality"]))
        for (kind, claimant), row in sums.iterrows()
    }


def weights(held: list[tuple[int, int, int, int, int]], activity: Activity) -> tuple[list[int], list[bool]]:
    segments = cut(reservations(held), EDGE_S, 1)
    capacity = capacity_millis(segments, np.array([-(10**9)]), np.array([10**9]), np.array([1000]))
    found, used = active_weights(activity, holdings(reservations(held), segments, capacity), segments)
    return found.tolist(), used.tolist()


HALVES = [(0, 1, *WHOLE, 500), (0, 2, *WHOLE, 500)]


def test_active_energy_goes_by_activity_and_idle_power_by_share() -> None:
    # 120 W for an hour: 20 W idle, 100 W active; three quarters of the activity are the first job's.
    found = charged(120.0, HALVES, busy([(0, 1, *WHOLE, 0.6), (0, 2, *WHOLE, 0.2)]))

    assert found == {
        (Account.JOB, 1): (1_800_000, (10 + 75) * 3_600_000, Quality.MEASURED),
        (Account.JOB, 2): (1_800_000, (10 + 25) * 3_600_000, Quality.MEASURED),
    }


def test_an_idle_holder_pays_its_idle_power_and_no_more() -> None:
    found = charged(120.0, HALVES, busy([(0, 1, *WHOLE, 0.9), (0, 2, *WHOLE, 0.0)]))

    assert found[(Account.JOB, 1)][1] == 110 * 3_600_000
    assert found[(Account.JOB, 2)][1] == 10 * 3_600_000


def test_half_a_picture_is_not_used_and_the_split_is_called_estimated() -> None:
    found = charged(120.0, HALVES, busy([(0, 1, *WHOLE, 0.9)]))

    assert found[(Account.JOB, 1)] == found[(Account.JOB, 2)] == (1_800_000, 60 * 3_600_000, Quality.ESTIMATED)


def test_where_nobody_did_anything_time_held_stands_in() -> None:
    held = [(0, 1, *WHOLE, 750), (0, 2, *WHOLE, 250)]

    found = charged(120.0, held, busy([(0, 1, *WHOLE, 0.0), (0, 2, *WHOLE, 0.0)]))

    assert found[(Account.JOB, 1)][1:] == (90 * 3_600_000, Quality.ESTIMATED)
    assert found[(Account.JOB, 2)][1:] == (30 * 3_600_000, Quality.ESTIMATED)


def test_mig_instances_split_the_board_that_each_of_them_reports() -> None:
    # 1g + 2g + 4g; activity of an instance times its share of the multiprocessors. 160 W: 20 idle, 140 active.
    held = [(0, 1, *WHOLE, 143), (0, 2, *WHOLE, 286), (0, 3, *WHOLE, 571)]
    activity = busy([(0, 1, *WHOLE, 1 / 7), (0, 2, *WHOLE, 2 / 7 * 0.5), (0, 3, *WHOLE, 4 / 7 * 0.25)])

    found = charged(160.0, held, activity)

    # Each did a seventh of the board's work, so each bears a third of the 140 W, and of the 20 W what it holds.
    assert [energy for _, energy, _ in found.values()] == [
        168_000_000 + 143 * 72_000,
        168_000_000 + 286 * 72_000,
        168_000_000 + 571 * 72_000,
    ]


def test_idle_power_does_not_shrink_as_load_rises() -> None:
    # Only job 1 works; what job 2 bears for holding half of the GPU is the same at any load.
    activity = busy([(0, 1, *WHOLE, 0.5), (0, 2, *WHOLE, 0.0)])

    borne = [charged(watts, HALVES, activity)[(Account.JOB, 2)][1] for watts in (20.0, 100.0, 700.0)]

    assert borne == [10 * 3_600_000] * 3


def test_a_job_that_holds_a_device_in_two_pieces_leaves_nothing_to_guess() -> None:
    found = charged(100.0, [(0, 1, *WHOLE, 500), (0, 1, *WHOLE, 250)], Activity.none())

    assert found[(Account.JOB, 1)] == (2_700_000, (15 + 80) * 3_600_000, Quality.MEASURED)
    assert found[(Account.IDLE, -1)] == (900_000, 5 * 3_600_000, Quality.MEASURED)


def test_a_reading_counts_for_the_seconds_in_which_it_touches_a_segment() -> None:
    held = [(0, 1, 0, 900, 500), (0, 2, 0, 900, 500)]

    found, used = weights(held, busy([(0, 1, -500, 300, 0.5), (0, 1, 300, 400, 0.1), (0, 2, 0, 5_000, 0.25)]))

    assert found == [(150 + 10) * UNITS, 225 * UNITS]
    assert used == [True, True]


def test_activity_of_somebody_who_holds_nothing_is_left_out() -> None:
    held = [(0, 1, 0, 900, 500), (0, 2, 0, 900, 500)]
    activity = busy([(0, 1, 0, 900, 0.5), (0, 2, 0, 900, 0.5), (0, 9, 0, 900, 1.0), (0, 0, 0, 900, 1.0)])

    assert weights(held, activity) == ([450 * UNITS] * 2, [True, True])


def test_each_segment_is_judged_by_itself() -> None:
    held = [(0, 1, 0, 1_800, 500), (0, 2, 0, 1_800, 500)]

    found, used = weights(held, busy([(0, 1, 0, 1_800, 0.5), (0, 2, 0, 900, 0.5)]))

    assert used == [True, True, False, False]
    assert found[2:] == [450_000, 450_000]


@settings(max_examples=50, deadline=None)
@given(
    eighths=st.lists(st.integers(0, 8), min_size=2, max_size=6),
    watts=st.integers(0, 700),
    scale=st.sampled_from([0.125, 0.5, 8.0]),
)
def test_only_the_proportion_counts_and_nothing_is_lost(eighths: list[int], watts: int, scale: float) -> None:
    held = [(0, job, *WHOLE, 100) for job in range(len(eighths))]

    once = charged(watts, held, busy([(0, job, *WHOLE, one / 8) for job, one in enumerate(eighths)]))
    scaled = charged(watts, held, busy([(0, job, *WHOLE, one / 8 * scale) for job, one in enumerate(eighths)]))

    assert once == scaled
    assert sum(energy for _, energy, _ in once.values()) == watts * 3_600_000
