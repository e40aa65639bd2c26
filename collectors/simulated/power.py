"""Telemetry of the simulated GPUs: what each drew, minute by minute, and what its sensors said of it."""

from dataclasses import dataclass
from functools import lru_cache
from zoneinfo import ZoneInfo

import numpy as np
import numpy.typing as npt
import pandas as pd

from aiobserve.domain.frames import TELEMETRY
from aiobserve.domain.units import MILLIJ_PER_J, SECONDS_PER_HOUR, SECONDS_PER_MINUTE
from aiobserve.domain.window import Span
from collectors.simulated import company
from collectors.simulated.grid import requests_per_s
from collectors.simulated.jobs import OFFICE_HOURS, Run, runs
from collectors.simulated.random_streams import stream

FloatArray = npt.NDArray[np.float64]
BoolArray = npt.NDArray[np.bool_]

MINUTES = company.SPAN.duration_s // SECONDS_PER_MINUTE
START_S = int(company.SPAN.start_at.timestamp())
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


def telemetry(span: Span, seed: int) -> pd.DataFrame:
    """Return what the sensors of all GPUs said in a span, sorted by device and time."""
    return TELEMETRY.check(pd.concat([_sensor(gpu, span, seed) for gpu in company.GPUS.values()], ignore_index=True))


def _sensor(gpu: company.Gpu, span: Span, seed: int) -> pd.DataFrame:
    known = truth(gpu.node, gpu.index, seed)
    first, last = ((int(at.timestamp()) - START_S) // SECONDS_PER_MINUTE for at in (span.start_at, span.end_at))
    minute = np.arange(max(first, 0), min(last, MINUTES))
    late_s, kept = _habits(gpu, seed)
    at_s = START_S + minute * SECONDS_PER_MINUTE + late_s[minute]
    power = known.power_w[minute].astype(np.float64)
    counter = np.floor((known.energy_j[minute] + power * late_s[minute]) * MILLIJ_PER_J)
    keep = kept[minute]
    where = (gpu.node, gpu.index)
    if where == company.RESET_GPU:
        after = at_s >= company.RESET_AT.timestamp()
        at_reset = (int(company.RESET_AT.timestamp()) - START_S) // SECONDS_PER_MINUTE
        counter = np.where(after, counter - np.floor(known.energy_j[at_reset] * MILLIJ_PER_J), counter)
    if where == company.SILENT_GPU:
        keep = keep & ~_within(at_s, company.SILENT_FROM_AT.timestamp(), company.SILENT_FOR.total_seconds())
    if where == company.ABSURD_GPU:
        wrong = _within(at_s, company.ABSURD_FROM_AT.timestamp(), company.ABSURD_FOR.total_seconds())
        power = np.where(wrong, company.ABSURD_POWER_W, power)
    at = pd.to_datetime(np.rint(at_s * 1_000_000).astype(np.int64), unit="us", utc=True)
    memory = np.round(gpu.sku.memory_mib * (0.04 + 0.85 * known.utilisation[minute]))
    frame = pd.DataFrame(
        {
            "device_uid": gpu.uid,
            "at": at,
            "energy_millij": counter,
            "power_w": power,
            "utilisation_ratio": known.utilisation[minute].astype(np.float64),
            "memory_mib": memory.astype(np.float64),
        }
    )
    return frame[keep]


@lru_cache(maxsize=64)
def _habits(gpu: company.Gpu, seed: int) -> tuple[FloatArray, BoolArray]:
    """Return how late each sample is, in seconds, and whether it arrived at all."""
    rng = stream(seed, "sensor", gpu.uid)
    return np.round(rng.uniform(0, 4, MINUTES), 3), rng.random(MINUTES) >= company.LOST_SHARE


def _within(at_s: FloatArray, from_s: float, for_s: float) -> BoolArray:
    return (at_s >= from_s) & (at_s < from_s + for_s)
