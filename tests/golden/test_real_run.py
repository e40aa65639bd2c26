"""The real story: 69,351 jobs of ten clusters, March to May 2021, against pandas that shares no code with the product."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from aiobserve.domain.units import MICROG_PER_T, MICROUSD_PER_USD, MILLIJ_PER_MWH
from aiobserve.pipeline.check import check_all
from aiobserve.pipeline.collect import collect
from aiobserve.pipeline.sweep import attribute_due
from aiobserve.reports.scope import organisation_of, resolve
from aiobserve.reports.spend import spend
from aiobserve.store.write.organisation import ensure_organisation
from collectors.registry import make_collector
from tests.worlds import at

pytestmark = pytest.mark.django_db

JOBS = "open/jobs/itp_raw_jobs.parquet"
POWER = "open/power/mlperf_DGX-A100_A100-SXM-80GBx8_TRT_MaxQ_power_1hz.parquet"
RUNS = "open/power/mlperf_runs.csv.gz"
CARBON = "restricted/carbon/pjm_actual_2020-01_2021-06.parquet"
PRICES = "conditions/prices/hourly_DE_FR_PJM_CAISO_2021-2023.parquet"
GPUS = "open/gpu_prices/fsdl_cloud-gpus.csv"
NOW_AT = at(24 * 200)


def reckoned(folder: Path) -> pd.DataFrame:
    """Ten lines of pandas: GPU-hours, MWh, dollars and tonnes of each cluster."""
    power, runs = pd.read_parquet(folder / POWER), pd.read_csv(folder / RUNS, parse_dates=["power_begin", "power_end"])
    power, runs = power.drop_duplicates("ts_local"), runs[runs.system == power.system[0]]
    inside = [
        ((power.ts_local >= r.power_begin) & (power.ts_local <= r.power_end)).to_numpy() for r in runs.itertuples()
    ]
    watts = power.watts[np.logical_or.reduce(inside)].mean() / 8
    jobs = pd.read_parquet(folder / JOBS)
    first, last = jobs.submission_time // 3600, (jobs.submission_time + jobs.duration - 1) // 3600
    row = np.repeat(np.arange(len(jobs)), last - first + 1)
    hour = np.concatenate([np.arange(a, b + 1) for a, b in zip(first, last, strict=True)])
    start, end, n = (
        jobs.submission_time.to_numpy()[row],
        (jobs.submission_time + jobs.duration).to_numpy()[row],
        jobs.num_gpu.to_numpy()[row],
    )
    gpu_h = (np.minimum(end, hour * 3600 + 3600) - np.maximum(start, hour * 3600)) * n / 3600
    utc = pd.Timestamp("2021-03-04", tz="UTC") + pd.to_timedelta(hour, unit="h")
    price = (
        pd.read_parquet(folder / PRICES)
        .query("zone == 'US-MIDA-PJM'")
        .set_index("timestamp_utc")
        .price_per_mwh.reindex(utc)
        .to_numpy()
    )
    carbon = (
        pd.read_parquet(folder / CARBON)
        .set_index("timestamp_utc")
        .tz_localize("UTC")
        .ci_lca_g_per_kwh.reindex(utc)
        .to_numpy()
    )
    rate = pd.read_csv(folder / GPUS).query("Cloud == 'Oracle Cloud' and `GPU Type` == 'A100 (80 GB)'")["Per-GPU"].max()
    mwh = gpu_h * watts / 1e6
    table = pd.DataFrame({"gpu_h": gpu_h, "mwh": mwh, "usd": gpu_h * rate + mwh * price, "tonnes": mwh * carbon / 1e3})
    return table.groupby(jobs.cluster.to_numpy()[row]).sum()


def test_every_tenant_comes_to_what_pandas_comes_to(traces: Path) -> None:
    organisation_id = ensure_organisation("itp", name="ITP clusters")
    terms = {
        "sku": "A100 (80 GB)", "cloud": "Oracle Cloud", "valid_from_at": "2021-03-01T00:00:00+00:00",
        "includes_electricity": False, "power_path": str(traces / POWER), "runs_path": str(traces / RUNS),
    }  # fmt: skip
    sources = (("itp-jobs", JOBS), ("gpu-catalogue", GPUS), ("electricity-prices", PRICES), ("hourly-carbon", CARBON))
    for name, file in sources:
        collect(organisation_id, make_collector(name, {**terms, "path": str(traces / file)}), now_at=NOW_AT)
    attribute_due(organisation_id, now_at=NOW_AT)

    scope = resolve(clock_at=NOW_AT, organisation="itp", first_day="2021-03-01", end_day="2021-06-01")
    found = spend(scope, group_by=("team",), filters={"account": ["job"]})
    ours = pd.DataFrame(
        {
            row.keys["team"]: {
                "gpu_h": row.amounts.gpu_millis / 3.6e6,
                "mwh": row.amounts.energy_millij / MILLIJ_PER_MWH,
                "usd": row.amounts.cost_microusd / MICROUSD_PER_USD,
                "tonnes": row.amounts.carbon_microg / MICROG_PER_T,
            }
            for row in found.rows
        }
    ).T

    theirs = reckoned(traces)
    assert list(ours.index) == list(theirs.index)
    assert len(ours) == 10
    pd.testing.assert_frame_equal(ours, theirs, check_names=False, rtol=1e-7)
    assert check_all(organisation_of("itp").slug)["balanced"]
