"""What the meters say of windows: the fast way and the careful way alike."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aiobserve.attribution.metering import Metered, meter
from aiobserve.attribution.segments import Segments, cut
from aiobserve.attribution.series import Series
from aiobserve.domain.quality import Quality
from tests.pure.attribution.sites import reservations

NAN = float("nan")


def readings(*pairs: tuple[float, float], power_w: float = NAN) -> Series:
    """Return one device's (second, counter in mJ) readings."""
    flat = np.array(pairs, dtype=np.float64).reshape(-1, 2)
    count = len(flat)
    at_us = np.rint(flat[:, 0] * 1_000_000).astype(np.int64)
    return Series(np.array([0, count]), at_us, flat[:, 1].copy(), np.full(count, power_w))


def windows(*edges_s: int) -> Segments:
    return cut(reservations([]), np.array(edges_s, dtype=np.int64), 1)


def metered(series: Series, segments: Segments, tdp_w: float = 400.0) -> Metered:
    return meter(series, segments, np.array([tdp_w]))


def test_neighbouring_windows_sum_to_their_union() -> None:
    rng = np.random.default_rng(1)
    at_s = np.sort(rng.uniform(-100, 3_700, 300))
    series = readings(*zip(at_s, np.cumsum(rng.integers(0, 10**6, 300)), strict=True))

    parts = metered(series, windows(0, 900, 1_800, 2_700, 3_600), tdp_w=1e9)
    whole = metered(series, windows(0, 3_600), tdp_w=1e9)

    assert parts.energy_millij.sum() == whole.energy_millij[0] > 0


def test_energy_in_a_long_silence_is_known_but_only_estimated_by_window() -> None:
    found = metered(readings((0, 0), (7_200, 7_200_000)), windows(0, 3_600, 7_200))

    assert found.energy_millij.tolist() == [3_600_000, 3_600_000]
    assert found.known.all()
    assert found.quality.tolist() == [Quality.ESTIMATED] * 2
    # Five per cent of the sensor, and all of it could have been drawn in either half.
    assert found.error_millij.tolist() == [180_000 + 7_200_000] * 2


@pytest.mark.parametrize("power_w", [NAN, 1.0])
def test_a_counter_that_restarts_is_worth_its_new_reading_and_widens_the_band(power_w: float) -> None:
    series = readings((-60, 0), (300, 300_000), (360, 12_000), (900, 552_000), (960, 600_000), power_w=power_w)

    found = metered(series, windows(0, 900))

    assert found.energy_millij.tolist() == [250_000 + 12_000 + 540_000]
    assert found.quality.tolist() == [Quality.ESTIMATED]
    assert found.error_millij.tolist() == [round(802_000 * 0.05) + 400 * 1000 * 60]


def test_a_window_beyond_the_last_reading_is_unknown() -> None:
    found = metered(readings(*((60.0 * i, 1_000.0 * i) for i in range(16))), windows(0, 900, 1_800))

    assert found.known.tolist() == [True, False]
    assert found.energy_millij.tolist() == [15_000, 0]


@pytest.mark.parametrize("pairs", [(), ((0.0, 5.0),)])
def test_a_device_with_hardly_a_reading_has_no_known_energy(pairs: tuple[tuple[float, float], ...]) -> None:
    assert not metered(readings(*pairs), windows(0, 900)).known.any()


def test_a_steady_counter_is_measured_within_the_sensor_error() -> None:
    found = metered(readings(*((60.0 * i, 6_000_000.0 * i) for i in range(17))), windows(0, 900))

    assert found.energy_millij.tolist() == [90_000_000]
    assert found.quality.tolist() == [Quality.MEASURED]
    assert found.error_millij.tolist() == [4_500_000]


def test_sampled_power_is_integrated_with_a_wider_band() -> None:
    series = Series(np.array([0, 17]), np.arange(17) * 60_000_000, np.full(17, NAN), np.full(17, 100.0))

    found = metered(series, windows(0, 900))

    assert found.energy_millij.tolist() == [90_000_000]
    assert found.error_millij.tolist() == [9_000_000]


def test_two_jobs_that_meet_inside_a_window_do_not_share_its_energy_by_time() -> None:
    # A hundred watts until second 300, a thousandth of that after.
    series = readings((0, 0), (300, 30_000_000), (900, 30_060_000))
    segments = cut(reservations([(0, 1, 0, 300, 1000), (0, 2, 300, 900, 1000)]), np.array([0, 900]), 1)

    assert metered(series, segments).energy_millij.tolist() == [30_000_000, 60_000]


@st.composite
def devices(draw: st.DrawFn) -> Series:
    """Return readings in order, with restarts and silences."""
    counts = draw(st.lists(st.integers(0, 40), min_size=1, max_size=6))
    rng = np.random.default_rng(draw(st.integers(0, 2**32)))
    at_us, counter = [], []
    for count in counts:
        gaps_s = rng.choice([15.0, 60.0, 700.0], count, p=[0.6, 0.3, 0.1]) + rng.uniform(0, 2, count)
        at_us.append(np.cumsum(np.rint(gaps_s * 1e6)).astype(np.int64) - 300_000_000)
        steps = np.rint(rng.uniform(0, 300, count) * 1000 * gaps_s)
        readings = np.cumsum(steps)
        for restart in rng.integers(1, max(count, 2), rng.integers(0, 3)):
            readings[restart:] -= readings[restart] - rng.integers(0, 1_000) if count > 1 else 0
        counter.append(np.maximum(readings, 0))
    offset = np.r_[0, np.cumsum(counts)].astype(np.int64)
    return Series(offset, np.concatenate(at_us), np.concatenate(counter), np.full(int(offset[-1]), NAN))


@settings(max_examples=200, deadline=None)
@given(series=devices(), seed=st.integers(0, 2**32))
def test_the_fast_way_and_the_careful_way_agree(series: Series, seed: int) -> None:
    count = len(series.offset) - 1
    rng = np.random.default_rng(seed)
    held = [(int(rng.integers(count)), 0, int(a), int(a) + 200, 1000) for a in rng.integers(0, 1_800, 5)]
    segments = cut(reservations(held), np.array([0, 900, 1_800]), count)

    fast = meter(series, segments, np.full(count, 400.0))
    # A second reading of the very same kind makes a device go the careful way and changes nothing.
    doubled = Series(
        series.offset * 2,
        np.repeat(series.at_us, 2),
        np.repeat(series.energy_millij, 2),
        np.full(len(series.at_us) * 2, NAN),
    )
    careful = meter(doubled, segments, np.full(count, 400.0))

    assert (fast.known == careful.known).all()
    assert np.abs(fast.energy_millij - careful.energy_millij).max(initial=0) <= 1
    assert (fast.quality[fast.known] == careful.quality[fast.known]).all()
    assert np.abs(fast.error_millij - careful.error_millij)[fast.known].max(initial=0) <= 2
