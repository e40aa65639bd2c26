"""The one look at every reading: each odd interval is suspected, and ordinary devices cost no second look."""

import numpy as np
import pytest

from aiobserve.attribution.scan import Scanner, judge
from aiobserve.attribution.series import Series

NAN = float("nan")
# One GPU of 400 W draws 520 J a second at the very most.
TDP_W = np.array([400.0, 400.0])


def series(*devices: list[tuple[float, float]]) -> Series:
    """Return the (second, joules) readings of some devices."""
    flat = np.array([pair for one in devices for pair in one], dtype=np.float64).reshape(-1, 2)
    offset = np.r_[0, np.cumsum([len(one) for one in devices])].astype(np.int64)
    return Series(offset, np.rint(flat[:, 0] * 1e6).astype(np.int64), flat[:, 1] * 1000)


def suspected(readings: Series) -> list[int]:
    return Scanner(readings, TDP_W).suspects(0, len(readings.offset) - 1).tolist()


STEADY = [(60.0 * i, 6_000.0 * i) for i in range(50)]


def test_steady_counters_are_not_suspected_nor_is_the_step_from_one_device_to_the_next() -> None:
    assert suspected(series(STEADY, [(at - 30_000, joules * 5) for at, joules in STEADY])) == []


@pytest.mark.parametrize(
    "odd",
    [(60.0 * 7, 100.0), (60.0 * 7, NAN), (60.0 * 7, 6_000 * 6 + 40_000.0), (60.0 * 6, 6_000 * 7.0), (60.0 * 5, 6_000 * 7.0)],
    ids=["restart", "missing", "impossible", "same instant", "disorder"],
)  # fmt: skip
def test_what_is_odd_is_suspected_whichever_device_it_is_of(odd: tuple[float, float]) -> None:
    assert 7 in suspected(series([*STEADY[:7], odd, *STEADY[8:]], STEADY))
    assert 57 in suspected(series(STEADY, [*STEADY[:7], odd, *STEADY[8:]]))


def test_a_long_gap_is_suspected_and_is_no_restart() -> None:
    readings = series([*STEADY[:7], *((at + 700, joules) for at, joules in STEADY[7:])])
    careful = np.zeros(1, dtype=bool)

    found = judge(readings, np.array(suspected(readings)), TDP_W, careful)

    assert (found.gaps.tolist(), found.resets.tolist(), careful.tolist()) == ([7], [], [False])


def test_a_restart_is_worth_its_new_reading_and_a_device_that_jumps_needs_care() -> None:
    restarted = [*STEADY[:7], *((at, joules - 6_000 * 7) for at, joules in STEADY[7:])]
    jumped = [*STEADY[:7], *((at, joules + 40_000) for at, joules in STEADY[7:])]
    readings, careful = series(restarted, jumped), np.zeros(2, dtype=bool)

    found = judge(readings, np.array(suspected(readings)), TDP_W, careful)

    assert (found.resets.tolist(), careful.tolist()) == ([7], [False, True])


@pytest.mark.parametrize("count", [0, 1])
def test_a_device_with_hardly_a_reading_has_no_interval(count: int) -> None:
    assert suspected(series(STEADY[:count])) == []
