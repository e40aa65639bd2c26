"""Attribution against the floor: the engine in memory beside `np.sum` of the arrays that it reads."""

import numpy as np

from aiobserve.attribution.engine import Devices, SiteInputs, attribute
from aiobserve.attribution.integrate import Samples, energy_curve
from aiobserve.attribution.occupancy import Reservations
from aiobserve.domain.quality import Quality
from aiobserve.domain.signal import StepSignal
from tests.benchmarks.cpu import interleaved

DEVICES = 200
DAYS = 7
EVERY_S = 15
SPAN_S = DAYS * 86_400
INTERVALS = 13_000
RESETS_EVERY = 40_000


def measure() -> dict[str, float]:
    """Return CPU seconds and the ratio, for eight million samples, 13,000 reservations and a sixth of devices shared."""
    samples = [device(i) for i in range(DEVICES)]
    held = reservations()
    arms = {
        "floor": lambda: [(np.sum(one.at_s), np.sum(one.energy_millij)) for one in samples],
        "attribution": lambda: run(samples, held),
    }
    medians = interleaved(arms)
    return {
        "samples_millions": sum(one.at_s.size for one in samples) / 1e6,
        "floor_cpu_s": medians["floor"],
        "attribution_cpu_s": medians["attribution"],
        "attribution_ratio": medians["attribution"] / medians["floor"],
    }


def run(samples: list[Samples], held: Reservations) -> None:
    edge_s = np.arange(0, SPAN_S + 1, 900, dtype=np.int64)
    windows = len(edge_s) - 1
    shape = (DEVICES, windows)
    devices = Devices(
        share_millis=np.full(DEVICES, 1000), idle_w=np.full(DEVICES, 60.0), active_w=np.full(DEVICES, 300.0),
        valid_from_s=np.full(DEVICES, -(10**9)), valid_to_s=np.full(DEVICES, 10**10), usd_per_gpu_hour=np.full(shape, 2.0),
        cost_quality=np.ones(shape, np.int8), includes_electricity=np.zeros(shape, bool),
    )  # fmt: skip
    curves = [energy_curve(one, tdp_w=700.0) for one in samples]
    signal = StepSignal.constant(100.0, quality=Quality.MEASURED, source="bench")
    attribute(SiteInputs(edge_s, devices, list(curves), held, signal, signal, signal))


def device(seed: int) -> Samples:
    rng = np.random.default_rng(seed)
    count = SPAN_S // EVERY_S + 80
    at_s = np.arange(count) * EVERY_S - 600.0 + rng.uniform(0, 1, count)
    energy = np.cumsum(np.rint(rng.normal(300, 40, count) * EVERY_S * 1000))
    energy[RESETS_EVERY % count :] -= energy[RESETS_EVERY % count] - 1 if seed % 2 else 0
    return Samples(at_s, energy, np.full(count, np.nan))


def reservations() -> Reservations:
    rng = np.random.default_rng(1)
    shared = np.arange(DEVICES) < DEVICES * 0.15
    of_device = rng.integers(0, DEVICES, INTERVALS)
    start_s = rng.integers(0, SPAN_S, INTERVALS)
    return Reservations(
        device=of_device,
        claimant=np.arange(INTERVALS),
        start_s=start_s,
        end_s=start_s + rng.integers(600, 20_000, INTERVALS),
        share_millis=np.where(shared[of_device], 250, 1000),
    )
