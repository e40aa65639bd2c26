"""Tiny companies with numbers that one can check in the head. Not a test; tests build on it."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import numpy as np
import pandas as pd
from django.db import connection

from aiobserve.domain import frames
from aiobserve.domain.quality import Quality
from aiobserve.domain.schema import REQUIRED, Schema
from aiobserve.domain.window import Span
from collectors.base import Batch, Rejection

DAY_AT = datetime(2026, 3, 2, tzinfo=UTC)


def at(hours: float) -> datetime:
    """Return the instant so many hours into the world's first day."""
    return DAY_AT + timedelta(hours=hours)


def frame(schema: Schema, *rows: dict[str, object]) -> pd.DataFrame:
    """Return a checked frame of rows; a column that a row does not name is missing, or its default."""
    absent = {name: None for name, column in schema.columns.items() if column.default is REQUIRED}
    made = pd.DataFrame([{**absent, **row} for row in rows])
    for name, column in schema.columns.items():
        if name in made and column.default not in (REQUIRED, None):
            made[name] = made[name].fillna(column.default)
    return schema.check(made)


@contextmanager
def by_hand() -> Iterator[None]:
    """Let postings be altered, as somebody with all rights over the database could."""
    with connection.cursor() as cursor:
        cursor.execute("SET session_replication_role = replica")
        try:
            yield
        finally:
            cursor.execute("SET session_replication_role = origin")


@dataclass
class World:
    """A company of one site in grid zone Z: electricity 100 USD/MWh, 500 g/kWh, PUE 1.2, 2 USD per GPU-hour.

    Devices are 100 W when busy and 20 W when idle. Change a field, then hand it to `pipeline.collect`.
    """

    devices: tuple[str, ...] = ("busy_gpu", "idle_gpu")
    usd_per_mwh: float = 100.0
    g_per_kwh: float = 500.0
    pue: float = 1.2
    includes_electricity: bool = False
    accounts: list[dict[str, object]] = field(
        default_factory=lambda: [{"account": "nlp", "team": "NLP", "project": "chat", "valid_from_at": at(-1000)}]
    )
    jobs: list[dict[str, object]] = field(default_factory=list)
    intervals: list[dict[str, object]] = field(default_factory=list)
    telemetry: list[pd.DataFrame] = field(default_factory=list)
    rejections: tuple[Rejection, ...] = ()
    name: str = "world"

    def job(
        self, key: str, *, start: float, end: float, device: str = "busy_gpu", share_millis: int = 1000, **more: object
    ) -> "World":
        """Add a job that holds a share of a device between two hours of the first day."""
        self.jobs.append(
            {
                "job_key": key, "site": "lab", "name": key, "account": "nlp", "user": "ada", "model": "llm-7b",
                "workload_type": "training", "tier": "deferrable", "state": "completed", "attempt": 1, "gpus": 1,
                "sku": "A100", "submitted_at": at(start), "started_at": at(start), "ended_at": at(end),
                "runtime_s": (end - start) * 3600, **more,
            }
        )  # fmt: skip
        self.intervals.append(
            {
                "job_key": key,
                "device_uid": device,
                "start_at": at(start),
                "end_at": at(end),
                "share_millis": share_millis,
            }
        )
        return self

    def waiting(self, key: str, **more: object) -> "World":
        """Add a job that waits to be planned."""
        self.jobs.append(
            {
                "job_key": key, "site": "lab", "name": key, "account": "nlp", "user": "ada", "model": "llm-7b",
                "workload_type": "batch_inference", "tier": "deferrable", "state": "pending", "attempt": 1, "gpus": 1,
                "sku": "A100", "submitted_at": at(24), "runtime_s": 3600.0, **more,
            }
        )  # fmt: skip
        return self

    def power(self, device: str, *, watts: float, start: float, end: float, every_s: float = 60.0) -> "World":
        """Add samples of a device that draws constant power; the counter runs on from its last sample."""
        seconds = np.arange(start * 3600, end * 3600 + 1, every_s)
        before = [one for one in self.telemetry if (one["device_uid"] == device).any()]
        base = float(before[-1]["energy_millij"].iloc[-1]) if before else 0.0
        self.telemetry.append(
            pd.DataFrame(
                {
                    "device_uid": device,
                    "at": pd.to_datetime(seconds + DAY_AT.timestamp(), unit="s", utc=True),
                    "energy_millij": base + np.rint((seconds - seconds[0]) * watts * 1000),
                    "power_w": watts,
                    "utilisation_ratio": 0.5,
                    "memory_mib": 1024.0,
                }
            )
        )
        return self

    def collect(self, span: Span | None = None) -> Iterator[Batch]:
        """Yield one batch with everything."""
        always = {"valid_from_at": at(-1000)}
        signal = {"source": "test", "start_at": at(-1000), "end_at": at(1000), "quality": int(Quality.MEASURED)}
        contents = {
            "sites": [{"site": "lab", "grid_zone": "Z", "timezone": "Europe/Berlin"}],
            "devices": [
                {"device_uid": uid, "site": "lab", "node": "node-1", "sku": "A100", "capacity_millis": 1000,
                 "tdp_w": 400.0, "idle_w": 20.0, "active_w": 100.0, **always}
                for uid in self.devices
            ],
            "accounts": self.accounts,
            "rates": [
                {"sku": "A100", "usd_per_gpu_hour": 2.0, "includes_electricity": self.includes_electricity,
                 "quality": int(Quality.MEASURED), "source": "contract", **always}
            ],
            "signals": [
                {"kind": "electricity_usd_per_mwh", "scope": "Z", "value": self.usd_per_mwh, **signal},
                {"kind": "carbon_lifecycle_g_per_kwh", "scope": "Z", "value": self.g_per_kwh, **signal},
                {"kind": "pue_ratio", "scope": "lab", "value": self.pue, **signal},
            ],
            "jobs": self.jobs,
            "intervals": self.intervals,
        }  # fmt: skip
        made = {name: frame(frames.FRAMES[name], *rows) for name, rows in contents.items() if rows}
        if self.telemetry:
            made["telemetry"] = frames.TELEMETRY.check(pd.concat(self.telemetry, ignore_index=True))
        yield Batch(source=self.name, batch_id="everything", frames=made, rejections=self.rejections)
