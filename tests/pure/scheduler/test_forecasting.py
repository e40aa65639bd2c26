import numpy as np
import pytest

from scheduler.forecasting.blend import REFIT_HOURS, Blend, NoIssueYet
from scheduler.forecasting.smooth import best_width, smoothed

DAY = np.sin(np.arange(24) * 2 * np.pi / 24) * 100 + 300


def test_a_straight_line_is_not_bent_by_smoothing() -> None:
    line = np.arange(30.0)

    assert smoothed(line, width=5)[2:-2] == pytest.approx(line[2:-2])
    assert smoothed(line, width=1) is line


def test_noise_is_taken_out_of_what_is_smooth_and_left_in_what_is_not() -> None:
    rng = np.random.default_rng(7)
    slow = np.sin(np.arange(400) / 40) * 100
    noisy = slow + rng.normal(0, 20, 400)

    width = best_width(noisy, error=20)

    assert width > 1
    assert np.abs(smoothed(noisy, width=width) - slow).mean() < np.abs(noisy - slow).mean() / 1.5
    assert best_width(rng.normal(0, 500, 400), error=1) == 1


def blend(actual: np.ndarray, off: float) -> Blend:
    """Daily issues of two days that are `off` everywhere."""
    issued = {hour: actual[hour : hour + 48] + off for hour in range(0, len(actual) - 48, 24)}
    return Blend(actual, issued, horizon=48)


def test_what_an_issue_is_always_off_by_is_learnt() -> None:
    rng = np.random.default_rng(3)
    actual = np.tile(DAY, 90) + rng.normal(0, 30, 90 * 24)
    made = blend(actual, off=150)
    hour = 80 * 24 + 5

    assert np.abs(made.issue_at(hour)[:43] - actual[hour : hour + 43]).mean() == pytest.approx(150)
    assert np.abs(made.at(hour)[:43] - actual[hour : hour + 43]).mean() < 15


def test_nothing_of_the_future_is_looked_at() -> None:
    rng = np.random.default_rng(3)
    actual = np.tile(DAY, 90) + rng.normal(0, 30, 90 * 24)
    issued = {hour: actual[hour : hour + 48] + 9 for hour in range(0, len(actual) - 48, 24)}
    hour = 70 * 24 + 11
    altered = actual.copy()
    altered[hour:] = -1e6
    told_later = {at: values if at <= hour else values * 0 for at, values in issued.items()}

    assert (
        Blend(actual, issued, horizon=48).at(hour).tolist() == Blend(altered, told_later, horizon=48).at(hour).tolist()
    )


def test_while_little_is_known_the_issue_stands() -> None:
    actual = np.tile(DAY, 90)
    made = blend(actual, off=10)

    assert made.at(made.first + REFIT_HOURS - 1).tolist() == made.issue_at(made.first + REFIT_HOURS - 1).tolist()


def test_an_hour_before_the_first_issue_is_refused() -> None:
    made = Blend(np.ones(900), {48: np.ones(24)}, horizon=24)

    with pytest.raises(NoIssueYet, match="the first forecast is of hour 48"):
        made.at(3)
