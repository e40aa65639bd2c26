"""Plans the jobs that wait: gathers queue, free GPUs and newest forecasts, asks the planner, keeps its answer."""

import math
from datetime import datetime, timedelta

import numpy as np
import numpy.typing as npt
import pandas as pd

from aiobserve.domain.units import MICROG_PER_G, MICROUSD_PER_USD
from aiobserve.domain.window import Span
from aiobserve.store.columns import FAR_FUTURE_S, frame
from aiobserve.store.read import fleet, rates, workloads
from aiobserve.store.write.plans import forget_plans, write_plan
from scheduler.job import Job
from scheduler.plan import Decision, Plan, plan
from scheduler.policy import POLICIES
from scheduler.slots import Forecast, Pool, Slots

SLOT_S = 1800
HORIZON = timedelta(hours=72)
DEFAULT_POLICY = "blended"
CARBON_KINDS = ("carbon_lifecycle_g_per_kwh", "carbon_direct_g_per_kwh")
KEEP_PLANS = timedelta(days=30)


class UnknownPolicy(LookupError):
    """No policy has that name."""


def make_plan(organisation_id: int, *, now_at: datetime, policy: str = DEFAULT_POLICY) -> Plan:
    """Plan the pending jobs of an organisation from now on and keep the plan.

    A job whose run time nobody knows, or that is urgent, starts as soon as there is room.

    Raises:
        UnknownPolicy: the message lists the policies.
    """
    if policy not in POLICIES:
        raise UnknownPolicy(f"no policy {policy!r}; choose from {', '.join(POLICIES)}")
    slots = Slots(now_at, SLOT_S, int(HORIZON.total_seconds()) // SLOT_S)
    waiting = workloads.pending_jobs(organisation_id)
    jobs: list[Job] = []
    pools: dict[str, Pool] = {}
    issues: list[datetime] = []
    for site in fleet.sites(organisation_id):
        here = waiting[waiting["site_id"] == site.pk]
        if here.empty:
            continue
        devices = fleet.devices(site.pk)
        devices = devices[devices["kind"] == "gpu"].reset_index(drop=True)
        made = _pools(site, devices, slots)
        pools |= made
        issues += [f.issued_at for pool in made.values() for f in (pool.usd_per_mwh, pool.g_per_kwh) if f.issued_at]
        jobs += _jobs(site, here, devices)
    made_plan = plan(jobs, pools, slots, policy=POLICIES[policy])
    ids = dict(zip(waiting["key"], waiting["job_id"], strict=True))
    write_plan(
        organisation_id,
        head={
            "made_at": now_at,
            "policy": policy,
            "slot_s": SLOT_S,
            "horizon_end_at": slots.end_at,
            "objective": made_plan.objective,
            "lower_bound": made_plan.lower_bound,
            "signals_issued_at": max(issues, default=None),
        },
        decisions=[_row(decision, int(ids[decision.job_key])) for decision in made_plan.decisions],
    )
    forget_plans(organisation_id, before_at=now_at - KEEP_PLANS)
    return made_plan


def _pools(site: fleet.SiteRow, devices: pd.DataFrame, slots: Slots) -> dict[str, Pool]:
    span = Span(slots.start_at, slots.end_at)
    free = _free_devices(site, devices, slots)
    price, price_issued_at = rates.forecast_signal(
        site.organisation_id, site.grid_zone, kinds=("electricity_usd_per_mwh",), now_at=slots.start_at
    )
    carbon, carbon_issued_at = rates.forecast_signal(
        site.organisation_id, site.grid_zone, kinds=CARBON_KINDS, now_at=slots.start_at
    )
    pue = rates.actual_signals(site.organisation_id, [site.name], kinds=["pue_ratio"], span=span).of(
        site.name, "pue_ratio"
    )
    known = frame(rates.gpu_rates(site.organisation_id, site.pk))
    # Where the rent includes electricity, its price is not ours to save.
    free_of_charge = Forecast(np.zeros(slots.n), slots.start_at)
    rented = {sku for sku in devices["sku"].unique() if _rent_includes_electricity(known, str(sku), slots.start_at)}
    return {
        _pool_name(site, str(sku)): Pool(
            name=_pool_name(site, str(sku)),
            free_gpus=free[rows.index].sum(axis=0),
            usd_per_mwh=free_of_charge if sku in rented else slots.sample(price, price_issued_at),
            g_per_kwh=slots.sample(carbon, carbon_issued_at),
            pue_ratio=float(pue.value[-1]) if pue.value.size else 1.0,
        )
        for sku, rows in devices.groupby("sku")
    }


def _rent_includes_electricity(known: pd.DataFrame, sku: str, at: datetime) -> bool:
    """Return whether the price that holds at an instant includes electricity; a site's own price wins."""
    at_s = at.timestamp()
    valid = known[(known["sku"] == sku) & (known["valid_from_s"] <= at_s) & (known["valid_to_s"] > at_s)]
    return bool(len(valid)) and bool(valid.sort_values(["of_site", "valid_from_s"])["includes_electricity"].iloc[-1])


def _free_devices(site: fleet.SiteRow, devices: pd.DataFrame, slots: Slots) -> npt.NDArray[np.int64]:
    """Return the whole GPUs of each device that nobody holds in each slot, shape (devices, slots)."""
    edges_s = slots.edges_s()
    there = (devices["valid_from_s"].to_numpy()[:, None] <= edges_s[:-1]) & (
        devices["valid_to_s"].to_numpy()[:, None] >= edges_s[1:]
    )
    free = there * (devices["capacity_millis"].to_numpy()[:, None] // 1000)
    row_of = dict(zip(devices["device_id"], devices.index, strict=True))
    for held in workloads.running_holdings(site.pk, Span(slots.start_at, slots.end_at)).itertuples():
        end_s = _expected_end_s(held)
        touched = (edges_s[:-1] < end_s) & (edges_s[1:] > held.start_s)
        free[row_of[held.device_id], touched] = 0
    return free.astype(np.int64)


def _expected_end_s(held: object) -> float:
    """Return when a holding is expected to end: interactive work stays, other open work after its run time."""
    end_s, runtime_s = float(held.end_s), held.runtime_s  # type: ignore[attr-defined]
    is_open = end_s >= FAR_FUTURE_S
    if is_open and held.tier != "interactive" and runtime_s is not None and not math.isnan(runtime_s):  # type: ignore[attr-defined]
        return float(held.start_s + runtime_s)  # type: ignore[attr-defined]
    return end_s


def _jobs(site: fleet.SiteRow, waiting: pd.DataFrame, devices: pd.DataFrame) -> list[Job]:
    active_w = devices.groupby("sku")["active_w"].mean()
    most = str(devices.groupby("sku")["capacity_millis"].sum().idxmax())
    jobs = []
    for row in waiting.itertuples():
        sku = row.sku if row.sku in active_w.index else most
        known = row.runtime_s is not None and not math.isnan(row.runtime_s)
        jobs.append(
            Job(
                key=row.key,
                pool=_pool_name(site, sku),
                gpus=int(row.gpus),
                runtime_s=float(row.runtime_s) if known else float(SLOT_S),
                power_w=float(active_w[sku]) * int(row.gpus),
                submitted_at=row.submitted_at,
                deadline_at=row.deadline_at
                if isinstance(row.deadline_at, datetime) and not pd.isna(row.deadline_at)
                else None,
                max_wait_s=None if row.max_wait_s is None or math.isnan(row.max_wait_s) else float(row.max_wait_s),
                deferrable=row.tier == "deferrable" and known,
            )
        )
    return jobs


def _pool_name(site: fleet.SiteRow, sku: str) -> str:
    return f"{site.name}/{sku}"


def _row(decision: Decision, job_id: int) -> dict[str, object]:
    return {
        "job_id": job_id,
        "action": decision.action,
        "start_at": decision.start_at,
        "end_at": decision.end_at,
        "slack_s": decision.slack_s,
        "cost_microusd": _integer(decision.cost_usd, MICROUSD_PER_USD),
        "cost_now_microusd": _integer(decision.cost_now_usd, MICROUSD_PER_USD),
        "carbon_microg": _integer(decision.carbon_g, MICROG_PER_G),
        "carbon_now_microg": _integer(decision.carbon_now_g, MICROG_PER_G),
        "reason": decision.reason,
    }


def _integer(amount: float, per_unit: int) -> int | None:
    return None if math.isnan(amount) else round(amount * per_unit)
