"""Forecasts daily totals to the end of a span: weekday pattern, recent level, damped trend; with an interval from its own past errors.

Not for single jobs and not for hours. Pure, and a few milliseconds for a year of days.

    level  = weighted mean of the last 28 days without their weekday, halving every 14 days
    season = median of (day / mean of its week) by weekday over the last 8 weeks, drawn towards 1 when weeks are few
    trend  = (mean of the last 14 days - mean of the 14 before) / 14 a day, damped by 0.8 a day, as far as it is
             beyond two standard errors
    day    = (level + damped trend) x season, never below zero for what never was

The interval is conformal: the same method is run at past days, its errors over the same number of days ahead are
sorted, and the k-th smallest, k = ceil((n + 1) x coverage), is the half width. Source: split conformal prediction
(Vovk, Gammerman and Shafer 2005). Cut-offs overlap, so the guarantee is empirical here: tests report the coverage found.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Days = npt.NDArray[np.float64]

WEEK = 7
LEVEL_DAYS, HALF_LIFE_DAYS = 28, 14.0
SEASON_WEEKS = 8
TREND_DAYS, DAMPING = 14, 0.8
# A rise counts as far as its square exceeds this many times its variance (two standard errors).
NOISE = 4.0
# Below this many days nothing but their mean can be said.
LEAST_DAYS = 14
# No more past cut-offs than this are tried.
MOST_CUTS = 120
# How much wider than the largest error that was seen the interval is when there were too few of them.
SHORT_FACTOR = 2.0
COVERAGES = (0.80, 0.95)


@dataclass(frozen=True)
class Interval:
    """Where the total lies with a coverage, in the unit of the history; whole numbers."""

    coverage: float
    low: int
    high: int


@dataclass(frozen=True)
class Forecast:
    """Expected days and their total.

    Attributes:
        days: the expected total of each day ahead.
        total: their sum.
        intervals: of the total, by coverage, the narrower first.
        cumulative: for each day ahead, (low, high) of the running sum with the first and the second coverage.
        errors: how many past cut-offs the interval rests on.
        is_short: True when there were too few of them for a coverage: the interval is wide and a guess.
    """

    days: tuple[int, ...]
    total: int
    intervals: tuple[Interval, ...]
    cumulative: tuple[tuple[tuple[int, int], ...], ...]
    errors: int
    is_short: bool


def forecast(history: Sequence[int], *, first_weekday: int, ahead: int) -> Forecast:
    """Forecast the days that follow a history of complete days.

    Args:
        history: total of each day, oldest first, without a gap; a day on which nothing happened is 0.
        first_weekday: 0 for Monday, of the first day of the history.
        ahead: number of days to forecast, 0 or more.
    """
    days = np.array(history, dtype=np.float64)
    expected = expected_days(days, first_weekday=first_weekday, ahead=ahead)
    errors = past_errors(days, first_weekday=first_weekday, ahead=ahead)
    sums = np.cumsum(expected)
    never_below = bool((days >= 0).all())
    bands, is_short = [], False
    for coverage in COVERAGES:
        widths = [half_width(errors[:, day], coverage=coverage, expected=float(sums[day])) for day in range(ahead)]
        is_short |= any(short for _, short in widths)
        # A longer sum of days that cannot be negative is not known better than a shorter one.
        width = np.maximum.accumulate([one for one, _ in widths]) if ahead else np.zeros(0)
        low, high = sums - width, sums + width
        bands.append(
            [(max(round(a), 0) if never_below else round(a), round(b)) for a, b in zip(low, high, strict=True)]
        )
    whole = tuple(round(day) for day in expected.tolist())
    return Forecast(
        days=whole,
        total=sum(whole),
        intervals=tuple(
            Interval(coverage, *(band[-1] if ahead else (0, 0)))
            for coverage, band in zip(COVERAGES, bands, strict=True)
        ),
        cumulative=tuple(tuple(band[day] for band in bands) for day in range(ahead)),
        errors=len(errors),
        is_short=is_short and ahead > 0,
    )


def expected_days(history: Days, *, first_weekday: int, ahead: int) -> Days:
    """Return the expected total of each day ahead, shape (ahead,); the mean where the history is under 14 days."""
    if not history.size:
        return np.zeros(ahead)
    if history.size < LEAST_DAYS:
        return np.full(ahead, history.mean())
    weekday = (first_weekday + np.arange(history.size + ahead)) % WEEK
    season = _season(history, weekday[: history.size])
    recent, factor = history[-LEVEL_DAYS:], season[weekday[: history.size][-LEVEL_DAYS:]]
    weight = 0.5 ** (np.arange(recent.size)[::-1] / HALF_LIFE_DAYS)
    # Sums over sums: a weekday that is drawn towards 1 biases a mean of quotients, and not this.
    level = float((recent * weight).sum() / (factor * weight).sum())
    steps = np.cumsum(DAMPING ** np.arange(1, ahead + 1))
    days = (level + _trend(history) * steps) * season[weekday[history.size :]]
    return np.maximum(days, 0.0) if (history >= 0).all() else days


def run_rate(history: Days, *, elapsed: int, ahead: int) -> Days:
    """Return the naive forecast that budgets are usually shown with: the mean of the days since the window began, on and on."""
    since = history[-elapsed:] if elapsed else history
    return np.full(ahead, since.mean() if since.size else 0.0)


def past_errors(history: Days, *, first_weekday: int, ahead: int) -> Days:
    """Return the errors of the running sums at past cut-offs, shape (cut-offs, ahead): what came less what was expected."""
    last = history.size - ahead
    cuts = range(max(LEAST_DAYS, last - MOST_CUTS + 1), last + 1)
    found = [
        np.cumsum(history[cut : cut + ahead])
        - np.cumsum(expected_days(history[:cut], first_weekday=first_weekday, ahead=ahead))
        for cut in cuts
    ]
    return np.array(found).reshape(len(found), ahead)


def half_width(errors: Days, *, coverage: float, expected: float) -> tuple[float, bool]:
    """Return half the width of the interval, and whether there were too few errors to know it.

    With too few it is twice the largest error, and at least the forecast itself.
    """
    size = np.sort(np.abs(errors))
    rank = math.ceil((size.size + 1) * coverage)
    if rank <= size.size:
        return float(size[rank - 1]), False
    largest = float(size[-1]) if size.size else 0.0
    return max(SHORT_FACTOR * largest, abs(expected)), True


def _season(history: Days, weekday: npt.NDArray[np.int64]) -> Days:
    """Return the factor of each weekday, mean 1; drawn towards 1 by as much as two more weeks of none would."""
    span = min(history.size // WEEK, SEASON_WEEKS) * WEEK
    recent, days = history[-span:], weekday[-span:]
    means = np.repeat(recent.reshape(-1, WEEK).mean(axis=1), WEEK)
    ratio = np.where(means > 0, recent / np.where(means > 0, means, 1.0), 1.0)
    weeks = span // WEEK
    factor = np.array([np.median(ratio[days == day]) for day in range(WEEK)])
    factor = (weeks * factor + 2.0) / (weeks + 2.0)
    mean = factor.mean()
    return factor / mean if mean > 0 else np.ones(WEEK)


def _trend(history: Days) -> float:
    """Return the slope a day, drawn towards none unless it stands out of the noise; a slope of chance is the worst forecast."""
    if history.size < 2 * TREND_DAYS:
        return 0.0
    late, early = history[-TREND_DAYS:], history[-2 * TREND_DAYS : -TREND_DAYS]
    rise = float(late.mean() - early.mean())
    noise = NOISE * float(late.var(ddof=1) + early.var(ddof=1)) / TREND_DAYS
    return rise * max(0.0, 1.0 - noise / rise**2) / TREND_DAYS if rise else 0.0
