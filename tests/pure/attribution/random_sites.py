"""Random sites with everything that goes wrong in real telemetry. Not a test; tests draw from it."""

from dataclasses import replace

import numpy as np
import numpy.typing as npt

from aiobserve.attribution.activity import Activity
from aiobserve.attribution.inputs import Pool, SiteInputs
from aiobserve.attribution.market import EnergyContract
from aiobserve.attribution.series import Series
from aiobserve.domain.account import Component
from aiobserve.domain.quality import Quality
from tests.pure.attribution.sites import EDGE_S, SPAN_S, WINDOWS, devices, reservations, signal, site

FloatArray = npt.NDArray[np.float64]
SHARES = (1000, 1000, 1000, 571, 500, 428, 250, 143, 142, 1)


def random_site(seed: int, *, devices_exactly: int = 0, samples: int = 40, plain: bool = False) -> SiteInputs:
    """Return a site by its seed; a plain one has no pools, contracts, water or commitments."""
    rng = np.random.default_rng(seed)
    count = devices_exactly or int(rng.integers(1, 5))
    shape = (count, WINDOWS)
    component = np.where(rng.random(count) < 0.2, Component.HOST, Component.GPU).astype(np.int8)
    made = devices(
        count,
        component=component,
        share_millis=rng.choice([1000, 1000, 1000, 4000, 8000], count),
        tdp_w=rng.choice([300.0, 400.0, 700.0], count),
        idle_w=rng.choice([0.0, 20.0, 63.7], count),
        active_w=rng.choice([100.0, 299.9], count),
        valid_from_s=rng.choice([-(10**9), 450, 1_000], count),
        valid_to_s=rng.choice([10**9, SPAN_S - 100, 500], count),
        usd_per_gpu_hour=rng.uniform(0, 12, shape),
        list_usd_per_gpu_hour=rng.uniform(0, 20, shape),
        includes_electricity=rng.random(shape) < 0.3,
        embodied_g_per_gpu_hour=rng.uniform(0, 40, count),
        kept_for=np.where(rng.random((count, 1)) < (0.0 if plain else 0.2), 99, np.full(shape, -1)),
    )
    held = [
        (
            int(rng.integers(count)),
            int(rng.integers(6)),
            int(a),
            int(a + rng.integers(-50, 2_500)),
            int(rng.choice(SHARES)),
        )
        for a in rng.integers(-1_000, SPAN_S + 200, rng.integers(0, 12))
    ]
    made_site = site(
        [None] * count, held, usd_per_mwh=float(rng.uniform(-200, 500)), pue=float(rng.uniform(1.0, 2.0)),
        devices=made, series=_series(rng, count, samples, made.tdp_w), activity=_activity(rng, count, held),
    )  # fmt: skip
    return made_site if plain else _with_terms(rng, made_site)


def _with_terms(rng: np.random.Generator, inputs: SiteInputs) -> SiteInputs:
    contracts = (
        EnergyContract("ppa", 0.0, float(rng.uniform(0, 1)), 0.0, int(rng.integers(-900, 1_800)), SPAN_S),
        EnergyContract("tariff", 30.0, None, float(rng.uniform(0, 1)), 0, SPAN_S),
    )
    pool = Pool(
        7, Component.NETWORK, rng.uniform(0, 500, WINDOWS), np.full(WINDOWS, Quality.ESTIMATED, np.int8),
        rng.uniform(0, 3, WINDOWS), bool(rng.random() < 0.5),
    )  # fmt: skip
    return replace(
        inputs, contracts=contracts, pools=(pool,), residual_g_per_kwh=signal(600.0), water_l_per_kwh=signal(1.8),
        unused_commitment_usd=rng.uniform(0, 5, len(EDGE_S) - 1),
    )  # fmt: skip


def _series(rng: np.random.Generator, count: int, samples: int, tdp_w: FloatArray) -> Series:
    at_us, counter, power = [], [], []
    counts = [int(n) for n in np.where(rng.random(count) < 0.15, rng.integers(0, 2, count), samples)]
    for device, n in enumerate(counts):
        times, energy, watts = _readings(rng, n, float(tdp_w[device]))
        at_us.append(times)
        counter.append(energy)
        power.append(watts)
    offset = np.r_[0, np.cumsum(counts)].astype(np.int64)
    return Series(offset, np.concatenate(at_us), np.concatenate(counter), np.concatenate(power))


def _readings(rng: np.random.Generator, n: int, tdp_w: float) -> tuple[npt.NDArray[np.int64], FloatArray, FloatArray]:
    """Return one device's readings: jitter, silences, restarts, jumps, gaps in the counter, doubles, disorder."""
    cadence_s = (SPAN_S + 900) / max(n, 1)
    gaps_s = cadence_s * rng.uniform(0.2, 1.8, n)
    gaps_s[rng.random(n) < 0.03] += 700
    at_us = np.rint((np.cumsum(gaps_s) - 450 + rng.uniform(-20, 20)) * 1e6).astype(np.int64)
    watts = rng.uniform(0, tdp_w, n)
    steps = np.rint(watts * gaps_s * 1000)
    steps[rng.random(n) < 0.02] *= 50
    energy = np.cumsum(steps)
    for restart in np.flatnonzero(rng.random(n) < 0.03):
        energy[restart:] -= energy[restart] - rng.integers(0, 5_000)
    energy[rng.random(n) < 0.03] = np.nan
    if rng.random() < 0.15:
        energy[:] = np.nan
    watts[rng.random(n) < 0.03] = rng.choice([np.nan, -5.0, 9_000.0])
    double = np.flatnonzero(rng.random(n) < 0.04)
    at_us[double[double > 0]] = at_us[double[double > 0] - 1]
    order = np.arange(n)
    if rng.random() < 0.2:
        order = rng.permutation(n)
    return at_us[order], energy[order], watts[order]


def _activity(rng: np.random.Generator, count: int, held: list[tuple[int, int, int, int, int]]) -> Activity:
    rows = [
        (device, claimant, start + int(rng.integers(-100, 100)), end, float(rng.choice([0.0, 0.3, 0.97])))
        for device, claimant, start, end, _ in held
        if rng.random() < 0.7
    ]
    columns = np.array(rows, dtype=np.float64).reshape(-1, 5).T
    return Activity(*(column.astype(np.int64) for column in columns[:4]), columns[4])


def shuffled(inputs: SiteInputs, seed: int) -> SiteInputs:
    """Return the same site with its reservations and its readings in another order of arrival."""
    rng = np.random.default_rng(seed)
    order = rng.permutation(len(inputs.reservations.device))
    held = np.array([getattr(inputs.reservations, name)[order] for name in inputs.reservations.__annotations__])
    return replace(inputs, reservations=reservations(held.T.tolist()))
