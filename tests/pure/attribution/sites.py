"""Tiny sites for the engine, with numbers that one can check in the head. Not a test; tests build on it."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from aiobserve.attribution.activity import Activity
from aiobserve.attribution.inputs import Devices, SiteInputs
from aiobserve.attribution.segments import Reservations
from aiobserve.attribution.series import Series
from aiobserve.domain.account import Component
from aiobserve.domain.quality import Quality
from aiobserve.domain.signal import StepSignal

WINDOWS = 4
EDGE_S = np.arange(WINDOWS + 1, dtype=np.int64) * 900
SPAN_S = WINDOWS * 900
Readings = Sequence[tuple[float, float]]


def signal(value: float) -> StepSignal:
    """Return a signal that always holds one value."""
    return StepSignal.constant(value, quality=Quality.MEASURED, source="test")


def steady(watts: float) -> Readings:
    """Return (second, counter in mJ) of a device that draws constant power, read every five minutes, a minute beyond the span."""
    return [(s, watts * 1000 * (s + 60)) for s in (-60, *range(0, SPAN_S + 1, 300), SPAN_S + 60)]


def series(readings: Sequence[Readings | None]) -> Series:
    """Return the readings of some devices in one piece; None has no telemetry."""
    counts = [len(one or ()) for one in readings]
    flat = np.array([pair for one in readings for pair in one or ()], dtype=np.float64).reshape(-1, 2)
    at_us = np.rint(flat[:, 0] * 1_000_000).astype(np.int64)
    return Series(np.r_[0, np.cumsum(counts)].astype(np.int64), at_us, flat[:, 1].copy())


def devices(count: int, *, included: bool = False, share_millis: int = 1000, **more: Any) -> Devices:
    """Return GPUs of 20 W idle, 100 W busy and 700 W rated that cost 2 USD an hour."""
    shape = (count, WINDOWS)
    made = Devices(
        component=np.full(count, Component.GPU, dtype=np.int8), share_millis=np.full(count, share_millis),
        tdp_w=np.full(count, 700.0), idle_w=np.full(count, 20.0), active_w=np.full(count, 100.0),
        valid_from_s=np.full(count, -(10**9)), valid_to_s=np.full(count, 10**9), usd_per_gpu_hour=np.full(shape, 2.0),
        list_usd_per_gpu_hour=np.full(shape, 2.0), cost_quality=np.ones(shape, np.int8),
        includes_electricity=np.full(shape, included), embodied_g_per_gpu_hour=np.zeros(count),
        kept_for=np.full(shape, -1),
    )  # fmt: skip
    return replace(made, **more)


def reservations(held: Sequence[tuple[int, int, int, int, int]]) -> Reservations:
    """Return reservations from (device, claimant, start_s, end_s, share_millis)."""
    return Reservations(*np.array(held, dtype=np.int64).reshape(-1, 5).T)


def site(
    readings: Sequence[Readings | None],
    held: Sequence[tuple[int, int, int, int, int]],
    *,
    usd_per_mwh: float = 100.0,
    pue: float = 1.2,
    included: bool = False,
    share_millis: int = 1000,
    **more: Any,
) -> SiteInputs:
    """Return a site in a zone of 500 g/kWh; `more` replaces any other input."""
    inputs = SiteInputs(
        edge_s=EDGE_S, devices=devices(len(readings), included=included, share_millis=share_millis), series=series(readings),
        reservations=reservations(held), activity=Activity.none(), electricity_usd_per_mwh=signal(usd_per_mwh),
        carbon_g_per_kwh=signal(500.0), residual_g_per_kwh=StepSignal.empty(), pue_ratio=signal(pue),
        water_l_per_kwh=StepSignal.empty(), contracts=(), pools=(), unused_commitment_usd=np.zeros(WINDOWS),
    )  # fmt: skip
    return replace(inputs, **more)


def busy(readings: Sequence[tuple[int, int, int, int, float]]) -> Activity:
    """Return activity from (device, claimant, start_s, end_s, level)."""
    columns = np.array(readings, dtype=np.float64).reshape(-1, 5).T
    return Activity(*(column.astype(np.int64) for column in columns[:4]), columns[4])
