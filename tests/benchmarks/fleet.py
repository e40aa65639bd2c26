"""Synthetic sites for benchmarks: GPUs with noisy telemetry and jobs on them, put into the store the product's own way."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import numpy as np
import numpy.typing as npt
import pandas as pd

from aiobserve.domain import frames
from aiobserve.domain.quality import Quality
from aiobserve.domain.schema import Schema
from aiobserve.store.write.fleet import device_sites
from aiobserve.store.write.ingest import write_batch
from aiobserve.store.write.organisation import ensure_organisation

DAY_AT = datetime(2026, 3, 2, tzinfo=UTC)
# GPUs of a job, and how often.
SIZES, SIZE_WEIGHTS = (1, 2, 4, 8), (0.5, 0.2, 0.2, 0.1)
TEAMS = 20


@dataclass(frozen=True)
class Fleet:
    """Sites in the store: ids of organisation and sites, and of each site's devices in order."""

    organisation_id: int
    sites: list[int]
    devices: list[npt.NDArray[np.int64]]


@dataclass(frozen=True)
class Noise:
    """Samples of many devices on end, each device in order of time; shape (n,) each."""

    device_id: npt.NDArray[np.int64]
    at_us: npt.NDArray[np.int64]
    readings: dict[str, npt.NDArray[np.float64]]

    def frame(self) -> pd.DataFrame:
        """Return the samples as the hot table takes them."""
        at = pd.to_datetime(self.at_us, unit="us", utc=True)
        return pd.DataFrame({"device_id": self.device_id, "at": at, **self.readings})


def noise(device_id: npt.NDArray[np.int64], start_at: datetime, hours: float, *, every_s: int, seed: int = 3) -> Noise:
    """Return what sensors said: power with Gaussian noise of 40 W, instants late by up to a second, in microseconds.

    The counter is that power over the time that really passed, so it cannot be guessed from the other columns.
    """
    rng = np.random.default_rng(seed)
    shape = (len(device_id), int(hours * 3600 / every_s))
    power_w = np.round(rng.normal(300, 40, shape), 3)
    late_us = rng.integers(0, 1_000_000, shape)
    at_us = int(start_at.timestamp()) * 1_000_000 + np.arange(shape[1]) * every_s * 1_000_000 + late_us
    passed_us = np.diff(at_us, axis=1, prepend=at_us[:, :1] - every_s * 1_000_000)
    counter = rng.integers(0, 10**11, (shape[0], 1)) + np.cumsum(np.rint(power_w * passed_us / 1000), axis=1)
    readings = {
        "energy_millij": counter.ravel(),
        "power_w": power_w.ravel(),
        "utilisation_ratio": np.round(rng.uniform(0, 1, shape), 2).ravel(),
        "memory_mib": np.round(rng.normal(40_000, 500, shape)).ravel(),
    }
    return Noise(np.repeat(device_id, shape[1]), at_us.ravel(), readings)


def fleet(name: str, *, sites: int, gpus: int, start_at: datetime, hours: float, allocations: float) -> Fleet:
    """Make sites of so many GPUs each, with prices, carbon and jobs; returns their ids.

    Args:
        allocations: how many jobs a GPU works for between start and end; one in seven GPUs is shared by up to four.
    """
    organisation_id = ensure_organisation(name, name=name)
    names = [f"{name}-{i}" for i in range(sites)]
    jobs = [_jobs(site, gpus, start_at, hours, allocations, seed) for seed, site in enumerate(names)]
    contents = {
        "sites": _frame(frames.SITES, [{"site": site, "grid_zone": name, "timezone": "UTC"} for site in names]),
        "devices": _frame(
            frames.DEVICES,
            [
                {
                    "device_uid": f"{site}-{gpu}", "site": site, "node": f"node-{gpu // 8}", "sku": "H100",
                    "capacity_millis": 1000, "tdp_w": 700.0, "idle_w": 70.0, "active_w": 500.0,
                    "valid_from_at": DAY_AT - timedelta(days=400),
                }
                for site in names
                for gpu in range(gpus)
            ],
        ),
        "accounts": _frame(
            frames.ACCOUNTS,
            [
                {"account": f"team-{i}", "team": f"team-{i}", "project": "p", "valid_from_at": DAY_AT - timedelta(days=400)}
                for i in range(TEAMS)
            ],
        ),
        "rates": rates(2.5),
        "signals": _signals(name, start_at, hours),
        "jobs": pd.concat([one for one, _ in jobs], ignore_index=True),
        "intervals": pd.concat([held for _, held in jobs], ignore_index=True),
    }  # fmt: skip
    write_batch(
        organisation_id, source="bench", batch_id=name, frames=contents, rejected=0, notices=(), hot_from_at=DAY_AT
    )
    known = device_sites(organisation_id)
    devices = [np.array([known[f"{site}-{gpu}"][0] for gpu in range(gpus)], dtype=np.int64) for site in names]
    return Fleet(organisation_id, [known[f"{site}-0"][1] for site in names], devices)


def rates(usd_per_gpu_hour: float) -> pd.DataFrame:
    """Return the price of a GPU-hour."""
    return _frame(
        frames.RATES,
        [{"sku": "H100", "usd_per_gpu_hour": usd_per_gpu_hour, "includes_electricity": False,
          "quality": int(Quality.MEASURED), "source": "contract", "valid_from_at": DAY_AT - timedelta(days=400)}],
    )  # fmt: skip


def _signals(zone: str, start_at: datetime, hours: float) -> pd.DataFrame:
    starts = [start_at + timedelta(hours=h) for h in range(-24, int(hours) + 24)]
    kinds = {"electricity_usd_per_mwh": 80.0, "carbon_lifecycle_g_per_kwh": 400.0}
    rows = [
        {"kind": kind, "scope": zone, "source": "bench", "start_at": at, "end_at": at + timedelta(hours=1),
         "value": value + at.hour, "quality": int(Quality.MEASURED)}
        for kind, value in kinds.items()
        for at in starts
    ]  # fmt: skip
    return _frame(frames.SIGNALS, rows)


def _jobs(
    site: str, gpus: int, start_at: datetime, hours: float, allocations: float, seed: int
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return jobs that begin anywhere from an average length before the start on, on neighbouring GPUs."""
    rng = np.random.default_rng(seed)
    wanted = int(gpus * allocations)
    sizes = rng.choice(SIZES, wanted, p=SIZE_WEIGHTS)
    sizes = sizes[: int(np.searchsorted(np.cumsum(sizes), wanted)) + 1]
    length_s = max(hours * 3600 / allocations, 900.0)
    begin_s = rng.uniform(-length_s / 2, hours * 3600 - length_s / 4, len(sizes)).astype(int)
    lasts_s = (rng.uniform(0.3, 1.3, len(sizes)) * length_s).astype(int)
    first_gpu = rng.integers(0, max(gpus - max(SIZES), 1), len(sizes))
    start = pd.to_datetime(int(start_at.timestamp()) + begin_s, unit="s", utc=True)
    end = pd.to_datetime(int(start_at.timestamp()) + begin_s + lasts_s, unit="s", utc=True)
    keys = [f"{site}-job-{i}" for i in range(len(sizes))]
    jobs = pd.DataFrame(
        {
            "job_key": keys, "site": site, "name": "job", "account": [f"team-{i % TEAMS}" for i in range(len(sizes))],
            "user": "u", "model": [f"model-{i % 9}" for i in range(len(sizes))], "workload_type": "training",
            "tier": "urgent", "state": "completed", "attempt": 1, "gpus": sizes, "sku": "H100", "submitted_at": start,
            "started_at": start, "ended_at": end, "runtime_s": lasts_s.astype(float), "max_wait_s": np.nan,
            "deadline_at": pd.Series(pd.NaT, index=range(len(sizes)), dtype="datetime64[us, UTC]"),
        }
    )  # fmt: skip
    row = np.repeat(np.arange(len(sizes)), sizes)
    nth = np.arange(len(row)) - np.repeat(np.cumsum(sizes) - sizes, sizes)
    gpu = first_gpu[row] + nth
    held = pd.DataFrame(
        {
            "job_key": np.array(keys)[row], "device_uid": [f"{site}-{one}" for one in gpu], "start_at": start[row],
            "end_at": end[row], "share_millis": np.where(gpu % 7 == 0, 250, 1000),
        }
    )  # fmt: skip
    return frames.JOBS.check(jobs), frames.INTERVALS.check(held)


def _frame(schema: Schema, rows: list[dict[str, object]]) -> pd.DataFrame:
    empty = {name: None for name, column in schema.columns.items() if column.nullable}
    return schema.check(pd.DataFrame([{**empty, **row} for row in rows]))
