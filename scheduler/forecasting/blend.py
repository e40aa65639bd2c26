"""An issued forecast made better by what has been measured since, learnt from how such forecasts turned out before.

For each span of lead hours one ridge regression of what came on the issue that was valid, the same hour of the days
before, and how far the issue has been off lately. It is refitted every four weeks on the past alone.
"""

from bisect import bisect_right
from collections.abc import Mapping

import numpy as np
import numpy.typing as npt

from aiobserve.domain.units import HOURS_PER_DAY

FloatArray = npt.NDArray[np.float64]

HOURS_PER_WEEK = 7 * HOURS_PER_DAY
# Nearer hours can be told better, so their weights differ: each span of leads has its own.
LEAD_EDGES = (0, 3, 6, 12, 24, 48, 72, 96)
REFIT_HOURS = 4 * HOURS_PER_WEEK
ORIGIN_HOURS = 6
RIDGE = 1e-4
FEATURES = 10


class Blend:
    """Forecasts of an hourly signal at any hour, from issues and measurements up to then.

    Args:
        actual: measured values, hour by hour from hour 0 on; those from the asked hour on are never looked at.
        issued: forecasts by the hour in which they were issued, each beginning with that hour.
        horizon: how many hours a forecast shall reach.
    """

    def __init__(self, actual: FloatArray, issued: Mapping[int, FloatArray], *, horizon: int) -> None:
        self.actual = actual
        self.issued = dict(issued)
        self.hours = sorted(self.issued)
        self.horizon = horizon
        weeks = -(-horizon // HOURS_PER_WEEK)
        self.first = max(self.hours[0], weeks * HOURS_PER_WEEK) + HOURS_PER_WEEK
        edges = [*(edge for edge in LEAD_EDGES if edge < horizon), horizon]
        self.leads = [slice(low, high) for low, high in zip(edges[:-1], edges[1:], strict=True)]
        self.squares = np.zeros((len(self.leads), FEATURES, FEATURES))
        self.products = np.zeros((len(self.leads), FEATURES))
        self.learnt_to = self.first
        self.weights: list[FloatArray] = []
        self.fitted_at = -REFIT_HOURS

    def at(self, hour: int) -> FloatArray:
        """Return the forecast of `hour` and the hours after it, shape (horizon,); the issue alone while little is known."""
        if hour < self.first + REFIT_HOURS:
            return self.issue_at(hour)
        if hour - self.fitted_at >= REFIT_HOURS:
            self._fit(hour)
        features = self._features(hour)
        return np.concatenate([features[leads] @ w for leads, w in zip(self.leads, self.weights, strict=True)])

    def issue_at(self, hour: int) -> FloatArray:
        """Return the issue that was valid at an hour, its last day repeated beyond its end, shape (horizon,)."""
        values, begins = self._valid(hour)
        rest = values[hour - begins :] if hour - begins < len(values) else values[-HOURS_PER_DAY:]
        days = -(-max(self.horizon - len(rest), 0) // HOURS_PER_DAY)
        return np.concatenate([rest, np.tile(values[-HOURS_PER_DAY:], days)])[: self.horizon]

    def issued_hour(self, hour: int) -> int:
        """Return the hour in which the issue that is valid at an hour was issued."""
        return self._valid(hour)[1]

    def yesterday_at(self, hour: int) -> FloatArray:
        """Return the last 24 measured hours over and over, shape (horizon,)."""
        return np.resize(self.actual[hour - HOURS_PER_DAY : hour], self.horizon)

    def _valid(self, hour: int) -> tuple[FloatArray, int]:
        k = bisect_right(self.hours, hour) - 1
        if k < 0:
            raise NoIssueYet(f"hour {hour}: the first forecast is of hour {self.hours[0]}; start the replay later")
        return self.issued[self.hours[k]], self.hours[k]

    def _fit(self, hour: int) -> None:
        """Learn from every sixth hour of the past whose whole horizon has been measured by now."""
        while self.learnt_to + self.horizon <= hour:
            features = self._features(self.learnt_to)
            came = self.actual[self.learnt_to : self.learnt_to + self.horizon]
            for k, leads in enumerate(self.leads):
                self.squares[k] += features[leads].T @ features[leads]
                self.products[k] += features[leads].T @ came[leads]
            self.learnt_to += ORIGIN_HOURS
        self.weights = [_ridge(a, b) for a, b in zip(self.squares, self.products, strict=True)]
        self.fitted_at = hour

    def _features(self, hour: int) -> FloatArray:
        """Return what is known at an hour about each of the next, shape (horizon, FEATURES)."""
        lead, past = np.arange(self.horizon), self.actual
        same_hour = np.array([past[hour - HOURS_PER_DAY * day + lead % HOURS_PER_DAY] for day in range(1, 8)])
        usual = same_hour.mean(axis=0)
        last_week = past[hour + lead - HOURS_PER_WEEK * (lead // HOURS_PER_WEEK + 1)]
        values, begins = self._valid(hour)
        rest = values[hour - begins :][: self.horizon]
        told = np.concatenate([rest, usual[len(rest) :]])
        off = np.array([past[h] - self._told(h) for h in range(hour - HOURS_PER_DAY, hour)])
        level = [past[hour - hours : hour].mean() for hours in (6, HOURS_PER_DAY, HOURS_PER_WEEK)]
        constant = np.tile([1.0, *level, off.mean(), off[-3:].mean()], (self.horizon, 1))
        return np.column_stack([told, same_hour[0], usual, last_week, constant])

    def _told(self, hour: int) -> float:
        """Return what the issue valid at an hour said about that hour; the hour's own value after the issue's end."""
        values, begins = self._valid(hour)
        return float(values[hour - begins]) if hour - begins < len(values) else float(self.actual[hour])


class NoIssueYet(ValueError):
    """No forecast had been issued by the hour that is asked for."""


def _ridge(squares: FloatArray, products: FloatArray) -> FloatArray:
    scale = np.sqrt(np.diag(squares)) + 1e-12
    return np.linalg.solve(squares / np.outer(scale, scale) + RIDGE * np.eye(len(scale)), products / scale) / scale
