import numpy as np
import pytest

from aiobserve.attribution.integrate import Samples, energy_curve

NAN = float("nan")


def counter(*readings: float, every_s: float = 60.0) -> Samples:
    at_s = np.arange(len(readings)) * every_s
    return Samples(at_s, np.array(readings, dtype=float), np.full(len(readings), NAN))


def power(*watts: float, every_s: float = 60.0) -> Samples:
    at_s = np.arange(len(watts)) * every_s
    return Samples(at_s, np.full(len(watts), NAN), np.array(watts, dtype=float))


@pytest.mark.parametrize(("readings", "total"), [((900, 100, 1000), 1000), ((900, 100, 150), 150), ((5, 5, 5), 0)])
def test_a_counter_that_falls_has_restarted_at_zero(readings: tuple[float, ...], total: float) -> None:
    curve = energy_curve(counter(*readings), tdp_w=400)

    assert curve.cumulative_millij[-1] == total


def test_the_interval_of_a_restart_is_not_called_measured() -> None:
    curve = energy_curve(counter(900, 100, 1000), tdp_w=400)

    assert curve.doubtful.tolist() == [False, True, False]


def test_a_hundred_watts_for_an_hour_are_a_hundred_watt_hours() -> None:
    curve = energy_curve(power(*[100.0] * 61), tdp_w=400)

    assert curve.cumulative_millij[-1] == 360_000_000


def test_a_missing_counter_reading_is_bridged_by_its_neighbours() -> None:
    curve = energy_curve(counter(0, NAN, 12_000_000), tdp_w=400)

    assert curve.cumulative_millij[-1] == 12_000_000


def test_absurd_power_is_quarantined() -> None:
    curve = energy_curve(power(100, 9_000, 100), tdp_w=400)

    assert curve.cumulative_millij[-1] == 12_000_000
    assert curve.quarantined == 1


def test_a_counter_that_leaps_beyond_the_rated_power_is_replaced_by_sampled_power() -> None:
    samples = Samples(np.array([0.0, 60.0]), np.array([0.0, 1e12]), np.array([100.0, 100.0]))

    curve = energy_curve(samples, tdp_w=400)

    assert curve.cumulative_millij[-1] == 6_000_000
    assert curve.doubtful[-1]
