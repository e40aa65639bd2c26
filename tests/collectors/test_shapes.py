"""The constants of the simulated company, derived again from the files that they were fitted to."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from collectors.simulated import shapes


def over_mean(values: "pd.Series[float]") -> np.ndarray:
    return (values / values.mean()).to_numpy()


def test_job_durations_and_sizes(traces: Path) -> None:
    jobs = pd.read_parquet(traces / "open/jobs/itp_raw_jobs.parquet")

    assert np.log(jobs["duration"]).std() == pytest.approx(shapes.LOG_DURATION_SIGMA, abs=0.05)
    assert jobs["duration"].median() == pytest.approx(shapes.MEDIAN_DURATION_S, rel=0.02)
    counts = jobs["num_gpu"].value_counts(normalize=True)
    assert {n: counts[n] for n in shapes.GPU_COUNT_SHARES} == pytest.approx(shapes.GPU_COUNT_SHARES, abs=0.01)


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


def test_board_power(traces: Path) -> None:
    cdf = pd.read_parquet(traces / "open/power/acme_util_cdf_arrays.parquet").query("file == 'gpu_power_seren'")
    watts, percent = (cdf[cdf["array"] == name].sort_values("i")["value"].to_numpy() for name in ("0", "1"))

    assert np.interp([50, 90], percent, watts) == pytest.approx([shapes.BOARD_W_MEDIAN, shapes.BOARD_W_P90], abs=1)


@pytest.mark.parametrize(
    ("zone", "price_shape", "carbon_shape"),
    [
        (("DE-LU", "DE"), shapes.DE_PRICE_BY_HOUR, shapes.DE_CARBON_BY_HOUR),
        (("US-MIDA-PJM", "US-MIDA-PJM"), shapes.PJM_PRICE_BY_HOUR, shapes.PJM_CARBON_BY_HOUR),
    ],
    ids=["DE", "PJM"],
)
def test_the_hours_of_price_and_carbon(
    traces: Path, zone: tuple[str, str], price_shape: np.ndarray, carbon_shape: np.ndarray
) -> None:
    prices = pd.read_parquet(traces / "conditions/prices/hourly_DE_FR_PJM_CAISO_2021-2023.parquet")
    carbon = pd.read_parquet(traces / "conditions/carbon/ci_hourly_DE_GB_CAISO_PJM_2021-2023.parquet")

    assert autumn(prices[prices["zone"] == zone[0]], "price_per_mwh") == pytest.approx(price_shape, abs=0.01)
    assert autumn(carbon[carbon["zone"] == zone[1]], "ci_lca_g_per_kwh") == pytest.approx(carbon_shape, abs=0.01)


def autumn(frame: pd.DataFrame, column: str) -> np.ndarray:
    """Return the mean by UTC hour of August to October 2023, over its mean."""
    at = frame["timestamp_utc"]
    chosen = frame[(at.dt.year == 2023) & at.dt.month.isin([8, 9, 10])]
    return over_mean(chosen.groupby(chosen["timestamp_utc"].dt.hour)[column].mean())
