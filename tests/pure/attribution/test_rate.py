import numpy as np
import pytest

from aiobserve.attribution.rate import value_in_windows
from aiobserve.domain.quality import Quality
from aiobserve.domain.signal import SignalMissing, StepSignal

HOUR_S = 3600


def hourly(*values: float) -> StepSignal:
    start_s = np.arange(len(values), dtype=np.int64) * HOUR_S
    return StepSignal(
        start_s, start_s + HOUR_S, np.array(values), np.full(len(values), Quality.MEASURED, np.int8), "test"
    )


def test_a_known_hour_keeps_its_value_and_quality() -> None:
    value, quality = value_in_windows(hourly(10, 20), np.array([0, HOUR_S]), what="price")

    assert value.tolist() == [10, 20]
    assert quality.tolist() == [Quality.MEASURED, Quality.MEASURED]


def test_a_hole_is_filled_with_the_last_value_and_marked() -> None:
    value, quality = value_in_windows(hourly(10, 20), np.array([5 * HOUR_S]), what="price")

    assert value.tolist() == [20]
    assert quality.tolist() == [Quality.ESTIMATED]


def test_a_hole_of_more_than_a_day_is_filled_with_the_mean_and_called_assumed() -> None:
    value, quality = value_in_windows(hourly(10, 20), np.array([50 * HOUR_S]), what="price")

    assert value.tolist() == [15]
    assert quality.tolist() == [Quality.ASSUMED]


def test_a_signal_without_any_value_is_refused_by_name() -> None:
    with pytest.raises(SignalMissing, match="no carbon intensity is known"):
        value_in_windows(hourly(), np.array([0]), what="carbon intensity")
