"""Telemetry of the simulated GPUs: what each drew, minute by minute, and what its sensors said of it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

import numpy as np
import numpy.typing as npt
import pandas as pd

from aiobserve.domain.frames import TELEMETRY
from aiobserve.domain.schema import TEXT
from aiobserve.domain.units import MICROSECONDS_PER_SECOND, MILLIJ_PER_J, SECONDS_PER_HOUR, SECONDS_PER_MINUTE
from aiobserve.domain.window import Span
from collectors.simulated import company
from collectors.simulated.grid import requests_per_s
from collectors.simulated.jobs import OFFICE_HOURS, Run, runs
from collectors.simulated.random_streams import stream

FloatArray = npt.NDArray[np.float64]
Int64Array = npt.NDArray[np.int64]
BoolArray = npt.NDArray[np.bool_]

MINUTES = company.SPAN.duration_s // SECONDS_PER_MINUTE
START_S = int(company.SPAN.start_at.timestamp())
READINGS = ("energy_millij", "power_w", "utilisation_ratio", "memory_mib")
# Boards exceed their rated power a little for moments; a mean over a minute hardly does.
CEILING = 1.01


@dataclass(frozen=True)
class Truth:
    """What a GPU did in each minute of the span, shape (MINUTES,) each; energy is up to the minute's start."""

    power_w: npt.NDArray[np.float32]
    utilisation: npt.NDArray[np.float32]
    energy_j: FloatArray


def idle_w(gpu: company.Gpu) -> float:
    """Return the idle power of one board: its kind's, give or take a few watts."""
    return round(gpu.sku.idle_w * float(stream(company.SEED, "board", gpu.uid).normal(1, 0.04)), 1)


@lru_cache(maxsize=64)
def truth(node: str, index: int, seed: int) -> Truth:
    """Return the truth of one GPU."""
    gpu = company.GPUS[node, index]
    rng = stream(seed, "power", gpu.uid)
    load = np.zeros(MINUTES)
    for run in runs(seed):
        if run.lane.node == node and index in run.lane.gpus:
            first, last = (
                min(max(round((s - START_S) / SECONDS_PER_MINUTE), 0), MINUTES) for s in (run.start_s, run.end_s)
            )
            load[first:last] += _load(run, gpu, seed, first, last) * run.lane.share_millis / 1000
    idle = idle_w(gpu)
    load = np.clip(load * rng.normal(1, 0.03, MINUTES), 0, 1)
    power = np.clip(
        idle * rng.normal(1, 0.01, MINUTES) + (gpu.sku.tdp_w - idle) * load, idle * 0.95, gpu.sku.tdp_w * CEILING
    )
    power = np.round(power, 2)
    energy = np.r_[0.0, np.cumsum(power * SECONDS_PER_MINUTE)[:-1]] + float(rng.integers(10**6, 10**9))
    return Truth(power.astype(np.float32), np.round(load, 4).astype(np.float32), energy)


def _load(run: Run, gpu: company.Gpu, seed: int, first: int, last: int) -> FloatArray:
    """Return the load of a run in each of its minutes, 0 to 1."""
    minute = np.arange(first, last)
    hour = minute * SECONDS_PER_MINUTE // SECONDS_PER_HOUR
    if run.lane.pattern == "serving":
        rate = requests_per_s(run.work.model, seed)
        return np.asarray(run.utilisation * np.clip(rate[hour] / rate.max(), 0.15, 1), dtype=np.float64)
    if run.lane.pattern == "office":
        return np.asarray(run.utilisation * _in_office(gpu.site.timezone)[hour], dtype=np.float64)
    return np.full(last - first, run.utilisation)


@lru_cache(maxsize=4)
def _in_office(timezone: str) -> BoolArray:
    """Return for each hour of the span whether people are at work."""
    hours = pd.date_range(company.SPAN.start_at, company.SPAN.end_at, freq="h", inclusive="left")
    local = hours.tz_convert(ZoneInfo(timezone))
    return np.asarray((local.day_of_week < 5) & (local.hour >= OFFICE_HOURS[0]) & (local.hour < OFFICE_HOURS[1]))


@dataclass(frozen=True)
class Samples:
    """What sensors said of devices, one after the other, each in order of time: so many samples of each, then the columns."""

    uids: list[str]
    counts: Int64Array
    at_us: Int64Array
    energy_millij: FloatArray
    power_w: FloatArray
    utilisation_ratio: FloatArray
    memory_mib: FloatArray


def minutes(span: Span) -> tuple[int, int]:
    """Return the minutes of the company's time that a span covers: the first, and the one after the last."""
    first, last = ((int(at.timestamp()) - START_S) // SECONDS_PER_MINUTE for at in (span.start_at, span.end_at))
    return max(first, 0), min(last, MINUTES)


def gpu_samples(span: Span, seed: int) -> Samples:
    """Return what the sensors of all GPUs said in a span."""
    first, last = minutes(span)
    gpus = list(company.GPUS.values())
    place = {where: row for row, where in enumerate(company.GPUS)}
    known = [truth(gpu.node, gpu.index, seed) for gpu in gpus]
    late_s = np.stack([_habits(gpu, seed)[0][first:last] for gpu in gpus])
    keep = np.stack([_habits(gpu, seed)[1][first:last] for gpu in gpus])
    power = np.stack([one.power_w[first:last] for one in known]).astype(np.float64)
    utilisation = np.stack([one.utilisation[first:last] for one in known])
    energy_j = np.stack([one.energy_j[first:last] for one in known])
    at_s = START_S + np.arange(first, last) * SECONDS_PER_MINUTE + late_s
    counter = np.floor((energy_j + power * late_s) * MILLIJ_PER_J)
    reset = place[company.RESET_GPU]
    at_reset = (int(company.RESET_AT.timestamp()) - START_S) // SECONDS_PER_MINUTE
    before_reset = np.floor(known[reset].energy_j[at_reset] * MILLIJ_PER_J)
    counter[reset] -= np.where(at_s[reset] >= company.RESET_AT.timestamp(), before_reset, 0)
    silent, absurd = place[company.SILENT_GPU], place[company.ABSURD_GPU]
    keep[silent] &= ~_within(at_s[silent], company.SILENT_FROM_AT, company.SILENT_FOR)
    power[absurd, _within(at_s[absurd], company.ABSURD_FROM_AT, company.ABSURD_FOR)] = company.ABSURD_POWER_W
    memory_mib = np.array([[gpu.sku.memory_mib] for gpu in gpus], dtype=np.float32)
    return Samples(
        uids=[gpu.uid for gpu in gpus],
        counts=keep.sum(axis=1),
        at_us=np.rint(at_s[keep] * MICROSECONDS_PER_SECOND).astype(np.int64),
        energy_millij=counter[keep],
        power_w=power[keep],
        utilisation_ratio=utilisation[keep].astype(np.float64),
        memory_mib=np.round(memory_mib * (0.04 + 0.85 * utilisation))[keep].astype(np.float64),
    )


def telemetry(parts: Sequence[Samples]) -> pd.DataFrame:
    """Return samples as one frame, in their order."""
    uids = pd.array([uid for part in parts for uid in part.uids], dtype=TEXT)
    counts = np.concatenate([part.counts for part in parts])
    at_us = np.concatenate([part.at_us for part in parts])
    return TELEMETRY.check(
        pd.DataFrame(
            {
                "device_uid": uids.take(np.repeat(np.arange(len(uids)), counts)),
                "at": pd.Series(at_us.view("datetime64[us]")).dt.tz_localize(UTC),
                **{name: np.concatenate([getattr(part, name) for part in parts]) for name in READINGS},
            }
        )
    )


@lru_cache(maxsize=64)
def _habits(gpu: company.Gpu, seed: int) -> tuple[FloatArray, BoolArray]:
    """Return how late each sample is, in seconds, and whether it arrived at all."""
    rng = stream(seed, "sensor", gpu.uid)
    return np.round(rng.uniform(0, 4, MINUTES), 3), rng.random(MINUTES) >= company.LOST_SHARE


def _within(at_s: FloatArray, from_at: datetime, length: timedelta) -> BoolArray:
    return (at_s >= from_at.timestamp()) & (at_s < from_at.timestamp() + length.total_seconds())
