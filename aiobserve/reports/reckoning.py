"""Works one window of a site out again from its inputs, and keeps every number that goes into each amount.

The arithmetic is the engine's own; nothing here reckons but the check that a filled-in formula gives what it says.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import numpy as np
import pandas as pd

from aiobserve.attribution.block import Measured, charge
from aiobserve.attribution.engine import attribute
from aiobserve.attribution.factors import Factors
from aiobserve.domain.account import MEASURES, Account, Component
from aiobserve.domain.units import (
    GPU_MILLIS_PER_GPU_HOUR,
    MICROG_PER_G,
    MICROL_PER_L,
    MICROUSD_PER_USD,
    MILLIJ_PER_KWH,
    MILLIJ_PER_MWH,
)
from aiobserve.domain.window import WINDOW, Span
from aiobserve.inputs.site import devices_in, edges_of, holders, site_inputs
from aiobserve.reports.reckoned_overhead import with_numbers
from aiobserve.reports.reckoned_tokens import moves_of
from aiobserve.store.read import fleet
from aiobserve.store.read.names import names_of_jobs, names_of_teams

# What each measure of a device is made of: driver, its unit, factor, its unit, units of the driver per unit of the factor,
# units of the measure per unit of the factor, and what it is shared by.
FORMULAS: dict[str, tuple[str, str, str, str, int, int, str]] = {
    "capacity_microusd": (
        "offered_gpu_millis", "GPU-ms", "usd_per_gpu_hour", "USD/GPU-h", GPU_MILLIS_PER_GPU_HOUR, MICROUSD_PER_USD, "time",
    ),
    "list_capacity_microusd": (
        "offered_gpu_millis", "GPU-ms", "list_usd_per_gpu_hour", "USD/GPU-h", GPU_MILLIS_PER_GPU_HOUR, MICROUSD_PER_USD, "time",
    ),
    "electricity_microusd": (
        "paid_millij", "mJ", "usd_per_mwh", "USD/MWh", MILLIJ_PER_MWH, MICROUSD_PER_USD, "energy",
    ),
    "carbon_microg": ("device_millij", "mJ", "g_per_kwh", "g/kWh", MILLIJ_PER_KWH, MICROG_PER_G, "energy"),
    "carbon_market_microg": ("device_millij", "mJ", "market_g_per_kwh", "g/kWh", MILLIJ_PER_KWH, MICROG_PER_G, "energy"),
    "water_microl": ("device_millij", "mJ", "water_l_per_kwh", "l/kWh", MILLIJ_PER_KWH, MICROL_PER_L, "energy"),
    "embodied_microg": (
        "offered_gpu_millis", "GPU-ms", "embodied_g_per_gpu_hour", "g/GPU-h", GPU_MILLIS_PER_GPU_HOUR, MICROG_PER_G, "time",
    ),
}  # fmt: skip


@dataclass(frozen=True)
class Term:
    """One device's part of one measure, with the numbers of its formula.

    `total` is what the device and span came to: driver x factor, rounded. `part` is the owner's of it: total x weight /
    weights, by largest remainder, so that it is off by less than one unit.
    """

    measure: str
    driver: int
    driver_unit: str
    factor: float
    factor_unit: str
    per_driver: int
    per_factor: int
    total: int
    weight: int
    weights: int
    shared_by: str
    part: int

    def holds(self) -> bool:
        """Return whether the formula, filled in, gives the amount: exactly, but for the unit of the largest remainder."""
        product = int(np.rint(self.driver * (self.factor * (self.per_factor / self.per_driver))))
        exact_part = self.total * self.weight
        return abs(product - self.total) <= 1 and abs(exact_part - self.part * self.weights) < max(self.weights, 1)


@dataclass(frozen=True)
class Reckoned:
    """A window of a site, worked out again.

    Attributes:
        rows: one a device, span and owner: uid, sku, start_s, end_s, account, component, team, project, model, job, job_name,
            workload_type, site; the measures; and the device's own numbers (`FORMULAS`, baseline_millij, active_millij).
        overhead: rows of pools, facility and unused commitments likewise, with the numbers of `reckoned_overhead`.
        moves: what model servers gave to their tenants and what these bore, as `reckoned_tokens.moves_of` has it; it sums
            to nought over all of them.
    """

    rows: pd.DataFrame
    overhead: pd.DataFrame
    moves: pd.DataFrame

    def matching(self, filters: Mapping[str, Sequence[str]]) -> tuple[pd.DataFrame, pd.DataFrame]:
        """Return the rows of a cell: of devices, and of overhead."""
        return within(self.rows, filters), within(self.overhead, filters)


def within(rows: pd.DataFrame, filters: Mapping[str, Sequence[str]]) -> pd.DataFrame:
    """Return the rows whose words are among the filters' values; a filter that is no column leaves them all."""
    for name, values in filters.items():
        rows = rows[rows[name].isin(list(values))] if name in rows.columns else rows
    return rows


def reckon(site: fleet.SiteRow, window_at: datetime, *, reserver_named: bool) -> Reckoned | None:
    """Return what a window of a site comes to by today's inputs; None when the site has no device then.

    Raises:
        RateMissing, SignalMissing: a price or factor is not known.
    """
    span = Span(window_at, window_at + WINDOW)
    devices = devices_in(site.pk, span)
    if devices.empty:
        return None
    held = holders(site, devices, span)
    inputs = site_inputs(site, devices, held, span)
    found = attribute(inputs)
    if found.factors is None:
        return None
    rows, first = [], 0
    for one in found.measured:
        of_block = devices.iloc[first : first + len(one.devices.share_millis)].reset_index(drop=True)
        rows.append(_rows(one, of_block, found.factors, edges_of(span)))
        first += len(of_block)
    joined = named(pd.concat(rows, ignore_index=True), held.claimed.claimants, site.name, reserver_named=reserver_named)
    charges = found.charges
    over = charges[(charges["kind"] == Account.OVERHEAD) | (charges["component"] == Component.COMMITMENT)]
    over = with_numbers(over.rename(columns={"kind": "account"}), inputs, found)
    moved, claimants = moves_of(site.pk, span, charges, held.claimed.claimants)
    return Reckoned(
        joined,
        named(over, held.claimed.claimants, site.name, reserver_named=reserver_named),
        named(moved, claimants, site.name, reserver_named=reserver_named),
    )


def _rows(one: Measured, devices: pd.DataFrame, factors: Factors, edge_s: Any) -> pd.DataFrame:
    charged = charge(one, edge_s, factors).rows
    segment = one.claims.segment
    device = one.segments.device[segment]
    energy, drawn = one.drawn.energy_millij, one.drawn
    shared = pd.DataFrame(
        {
            "account": charged.keys["kind"],
            "component": charged.keys["component"],
            "claimant": charged.keys["claimant"],
            "uid": devices["uid"].to_numpy()[device],
            "sku": devices["sku"].to_numpy()[device],
            "start_s": one.segments.start_s[segment],
            "end_s": one.segments.end_s[segment],
            "segment": segment,
            "held_gpu_millis": one.claims.gpu_millis,
            "offered_gpu_millis": one.capacity[segment],
            "device_millij": energy[segment],
            "baseline_millij": drawn.baseline_millij[segment],
            "active_millij": drawn.active_millij[segment],
            "paid_millij": np.where(one.paid_apart, energy, 0)[segment],
            "idle_w": one.devices.idle_w[device],
            "usd_per_gpu_hour": one.devices.usd_per_gpu_hour[device, 0],
            "list_usd_per_gpu_hour": one.devices.list_usd_per_gpu_hour[device, 0],
            "error_millij": drawn.error_millij[segment],
            "embodied_g_per_gpu_hour": one.devices.embodied_g_per_gpu_hour[device],
            "usd_per_mwh": factors.usd_per_mwh[0],
            "g_per_kwh": factors.g_per_kwh[0],
            "market_g_per_kwh": factors.market_g_per_kwh[0],
            "water_l_per_kwh": factors.water_l_per_kwh[0],
        }
    )
    nothing = np.zeros(len(segment), np.int64)
    amounts = {name: charged.measures.get(name, nothing) for name in MEASURES}
    rows = shared.assign(**amounts, list_capacity_microusd=amounts["list_microusd"] - amounts["electricity_microusd"])
    of_segment = rows.groupby("segment")
    for name in (*FORMULAS, "energy_millij", "energy_error_millij"):
        rows[f"total_{name}"] = of_segment[name].transform("sum")
    return rows


def named(rows: pd.DataFrame, claimants: pd.DataFrame, site: str, *, reserver_named: bool) -> pd.DataFrame:
    """Put words to owners: account, component, team, project, model, job."""
    keys = claimants.reindex(rows["claimant"]).reset_index(drop=True)
    rows = pd.concat([rows.reset_index(drop=True), keys], axis=1)
    nobody = (rows["account"] == Account.JOB) & rows["team_id"].isna()
    account = rows["account"].mask(nobody, int(Account.UNATTRIBUTED))
    teams = names_of_teams(rows["team_id"].dropna().astype("int64").unique().tolist())
    projects = names_of_teams(rows["project_id"].dropna().astype("int64").unique().tolist(), of="project")
    models = names_of_teams(rows["model_id"].dropna().astype("int64").unique().tolist(), of="model")
    jobs = names_of_jobs(rows["job_id"].dropna().astype("int64").unique().tolist())
    rows = rows.assign(
        site=site,
        account=account.map({int(one): one.label for one in Account}),
        component=rows["component"].map({int(one): one.label for one in Component}),
        team=_words(rows["team_id"], teams),
        project=_words(rows["project_id"], projects),
        **{name: _words(rows["job_id"], jobs[name].to_dict()) for name in jobs.columns if name != "model"},
        model=_words(rows["model_id"], models),
    )
    if not reserver_named:
        rows["team"] = rows["team"].mask(rows["account"] == Account.IDLE.label, "")
    return rows


def _words(ids: "pd.Series[float]", names: Mapping[int, str]) -> "pd.Series[str]":
    """Return the name of each id, "" where there is none."""
    return pd.Series(["" if pd.isna(pk) else names[int(pk)] for pk in ids], index=ids.index, dtype="str")


def terms(row: Any) -> list[Term]:
    """Return the filled-in formulas of one row of `Reckoned.rows` for each measure that it has any of."""
    made = []
    for measure, (driver, driver_unit, factor, factor_unit, per_driver, per_factor, shared_by) in FORMULAS.items():
        total = int(row[f"total_{measure}"])
        if not total and not int(row[measure]):
            continue
        by_time = shared_by == "time"
        made.append(
            Term(
                measure, int(row[driver]), driver_unit, float(row[factor]), factor_unit, per_driver, per_factor, total,
                weight=int(row["held_gpu_millis"] if by_time else row["energy_millij"]),
                weights=int(row["offered_gpu_millis"] if by_time else row["total_energy_millij"]),
                shared_by=shared_by,
                part=int(row[measure]),
            )
        )  # fmt: skip
    return made
