"""The formula of one window with its numbers filled in, device by device, and the samples behind it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
import pandas as pd

from aiobserve.domain.units import MICROSECONDS_PER_SECOND
from aiobserve.domain.window import WINDOW, WINDOW_S, Span
from aiobserve.reports.reckoning import Term, terms
from aiobserve.reports.scope import BadScope, Scope
from aiobserve.store.read import fleet, telemetry

# Samples beside the window are listed too: the counter at its edges lies between two of them.
BESIDE = timedelta(minutes=15)
MOST_SAMPLES = 240
# Driver, factor and its unit of what overhead's energy brings with it.
OVERHEAD_FACTORS = {
    "electricity_microusd": ("paid_millij", "usd_per_mwh", "USD/MWh"),
    "carbon_microg": ("energy_millij", "g_per_kwh", "g/kWh"),
    "carbon_market_microg": ("energy_millij", "market_g_per_kwh", "g/kWh"),
    "water_microl": ("energy_millij", "water_l_per_kwh", "l/kWh"),
}


# A figure that is made of several terms, each with a formula of its own.
MADE_OF = {"list_microusd": ("list_capacity_microusd", "electricity_microusd")}


@dataclass(frozen=True)
class Line:
    """A line of a formula, and what it adds to the window: the amount it ends in, nought for words beside."""

    text: str
    amount: int = 0


def most_of(lines: Sequence[Line], first: int, what: str, unit: str) -> list[Line]:
    """Return the lines with the largest amounts, and one for the rest together."""
    ordered = sorted(lines, key=lambda line: -abs(line.amount))
    shown, rest = ordered[:first], ordered[first:]
    if rest:
        amount = sum(line.amount for line in rest)
        shown.append(Line(f"... and {len(rest)} {what}, together = {amount:,} {unit}", amount))
    return shown


def formula_lines(rows: pd.DataFrame, overhead: pd.DataFrame, measures: Sequence[str], *, first: int) -> list[Line]:
    """Return the formulas of the rows that bear most of a window, one line for the rest, and those of overhead."""
    unit = _unit(measures[0])
    ordered = rows.assign(asked=rows[list(measures)].sum(axis=1)).sort_values(
        ["asked", "uid", "start_s"], ascending=[False, True, True]
    )
    lines = [line for _, row in ordered.head(first).iterrows() for line in _row_lines(row, measures)]
    if len(ordered) > first:
        rest = int(ordered["asked"].iloc[first:].sum())
        lines.append(Line(f"... and {len(ordered) - first} rows like these, together = {rest:,} {unit}", rest))
    return [*lines, *(line for _, row in overhead.iterrows() for line in _overhead_lines(row, measures))]


def _terms_of(measures: Sequence[str]) -> list[str]:
    return [name for measure in measures for name in MADE_OF.get(measure, (measure,))]


def _unit(measure: str) -> str:
    return measure.rsplit("_", 1)[1]


def _row_lines(row: Any, measures: Sequence[str]) -> list[Line]:
    owner = " / ".join(filter(None, (row["team"], row["job"]))) or row["account"]
    start, end = (datetime.fromtimestamp(int(row[name]), UTC) for name in ("start_s", "end_s"))
    names = _terms_of(measures)
    energy = int(row["energy_millij"])
    lines = [
        Line(
            f"{row['sku']} {row['uid']} from {start:%H:%M:%S} to {end:%H:%M:%S}, {row['component']}, borne by {owner}:"
        ),
        Line(f"  time: {int(row['held_gpu_millis']):,} of {int(row['offered_gpu_millis']):,} GPU-ms offered"),
        Line(
            f"  energy: {int(row['device_millij']):,} mJ of the device = idle part "
            f"{int(row['baseline_millij']):,} (at {row['idle_w']:.6g} W) "
            f"by time + {int(row['active_millij']):,} above it by activity, else by time; "
            f"of that {energy:,} mJ"
        ),
    ]
    if "gpu_millis" in names:
        held = int(row["gpu_millis"])
        lines.append(Line(f"  GPU time: of a {row['component']}, held = {held:,} millis", held))
    if "energy_millij" in names:
        lines.append(Line(f"  energy: of the above, borne = {energy:,} millij", energy))
    if "energy_error_millij" in names:
        lines.append(_error_line(row))
    return [*lines, *(Line(f"  {term_in_words(term)}", term.part) for term in terms(row) if term.measure in names)]


def _error_line(row: Any) -> Line:
    band, energy, part = (int(row[name]) for name in ("error_millij", "device_millij", "energy_error_millij"))
    ratio = f" ({band / energy:.2%} of its energy)" if energy else ""
    share = (
        f"{int(row['energy_millij']):,} / {energy:,} by energy"
        if energy
        else f"{int(row['held_gpu_millis']):,} / {int(row['offered_gpu_millis']):,} by time"
    )
    return Line(f"  energy error: {band:,} mJ either way of the device{ratio} x {share} = {part:,} millij", part)


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


def _overhead_lines(row: Any, measures: Sequence[str]) -> list[Line]:
    pool = f" pool {int(row['pool_id'])}" if row["pool_id"] >= 0 else ""
    lines = []
    for name in _terms_of(measures):
        amount = (
            int(row["list_microusd"]) - int(row["electricity_microusd"])
            if name == "list_capacity_microusd"
            else int(row[name])
        )
        if amount:
            label = name.rsplit("_", 1)[0].replace("_", " ")
            lines.append(
                Line(f"{row['component']}{pool} {label}: {_made_of(row, name)} = {amount:,} {_unit(name)}", amount)
            )
    return lines


def _made_of(row: Any, name: str) -> str:
    """Return what a measure of overhead is the product of, by the numbers of `reckoned_overhead`."""
    if name in OVERHEAD_FACTORS:
        driver, factor, factor_unit = OVERHEAD_FACTORS[name]
        return f"{int(row[driver]):,} mJ x {row[factor]:.10g} {factor_unit}"
    if row["component"] == "facility":
        above = f"x (PUE {row['pue']:.6g} - 1)"
        if name == "energy_error_millij":
            return f"doubt of the IT energy, {int(row['it_error_millij']):,} mJ either way, {above}"
        pools = int(row["pools_millij"])
        return f"IT energy, {int(row['it_millij']):,} mJ (of it {pools:,} of pools), {above}"
    if row["component"] == "commitment":
        return "committed to in this quarter of an hour and not used"
    if name == "energy_millij":
        return f"{row['power_w']:.10g} W x {WINDOW_S} s"
    if name == "energy_error_millij":
        return f"half of its {int(row['energy_millij']):,} mJ, which nobody metered"
    return f"{row['usd_per_hour']:.10g} USD/h x {WINDOW_S} s"


def move_lines(moves: pd.DataFrame, measures: Sequence[str], *, first: int) -> list[Line]:
    """Return what servers of the cell gave to their tenants by tokens, and what its tenants bore of servers."""
    unit, lines = _unit(measures[0]), []
    for _, row in moves.iterrows():
        amount = int(row[list(measures)].sum())
        if not amount:
            continue
        owner = " / ".join(filter(None, (row["team"], row["project"]))) or "nobody"
        part = f"{int(row['parts']) / max(int(row['whole']), 1):.6%} by {int(row['tokens']):,} tokens"
        kept = f"who keeps {part} and idle time" if row["parts"] else "all of it"
        said = (
            f"model server {row['job']}, {row['component']}: of what stands above, given by {owner} to tenants, {kept}"
            if amount < 0
            else f"model server {row['job']}, {row['component']}: borne by {owner} as tenant, {part}"
        )
        lines.append(Line(f"{said} = {amount:,} {unit}", amount))
    return most_of(lines, first, "tenants like these", unit)


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
