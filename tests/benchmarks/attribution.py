"""Attribution against the floor: the engine in memory beside `np.sum` of the arrays that it reads.

40 million samples of 1,000 GPUs over a week, 66,700 reservations, 15 % of the GPUs shared by four, 900 restarts of a
counter; hourly prices and intensities. Both arms in one run, CPU time, medians of five; peak memory by tracemalloc.
"""

import tracemalloc

import numpy as np

from aiobserve.attribution.activity import Activity
from aiobserve.attribution.engine import attribute
from aiobserve.attribution.inputs import Devices, SiteInputs
from aiobserve.attribution.segments import Reservations
from aiobserve.attribution.series import Series
from aiobserve.domain.account import Component
from aiobserve.domain.quality import Quality
from aiobserve.domain.signal import StepSignal
from tests.benchmarks.cpu import interleaved

DEVICES = 1_000
DAYS = 7
EVERY_S = 15
SPAN_S = DAYS * 86_400
EDGE_S = np.arange(0, SPAN_S + 1, 900, dtype=np.int64)
RESETS = 900
SHARED_BY = 4
HELD_BY_LANE = 46


def measure() -> dict[str, float]:
    """Return CPU seconds, the ratio to the floor, and peak memory over the input's size."""
    inputs = site()
    series = inputs.series
    arms = {
        "floor": lambda: (np.sum(series.at_us), np.sum(series.energy_millij)),
        "attribution": lambda: attribute(inputs),
    }
    medians = interleaved(arms)
    size = series.at_us.nbytes + series.energy_millij.nbytes
    tracemalloc.start()
    charges = attribute(inputs).charges
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    return {
        "samples_millions": len(series.at_us) / 1e6,
        "floor_cpu_s": medians["floor"],
        "attribution_cpu_s": medians["attribution"],
        "attribution_ratio": medians["attribution"] / medians["floor"],
        "attribution_charges_millions": len(charges) / 1e6,
        "attribution_peak_memory_ratio": (size + peak) / size,
    }


def site() -> SiteInputs:
    """Return the inputs of the benchmark, the same each time."""
    rng = np.random.default_rng(1)
    shape = (DEVICES, len(EDGE_S) - 1)
    nothing = StepSignal.empty()
    return SiteInputs(
        edge_s=EDGE_S,
        devices=Devices(
            component=np.full(DEVICES, Component.GPU, dtype=np.int8), share_millis=np.full(DEVICES, 1000),
            tdp_w=np.full(DEVICES, 700.0), idle_w=np.full(DEVICES, 60.0), active_w=np.full(DEVICES, 500.0),
            valid_from_s=np.full(DEVICES, -(10**9)), valid_to_s=np.full(DEVICES, 10**10),
            usd_per_gpu_hour=np.full(shape, 2.0), list_usd_per_gpu_hour=np.full(shape, 2.0),
            cost_quality=np.ones(shape, np.int8), includes_electricity=np.zeros(shape, bool),
            embodied_g_per_gpu_hour=np.zeros(DEVICES), kept_for=np.full(shape, -1),
        ),
        series=readings(rng), reservations=reservations(rng), activity=Activity.none(), electricity_usd_per_mwh=hourly(rng),
        carbon_g_per_kwh=hourly(rng), residual_g_per_kwh=nothing, water_l_per_kwh=nothing, contracts=(), pools=(),
        pue_ratio=StepSignal.constant(1.2, quality=Quality.MEASURED, source="bench"),
        unused_commitment_usd=np.zeros(len(EDGE_S) - 1),
    )  # fmt: skip


def readings(rng: np.random.Generator) -> Series:
    """Return a sample every 15 s with a second of jitter and one in a hundred lost, a minute beyond the span either way."""
    count = int((SPAN_S + 120) / EVERY_S * 0.99)
    at_us = np.empty((DEVICES, count), dtype=np.int64)
    counter = np.empty((DEVICES, count))
    for device in range(DEVICES):
        kept = np.sort(rng.choice((SPAN_S + 120) // EVERY_S, count, replace=False))
        at_us[device] = kept * (EVERY_S * 1_000_000) - 60_000_000 + rng.integers(0, 1_000_000, count)
        watts = np.clip(rng.normal(300, 40, count), 60, 700)
        counter[device] = np.cumsum(
            np.rint(watts * 1000 * np.diff(at_us[device], prepend=at_us[device, 0] - 15_000_000) / 1e6)
        )
        if device < RESETS:
            restart = int(rng.integers(100, count - 100))
            counter[device, restart:] -= counter[device, restart] - 1
    return Series(np.arange(DEVICES + 1) * count, at_us.ravel(), counter.ravel())


def reservations(rng: np.random.Generator) -> Reservations:
    """Return jobs one after the other on each GPU, and on each of four shares of every shared GPU; mostly without gaps."""
    rows = []
    for device in range(DEVICES):
        shared = device % 20 < 3
        for _ in range(SHARED_BY if shared else 1):
            cuts = np.sort(rng.integers(0, SPAN_S, 2 * HELD_BY_LANE)).reshape(HELD_BY_LANE, 2)
            follows = rng.random(HELD_BY_LANE) < 0.8
            start_s = np.where(follows, np.r_[0, cuts[:-1, 1]], cuts[:, 0])
            millis = 1000 // SHARED_BY if shared else 1000
            rows.append((np.full(HELD_BY_LANE, device), start_s, cuts[:, 1], np.full(HELD_BY_LANE, millis)))
    device_of, start_s, end_s, share = (np.concatenate(column) for column in zip(*rows, strict=True))
    return Reservations(device_of, np.arange(len(device_of)), start_s, end_s, share)


def hourly(rng: np.random.Generator) -> StepSignal:
    """Return a signal that changes every hour."""
    start_s = np.arange(0, SPAN_S, 3_600)
    return StepSignal(
        start_s, start_s + 3_600, rng.normal(300, 30, len(start_s)), np.ones(len(start_s), np.int8), "bench"
    )
