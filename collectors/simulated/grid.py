"""Prices and intensities of the two grid zones, hour by hour, and the forecasts of them as they were issued."""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import numpy.typing as npt
import pandas as pd

from aiobserve.domain.quality import Quality
from aiobserve.domain.units import HOURS_PER_DAY, SECONDS_PER_HOUR
from collectors.simulated import shapes
from collectors.simulated.company import SITES, SPAN
from collectors.simulated.lanes import LANES
from collectors.simulated.random_streams import stream

FloatArray = npt.NDArray[np.float64]

HORIZON_H = 96
FORECAST_DAYS = 14
HOURS = SPAN.duration_s // SECONDS_PER_HOUR + HORIZON_H
# A forecast errs more the further it looks: this share of the value after one day, growing with the root of time.
ERROR_AFTER_A_DAY = {
    "electricity_usd_per_mwh": 0.14,
    "carbon_lifecycle_g_per_kwh": 0.07,
    "carbon_marginal_g_per_kwh": 0.1,
}
# The plant that answers a little more load is a gas or a coal one, in turns: its intensity, and how far it swings. Assumed.
MARGINAL_G, MARGINAL_SWING_G = 620.0, 180.0
SOURCE = "simulated grid"


@dataclass(frozen=True)
class Zone:
    """Hourly truth of a grid zone, from the start of the span to four days after its end, shape (HOURS,)."""

    usd_per_mwh: FloatArray
    g_per_kwh: FloatArray
    marginal_g_per_kwh: FloatArray


@lru_cache(maxsize=8)
def zone(name: str, seed: int) -> Zone:
    """Return the truth of a zone: the hourly shape of the real one, days that differ, and noise."""
    rng = stream(seed, "grid", name)
    german = name == "DE"
    days = HOURS // HOURS_PER_DAY + 1
    wind = _wandering(rng, days, persistence=0.6, spread=0.22 if german else 0.08)
    demand = _wandering(rng, days, persistence=0.7, spread=0.18)
    hour = np.arange(HOURS)
    day, of_day = hour // HOURS_PER_DAY, hour % HOURS_PER_DAY
    weekend = np.isin((day + SPAN.start_at.weekday()) % 7, (5, 6))
    carbon_shape = shapes.DE_CARBON_BY_HOUR if german else shapes.PJM_CARBON_BY_HOUR
    price_shape = shapes.DE_PRICE_BY_HOUR if german else shapes.PJM_PRICE_BY_HOUR
    carbon_mean = shapes.DE_CARBON_MEAN_G if german else shapes.PJM_CARBON_MEAN_G
    price_mean = shapes.DE_PRICE_MEAN_USD if german else shapes.PJM_PRICE_MEAN_USD
    smooth = np.interp(hour, np.arange(days) * HOURS_PER_DAY + HOURS_PER_DAY / 2, wind)
    carbon = carbon_mean * carbon_shape[of_day] * (1 - smooth) * (1 - 0.08 * weekend) * rng.normal(1, 0.02, HOURS)
    price = price_mean * (price_shape[of_day] * (1 + demand[day]) - 0.9 * smooth - 0.25 * weekend)
    noisy = price + rng.normal(0, 0.04 * price_mean, HOURS)
    return Zone(
        np.round(noisy, 2).astype(np.float64),
        np.round(np.maximum(carbon, 20), 1).astype(np.float64),
        np.round(MARGINAL_G + MARGINAL_SWING_G * _wandering(rng, HOURS, persistence=0.8, spread=0.6), 1),
    )


def _wandering(rng: np.random.Generator, days: int, *, persistence: float, spread: float) -> FloatArray:
    """Return a series that wanders about zero from day to day."""
    values = np.zeros(days)
    for day in range(1, days):
        values[day] = persistence * values[day - 1] + rng.normal(0, spread * (1 - persistence**2) ** 0.5)
    return values


def actual_signals(seed: int) -> pd.DataFrame:
    """Return what price, intensity, PUE and request load really were over the span."""
    hours = SPAN.duration_s // SECONDS_PER_HOUR
    parts = [_pue()]
    for site in SITES:
        truth = zone(site.grid_zone, seed)
        parts.append(_steps("electricity_usd_per_mwh", site.grid_zone, truth.usd_per_mwh[:hours], 0))
        parts.append(_steps("carbon_lifecycle_g_per_kwh", site.grid_zone, truth.g_per_kwh[:hours], 0))
        parts.append(_steps("carbon_marginal_g_per_kwh", site.grid_zone, truth.marginal_g_per_kwh[:hours], 0))
    for model in {lane.works[0].model: None for lane in LANES if lane.pattern == "serving"}:
        parts.append(_steps("requests_per_s", model, requests_per_s(model, seed)[:hours], 0))
    return pd.concat(parts, ignore_index=True)


def forecast_signals(seed: int) -> pd.DataFrame:
    """Return the forecasts issued at midnight UTC of the last 14 days and at the present, 96 hours each."""
    parts = []
    last_h = SPAN.duration_s // SECONDS_PER_HOUR
    for site in SITES:
        truth = zone(site.grid_zone, seed)
        for kind, values in (
            ("electricity_usd_per_mwh", truth.usd_per_mwh),
            ("carbon_lifecycle_g_per_kwh", truth.g_per_kwh),
            ("carbon_marginal_g_per_kwh", truth.marginal_g_per_kwh),
        ):
            for issued_h in range(last_h - FORECAST_DAYS * HOURS_PER_DAY, last_h + 1, HOURS_PER_DAY):
                rng = stream(seed, "forecast", site.grid_zone, kind, str(issued_h))
                lead = np.arange(1, HORIZON_H + 1)
                error = np.cumsum(rng.normal(0, 1, HORIZON_H)) / np.sqrt(HOURS_PER_DAY) * ERROR_AFTER_A_DAY[kind]
                wrong = values[issued_h : issued_h + len(lead)] + error * abs(values).mean()
                parts.append(_steps(kind, site.grid_zone, np.round(wrong, 2), issued_h, forecast=True))
    return pd.concat(parts, ignore_index=True)


@lru_cache(maxsize=8)
def requests_per_s(model: str, seed: int) -> FloatArray:
    """Return the hourly load of a served model, shape (HOURS,)."""
    rng = stream(seed, "requests", model)
    hour = np.arange(HOURS)
    weekday = (hour // HOURS_PER_DAY + SPAN.start_at.weekday()) % 7
    shape = shapes.REQUESTS_BY_HOUR[hour % HOURS_PER_DAY] * shapes.REQUESTS_BY_WEEKDAY[weekday]
    return np.round(12.0 * shape * rng.normal(1, 0.05, HOURS), 3)


def _steps(kind: str, scope: str, values: FloatArray, first_h: int, *, forecast: bool = False) -> pd.DataFrame:
    start_at = pd.Timestamp(SPAN.start_at) + pd.to_timedelta(first_h + np.arange(len(values)), unit="h")
    issued_at = pd.Timestamp(SPAN.start_at) + pd.Timedelta(hours=first_h) if forecast else pd.NaT
    return pd.DataFrame(
        {
            "kind": kind,
            "scope": scope,
            "source": SOURCE,
            "issued_at": pd.Series(issued_at, index=range(len(values)), dtype="datetime64[us, UTC]"),
            "start_at": start_at,
            "end_at": start_at + pd.Timedelta(hours=1),
            "value": values,
            "quality": int(Quality.ESTIMATED if forecast else Quality.MEASURED),
        }
    )


def _pue() -> pd.DataFrame:
    return pd.DataFrame(
        {
            "kind": "pue_ratio",
            "scope": [site.name for site in SITES],
            "source": SOURCE,
            "issued_at": pd.Series(pd.NaT, index=range(len(SITES)), dtype="datetime64[us, UTC]"),
            "start_at": SPAN.start_at,
            "end_at": SPAN.end_at + pd.Timedelta(days=400),
            "value": [site.pue_ratio for site in SITES],
            "quality": int(Quality.MEASURED),
        }
    )
