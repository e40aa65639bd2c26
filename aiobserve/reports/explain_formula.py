"""The formula of one window with its numbers filled in, device by device, and the samples behind it."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
import pandas as pd

from aiobserve.domain.account import COST_MEASURES
from aiobserve.domain.units import MICROSECONDS_PER_SECOND
from aiobserve.domain.window import WINDOW, Span
from aiobserve.reports.reckoning import Term, terms
from aiobserve.reports.scope import BadScope, Scope
from aiobserve.store.read import fleet, telemetry

# Samples beside the window are listed too: the counter at its edges lies between two of them.
BESIDE = timedelta(minutes=15)
MOST_SAMPLES = 240


def formula_lines(rows: pd.DataFrame, overhead: pd.DataFrame, measures: Sequence[str], *, first: int) -> list[str]:
    """Return the formulas of the rows that bear most of a window, and how many are left out."""
    asked = [name for name in measures if name in rows.columns]
    ordered = rows.assign(asked=rows[asked].sum(axis=1)).sort_values(
        ["asked", "uid", "start_s"], ascending=[False, True, True]
    )
    lines = [line for _, row in ordered.head(first).iterrows() for line in _row_lines(row, measures)]
    if len(ordered) > first:
        lines.append(
            f"... and {len(ordered) - first} rows like these, {int(ordered['asked'].iloc[first:].sum()):,} together"
        )
    return [*lines, *(line for _, row in overhead.iterrows() for line in _overhead_lines(row))]


def _row_lines(row: Any, measures: Sequence[str]) -> list[str]:
    owner = " / ".join(filter(None, (row["team"], row["job"]))) or row["account"]
    start, end = (datetime.fromtimestamp(int(row[name]), UTC) for name in ("start_s", "end_s"))
    lines = [
        f"{row['sku']} {row['uid']} from {start:%H:%M:%S} to {end:%H:%M:%S}, {row['component']}, borne by {owner}:",
        f"  time: {int(row['held_gpu_millis']):,} of {int(row['offered_gpu_millis']):,} GPU-ms offered",
        f"  energy: {int(row['device_millij']):,} mJ of the device = idle part {int(row['baseline_millij']):,} (at {row['idle_w']:.6g} W) "
        f"by time + {int(row['active_millij']):,} above it by activity, else by time; of that {int(row['energy_millij']):,} mJ",
    ]
    wanted = {"list_microusd": ("capacity_microusd", "electricity_microusd")}
    names = {name for measure in measures for name in wanted.get(measure, (measure,))}
    return [*lines, *(f"  {term_in_words(term)}" for term in terms(row) if term.measure in names)]


def term_in_words(term: Term) -> str:
    """Return a formula with its numbers: driver x factor, and the owner's part of it."""
    name, unit = term.measure.rsplit("_", 1)
    whole = (
        f"{term.driver:,} {term.driver_unit} x {term.factor:.10g} {term.factor_unit} x {term.per_factor:,} / {term.per_driver:,} "
        f"= {term.total:,} {unit}"
    )
    share = (
        ""
        if term.weight == term.weights
        else f"; x {term.weight:,} / {term.weights:,} by {term.shared_by} = {term.part:,} {unit}"
    )
    return f"{name.replace('_', ' ')}: {whole}{share}"


def _overhead_lines(row: Any) -> list[str]:
    amounts = ", ".join(
        f"{name} {int(row[name]):,}" for name in ("energy_millij", *COST_MEASURES, "carbon_microg") if int(row[name])
    )
    if row["component"] == "facility":
        return [
            f"facility: IT energy (of devices {int(row['it_millij']):,} mJ, and of pools) x (PUE {row['pue']:.6g} - 1) = "
            f"{int(row['energy_millij']):,} mJ; {amounts}"
        ]
    return [f"{row['component']}{f' pool {int(row.pool_id)}' if row['pool_id'] >= 0 else ''}: {amounts}"]


def sample_lines(scope: Scope, uid: str, window_at: datetime | None) -> list[str]:
    """Return the samples of a device in a window and next to it, one a line.

    Raises:
        BadScope: the organisation has no such device, or no window is known.
    """
    if window_at is None:
        raise BadScope("name a window with the device, as window=2026-10-15T06:00Z")
    known = [frame for site in fleet.sites(scope.organisation.pk) for frame in [fleet.devices(site.pk)]]
    devices = pd.concat(known, ignore_index=True) if known else pd.DataFrame({"uid": []})
    mine = devices[devices["uid"] == uid]
    if mine.empty:
        raise BadScope(f"no device {uid[:80]!r}; the inputs of an explanation list the devices by uid")
    device_id = int(mine["device_id"].iloc[0])
    span = Span(window_at - BESIDE, window_at + WINDOW + BESIDE)
    found = telemetry.readings([device_id], span).get(device_id)
    if found is None:
        return [
            "no sample between a quarter of an hour before and after: the energy was modelled from idle and busy watts"
        ]
    at_s = found.at_us / MICROSECONDS_PER_SECOND
    lines = [
        f"{len(at_s)} samples from {_clock(at_s[0])} to {_clock(at_s[-1])}Z, longest silence "
        f"{np.diff(at_s).max(initial=0):.0f} s"
    ]
    for i in range(min(len(at_s), MOST_SAMPLES)):
        within = window_at.timestamp() <= at_s[i] < (window_at + WINDOW).timestamp()
        lines.append(
            f"{_clock(at_s[i])}{' ' if within else '*'} counter {_number(found.energy_millij[i], 'mJ')}, power "
            f"{_number(found.power_w[i], 'W')}, utilisation {_number(found.utilisation_ratio[i], '')}"
        )
    if len(at_s) > MOST_SAMPLES:
        lines.append(f"... {len(at_s) - MOST_SAMPLES} more")
    return [*lines, "* beside the window: the counter at its edges is read between neighbours"]


def _clock(at_s: float) -> str:
    return f"{datetime.fromtimestamp(float(at_s), UTC):%Y-%m-%d %H:%M:%S}"


def _number(value: float, unit: str) -> str:
    return "not read" if np.isnan(value) else f"{value:,.10g} {unit}".strip()
