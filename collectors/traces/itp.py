"""ITP jobs: 69,351 GPU jobs of ten Microsoft clusters, March to May 2021 (elasticflow-traces, MIT)."""

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pandas as pd

from aiobserve.domain import frames
from aiobserve.domain.schema import INSTANT
from aiobserve.domain.units import SECONDS_PER_DAY
from aiobserve.domain.window import Span
from collectors.base import Batch, Rejection, SourceRefused
from collectors.traces.files import NAME_FAULT, bad_name, fingerprint, load, numbers, pieces, require, sift
from collectors.traces.mlperf_power import PowerModel

COLUMNS = ("cluster", "job_id", "submission_time", "duration", "num_gpu")
ORIGIN_AT = datetime(2021, 3, 4, tzinfo=UTC)
SITE, GRID_ZONE, TIMEZONE = "virginia", "US-MIDA-PJM", "America/New_York"
SERVER_GPUS = 8
BATCH_ROWS = 5_000
LONGEST_S = 400 * SECONDS_PER_DAY
# The last day on which a job may be submitted, counted from the start of the trace.
LAST_DAY = 3650
VERSION = 1


class ItpJobs:
    """The jobs as ten tenants of one site, each cluster a pool of identical GPUs.

    The trace tells neither the fleet's size nor who waited: a pool is as large as its busiest moment, rounded up
    to whole 8-GPU servers, and a job starts when it is submitted. Both are assumptions.
    """

    name = "itp-jobs"

    def __init__(self, path: Path, *, power: PowerModel | None, sku: str) -> None:
        self.path = path
        self.power = power
        self.sku = sku

    def collect(self, span: Span | None = None) -> Iterator[Batch]:
        """Yield the catalogue with all rejections, then the jobs, 5,000 at a time; the trace is taken whole.

        Raises:
            SourceRefused: no power model was given, so energy could only be invented.
        """
        if self.power is None:
            raise SourceRefused(f"{self.path}: the jobs carry no power; import a power trace in the same command")
        jobs, rejections = parse(require(load(self.path), COLUMNS, path=self.path, what="ITP jobs"))
        key = f"{fingerprint(self.path)} v{VERSION} {self.sku} {self.power.idle_w:.3f} {self.power.active_w:.3f}"
        yield Batch(self.name, f"{key} catalogue", self._catalogue(jobs), tuple(rejections))
        for piece in pieces(len(jobs), BATCH_ROWS):
            yield Batch(self.name, f"{key} rows {piece.start}-{piece.stop}", _frames(jobs.iloc[piece], self.sku))

    def _catalogue(self, jobs: pd.DataFrame) -> dict[str, pd.DataFrame]:
        assert self.power is not None  # noqa: S101 - collect refuses to start without one
        clusters = sorted(jobs["cluster"].unique())
        gpus = [peak_gpus(jobs[jobs["cluster"] == cluster]) for cluster in clusters]
        # A sensor's envelope: no server draws more per GPU than this at full load.
        tdp_w = self.power.active_w * 1.3
        devices = pd.DataFrame(
            {
                "device_uid": [pool_uid(cluster) for cluster in clusters],
                "site": SITE,
                "node": clusters,
                "sku": self.sku,
                "capacity_millis": [-(-count // SERVER_GPUS) * SERVER_GPUS * 1000 for count in gpus],
                "tdp_w": tdp_w,
                "idle_w": self.power.idle_w,
                "active_w": self.power.active_w,
                "valid_from_at": ORIGIN_AT,
                "valid_to_at": pd.Series(jobs["ended_at"].max(), index=range(len(clusters)), dtype=INSTANT),
            }
        )
        accounts = pd.DataFrame(
            {"account": clusters, "team": clusters, "project": clusters, "valid_from_at": ORIGIN_AT}
        )
        return {
            "sites": frames.SITES.check(pd.DataFrame([{"site": SITE, "grid_zone": GRID_ZONE, "timezone": TIMEZONE}])),
            "devices": frames.DEVICES.check(devices),
            "accounts": frames.ACCOUNTS.check(accounts.assign(valid_to_at=pd.NaT)),
        }


def parse(raw: pd.DataFrame) -> tuple[pd.DataFrame, list[Rejection]]:
    """Return the usable jobs (cluster, job_id, gpus, started_at, ended_at) and the rejected rows."""
    submitted_s, duration_s, gpus = (numbers(raw[name]) for name in ("submission_time", "duration", "num_gpu"))
    good, rejections = sift(
        raw,
        {
            f"cluster {NAME_FAULT}": bad_name(raw["cluster"]),
            f"job id {NAME_FAULT}": bad_name(raw["job_id"]),
            f"submission time is not between 0 and {LAST_DAY} days from the start": ~submitted_s.between(
                0, LAST_DAY * SECONDS_PER_DAY
            ),
            "duration is not between 1 s and 400 days": ~duration_s.between(1, LONGEST_S),
            "GPU count is no whole number above zero": ~(gpus > 0) | (gpus % 1 != 0) | (gpus > 100_000),
            "job id stands twice": raw.duplicated(["cluster", "job_id"]),
        },
    )
    start = np.rint(submitted_s[good.index]).astype("int64")
    length = np.rint(duration_s[good.index]).astype("int64")
    origin = pd.Timestamp(ORIGIN_AT).as_unit("us")
    return (
        pd.DataFrame(
            {
                "cluster": good["cluster"].astype("str"),
                "job_id": good["job_id"].astype("str"),
                "gpus": gpus[good.index].astype("int64"),
                "started_at": origin + pd.to_timedelta(start, unit="s"),
                "ended_at": origin + pd.to_timedelta(start + length, unit="s"),
            }
        ).reset_index(drop=True),
        rejections,
    )


def peak_gpus(jobs: pd.DataFrame) -> int:
    """Return the most GPUs that the jobs held at one time; a job that ends gives way to one that starts then."""
    change = pd.concat(
        [
            pd.Series(jobs["gpus"].to_numpy(), index=jobs["started_at"]),
            pd.Series(-jobs["gpus"].to_numpy(), index=jobs["ended_at"]),
        ]
    )
    return int(change.groupby(level=0).sum().sort_index().cumsum().max())


def pool_uid(cluster: str) -> str:
    """Return the device uid of a cluster's pool."""
    return f"pool:{cluster}"


def _frames(jobs: pd.DataFrame, sku: str) -> dict[str, pd.DataFrame]:
    key = jobs["cluster"] + ":" + jobs["job_id"]
    return {
        "jobs": frames.JOBS.check(
            pd.DataFrame(
                {
                    "job_key": key,
                    "site": SITE,
                    "name": jobs["job_id"],
                    "account": jobs["cluster"],
                    "user": None,
                    "model": None,
                    "workload_type": "other",
                    "tier": "deferrable",
                    "state": "completed",
                    "attempt": 1,
                    "gpus": jobs["gpus"],
                    "sku": sku,
                    "submitted_at": jobs["started_at"],
                    "started_at": jobs["started_at"],
                    "ended_at": jobs["ended_at"],
                    "runtime_s": (jobs["ended_at"] - jobs["started_at"]).dt.total_seconds(),
                    "max_wait_s": np.nan,
                    "deadline_at": pd.NaT,
                }
            )
        ),
        "intervals": frames.INTERVALS.check(
            pd.DataFrame(
                {
                    "job_key": key,
                    "device_uid": "pool:" + jobs["cluster"],
                    "start_at": jobs["started_at"],
                    "end_at": jobs["ended_at"],
                    "share_millis": jobs["gpus"] * 1000,
                }
            )
        ),
    }
