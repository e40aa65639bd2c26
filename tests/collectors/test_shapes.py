"""The constants of the simulated company: derived again from the files that they were fitted to, and found in the fleet."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from collectors.simulated import company, shapes
from collectors.simulated.grid import requests_per_s, zone
from collectors.simulated.jobs import runs
from collectors.simulated.lanes import LANES

Grid = tuple[str, str, float, np.ndarray, float, np.ndarray, float]


def over_mean(values: "pd.Series[float]") -> np.ndarray:
    return (values / values.mean()).to_numpy()


def test_job_durations(traces: Path) -> None:
    jobs = pd.read_parquet(traces / "open/jobs/itp_raw_jobs.parquet")

    assert np.log(jobs["duration"]).std() == pytest.approx(shapes.LOG_DURATION_SIGMA, abs=0.05)
    assert jobs["duration"].median() == pytest.approx(shapes.MEDIAN_DURATION_S, rel=0.02)


def test_requests_by_hour_and_weekday(traces: Path) -> None:
    rates = pd.read_parquet(traces / "open/llm_requests/servegen_m-small_client_rates.parquet")

    by_hour = rates.groupby(rates["t_s"] // 3600 % 24)["rate_rps"].sum()
    by_day = rates.groupby(rates["t_s"] // 86400 % 7)["rate_rps"].sum()

    assert over_mean(by_hour) == pytest.approx(shapes.REQUESTS_BY_HOUR, abs=0.01)
    assert over_mean(by_day) == pytest.approx(shapes.REQUESTS_BY_WEEKDAY, abs=0.01)


def test_the_share_of_gpus_that_is_allocated(traces: Path) -> None:
    minutes = pd.read_parquet(traces / "open/cluster_util/helios_earth_8vc_minutes.parquet")

    share = minutes["running_gpu_num"].sum() / minutes["total_gpu_num"].sum()

    assert share == pytest.approx(shapes.ALLOCATED_SHARE, abs=0.01)


GRIDS = (
    ("DE-LU", "DE", 1.08, shapes.DE_PRICE_BY_HOUR, shapes.DE_PRICE_MEAN_USD, shapes.DE_CARBON_BY_HOUR, shapes.DE_CARBON_MEAN_G),
    ("US-MIDA-PJM", "US-MIDA-PJM", 1.0, shapes.PJM_PRICE_BY_HOUR, shapes.PJM_PRICE_MEAN_USD, shapes.PJM_CARBON_BY_HOUR,
     shapes.PJM_CARBON_MEAN_G),
)  # fmt: skip


@pytest.mark.parametrize("grid", GRIDS, ids=["DE", "PJM"])
def test_the_hours_and_means_of_price_and_carbon(traces: Path, grid: Grid) -> None:
    price_zone, carbon_zone, usd_per_unit, price_shape, price_mean, carbon_shape, carbon_mean = grid
    prices = pd.read_parquet(traces / "conditions/prices/hourly_DE_FR_PJM_CAISO_2021-2023.parquet")
    carbon = pd.read_parquet(traces / "conditions/carbon/ci_hourly_DE_GB_CAISO_PJM_2021-2023.parquet")

    price, intensity = (
        autumn(prices[prices["zone"] == price_zone], "price_per_mwh"),
        autumn(carbon[carbon["zone"] == carbon_zone], "ci_lca_g_per_kwh"),
    )

    assert over_mean(price) == pytest.approx(price_shape, abs=0.01)
    assert over_mean(intensity) == pytest.approx(carbon_shape, abs=0.01)
    assert price.mean() * usd_per_unit == pytest.approx(price_mean, rel=0.01)
    assert intensity.mean() == pytest.approx(carbon_mean, rel=0.01)


def autumn(frame: pd.DataFrame, column: str) -> "pd.Series[float]":
    """Return the mean by UTC hour of August to October 2023."""
    at = frame["timestamp_utc"]
    chosen = frame[(at.dt.year == 2023) & at.dt.month.isin([8, 9, 10])]
    return chosen.groupby(chosen["timestamp_utc"].dt.hour)[column].mean()


def test_the_generated_jobs_have_the_durations_and_the_allocation() -> None:
    usual = [lane for lane in LANES if lane.pattern == "renewal" and lane.median_s == shapes.MEDIAN_DURATION_S]
    duration_s = np.array([run.end_s - run.start_s for run in runs(company.SEED) if run.lane in usual])
    shared = [lane for lane in usual if lane.busy_share == shapes.ALLOCATED_SHARE]
    held_s = sum(run.end_s - run.start_s for run in runs(company.SEED) if run.lane in shared)

    assert len(usual) >= 5 and len(shared) >= 2
    assert np.median(duration_s) == pytest.approx(shapes.MEDIAN_DURATION_S, rel=0.1)
    assert np.log(duration_s).std() == pytest.approx(shapes.LOG_DURATION_SIGMA, abs=0.05)
    assert held_s / (len(shared) * company.SPAN.duration_s) == pytest.approx(shapes.ALLOCATED_SHARE, abs=0.05)


def test_the_generated_requests_have_the_hours_and_weekdays() -> None:
    rate = requests_per_s("chat-70b", company.SEED)
    hour = np.arange(len(rate))

    by_hour = pd.Series(rate).groupby(hour % 24).mean()
    by_day = pd.Series(rate).groupby((hour // 24 + company.SPAN.start_at.weekday()) % 7).mean()

    assert over_mean(by_hour) == pytest.approx(shapes.REQUESTS_BY_HOUR, abs=0.02)
    assert over_mean(by_day) == pytest.approx(shapes.REQUESTS_BY_WEEKDAY, abs=0.02)


@pytest.mark.parametrize("grid", GRIDS, ids=["DE", "PJM"])
def test_the_generated_grids_have_the_hours_and_means(grid: Grid) -> None:
    _, name, _, price_shape, price_mean, carbon_shape, carbon_mean = grid
    made = zone(name, company.SEED)
    hour = np.arange(len(made.usd_per_mwh)) % 24

    price, intensity = (pd.Series(values).groupby(hour).mean() for values in (made.usd_per_mwh, made.g_per_kwh))

    assert over_mean(price) == pytest.approx(price_shape, abs=0.08)
    assert over_mean(intensity) == pytest.approx(carbon_shape, abs=0.02)
    assert price.mean() == pytest.approx(price_mean, rel=0.08)
    assert intensity.mean() == pytest.approx(carbon_mean, rel=0.04)


def test_every_figure_is_fitted_and_drawn_from() -> None:
    """A constant that nothing draws from claims a fit that is not there."""
    readers = [path for path in Path(shapes.__file__).parent.glob("*.py") if path.name != "shapes.py"]
    words = " ".join(path.read_text() for path in readers)

    assert [name for name in vars(shapes) if name.isupper() and name not in words] == []
