"""Arranges the Overview page from the reports. Adds up nothing that a report has not added up."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from aiobserve.domain.account import Account
from aiobserve.domain.quality import Quality
from aiobserve.domain.units import MICROG_PER_KG, MICROUSD_PER_USD
from aiobserve.reports.amounts import Amounts, total
from aiobserve.reports.reconciliation import reconciliation
from aiobserve.reports.schedule import PlanReport, plan_report
from aiobserve.reports.scope import Scope, present
from aiobserve.reports.sharing import IDLE_POLICIES, OVERHEAD_POLICIES, described, in_words
from aiobserve.reports.spend import SpendRow, spend
from aiobserve.reports.windows import SiteOutlook, outlook
from dashboards import formats
from dashboards.charts.daily import daily, series_of
from dashboards.charts.gantt import gantt
from dashboards.charts.outlook import outlook_chart
from dashboards.query import explain_url

TOP_JOBS = 10
NO_MODEL = "no model named"
# What tokens cost that were bought.
NO_JOB = "no job: bought tokens"
# The figures of a table of amounts that lead to their explanation.
LINKED = ("cost", "gpu_hours", "energy", "carbon")
ACCOUNTS = [account.label for account in Account]


@dataclass(frozen=True)
class Tile:
    """One number with what it is, how it changed, and how well it is known."""

    measure: str
    title: str
    value: str
    unit: str
    exact: int
    change: str
    note: str
    also: str = ""
    link: str = ""


@dataclass(frozen=True)
class Line:
    """One row of a table of amounts; `bearer` says in words when no team bears it."""

    name: str
    is_team: bool
    amounts: Amounts
    share: str
    links: dict[str, str] = field(default_factory=dict)


def page(scope: Scope, *, clock_at: datetime) -> dict[str, Any]:
    """Return everything that the template shows."""
    now_at = present(scope.organisation, clock_at)
    by_day = spend(scope, group_by=("day", "account", "team"))
    before = spend(_before(scope), group_by=("account",))
    plan = plan_report(scope.organisation.pk)
    sites = outlook(scope.organisation, now_at=now_at)
    teams = _lines(by_day.rows, series_of, lambda name: _linked(scope, _of_team(name, scope)))
    return {
        "scope": scope,
        "now_at": now_at,
        "has_ledger": bool(by_day.rows),
        "tiles": _tiles(scope, by_day.total, _of(by_day.rows, "idle"), before.total, _of(before.rows, "idle"), plan),
        "teams": teams,
        "total": by_day.total,
        "bill": reconciliation(scope),
        "models": _lines(_borne(scope, "model"), _model, lambda name: _linked(scope, _of_jobs("model", name, scope))),
        "jobs": _lines(_borne(scope, "job_name"), _job, lambda name: _linked(scope, _of_jobs("job_name", name, scope)))[
            :TOP_JOBS
        ],
        "idle_policies": IDLE_POLICIES,
        "overhead_policies": OVERHEAD_POLICIES,
        "sharing_words": in_words(scope.sharing),
        "utilisation_floor": described(scope.sharing)["utilisation_floor"] or "",
        "plan": plan,
        "plan_gap": f"{plan.gap_ratio:.2%}" if plan else "",
        "plan_rows": plan.rows if plan else (),
        "sites": sites,
        "days": _days(by_day.rows),
        "day_links": {day: _linked(scope, {"day": [day]}) for day, _ in _days(by_day.rows)},
        "total_links": _linked(scope, {}),
        "sentence": _sentence(by_day.total, before.total, teams),
        "figures": _figures(scope, by_day.rows, plan, sites) if by_day.rows else {},
    }


def _borne(scope: Scope, dimension: str) -> list[SpendRow]:
    """Return what jobs came to by a dimension, with what is shared out to them where the scope shares."""
    rows = spend(scope, group_by=(dimension, "account", "team"), filters={"account": ["job", "idle", "overhead"]}).rows
    return [row for row in rows if row.keys["team"]]


def _figures(
    scope: Scope, rows: tuple[SpendRow, ...], plan: PlanReport | None, sites: list[SiteOutlook]
) -> dict[str, dict[str, Any]]:
    figures = {
        "cost": daily(rows, scope.days, value=lambda one: one.cost_microusd / MICROUSD_PER_USD, unit="USD"),
        "carbon": daily(rows, scope.days, value=lambda one: one.carbon_microg / MICROG_PER_KG, unit="kgCO2e"),
    }
    figures |= {f"outlook-{i}": outlook_chart(site, timezone=scope.timezone) for i, site in enumerate(sites)}
    if plan and plan.rows:
        figures["plan"] = gantt(plan.rows, timezone=scope.timezone)
    return figures


def _tiles(
    scope: Scope, now: Amounts, idle: Amounts, then: Amounts, idle_then: Amounts, plan: PlanReport | None
) -> list[Tile]:
    parts = f"capacity {formats.money(now.capacity_microusd)}, electricity {formats.money(now.electricity_microusd)}"
    if now.api_microusd:
        parts += f", bought tokens {formats.money(now.api_microusd)}"
    part_idle = formats.share(idle.cost_microusd, now.cost_microusd)
    tiles = [
        _tile("cost", "Cost", formats.money, now.cost_microusd, then.cost_microusd, parts, _listed(now)),
        _tile(
            "energy", "Energy", formats.energy, now.energy_millij, then.energy_millij,
            f"± {formats.energy(now.energy_error_millij, now.energy_millij)} ({now.energy_error_share:.1%})", _known(now),
        ),
        _tile(
            "carbon", "Emissions", formats.carbon, now.carbon_microg, then.carbon_microg,
            f"location-based, hourly; ± {formats.carbon(now.carbon_error_microg, now.carbon_microg)} by the energy", _otherwise(now),
        ),
        _tile(
            "idle", "Idle", formats.money, idle.cost_microusd, idle_then.cost_microusd,
            f"{part_idle} of the cost, {formats.hours(idle.gpu_millis)} GPU-hours",
        ),
    ]  # fmt: skip
    filters: dict[str, dict[str, list[str]]] = {"idle": {"account": ["idle"]}}
    figures = {"idle": "cost"}
    tiles = [
        replace(one, link=explain_url(scope, figures.get(one.measure, one.measure), filters.get(one.measure)))
        for one in tiles
    ]
    if plan:
        note = f"predicted, not verified: {plan.deferred} of {len(plan.rows)} jobs moved"
        saving = formats.money(plan.saving_microusd)
        change = f"and {formats.carbon(plan.saving_microg)}"
        tiles.append(Tile("saving", "Plan saves", saving, "", plan.saving_microusd, change, note))
    return tiles


def _tile(
    measure: str, title: str, written: Callable[[int], str], now: int, then: int, note: str, also: str = ""
) -> Tile:
    value, _, unit = written(now).partition(" ")
    return Tile(measure, title, value, unit, now, formats.change(now, then), note, also)


def _listed(now: Amounts) -> str:
    """Return what it would have cost at list price, in words; nothing when that is the same."""
    rebate = now.list_microusd - now.cost_microusd
    if not rebate:
        return ""
    more = f"{formats.share(abs(rebate), now.cost_microusd)} {'more' if rebate > 0 else 'less'}"
    return f"at list price {formats.money(now.list_microusd)}, {more}"


def _otherwise(now: Amounts) -> str:
    """Return the emissions by the other methods, and the water, as far as they are known."""
    said = (
        f"market-based {formats.carbon(now.carbon_market_microg, now.carbon_microg)}"
        if now.carbon_market_microg
        else "",
        f"manufacture {formats.carbon(now.embodied_microg, now.carbon_microg)}" if now.embodied_microg else "",
        f"water {formats.water(now.water_microl)}" if now.water_microl else "",
    )
    return "; ".join(filter(None, said))


def _known(amounts: Amounts) -> str:
    return ", ".join(f"{quality.label} {amounts.quality_share(quality):.1%}" for quality in Quality)


def _linked(scope: Scope, filters: dict[str, list[str]] | None) -> dict[str, str]:
    """Return where each figure of a row is explained; nowhere for what no filter can name."""
    return (
        dict.fromkeys(LINKED, "")
        if filters is None
        else {figure: explain_url(scope, figure, filters) for figure in LINKED}
    )


def _of_team(name: str, scope: Scope) -> dict[str, list[str]]:
    if name not in ACCOUNTS:
        return {"team": [name]}
    return {"account": [name], "team": [""]} if scope.sharing.shares else {"account": [name]}


def _of_jobs(dimension: str, name: str, scope: Scope) -> dict[str, list[str]] | None:
    if name in (NO_MODEL, NO_JOB):
        return None if scope.sharing.shares else {dimension: [""], "account": ["job"]}
    return {dimension: [name], "account": ["job", "idle", "overhead"] if scope.sharing.shares else ["job"]}


def _lines(
    rows: Iterable[SpendRow], name_of: Callable[[SpendRow], str], links_of: Callable[[str], dict[str, str]]
) -> list[Line]:
    groups: dict[str, list[Amounts]] = {}
    for row in rows:
        groups.setdefault(name_of(row), []).append(row.amounts)
    sums = {name: total(amounts) for name, amounts in groups.items()}
    whole = total(sums.values()).cost_microusd
    ordered = sorted(sums.items(), key=lambda item: (item[0] in ACCOUNTS, -item[1].cost_microusd))
    return [
        Line(name, name not in ACCOUNTS, amounts, formats.share(amounts.cost_microusd, whole), links_of(name))
        for name, amounts in ordered
    ]


def _days(rows: tuple[SpendRow, ...]) -> list[tuple[str, Amounts]]:
    groups: dict[str, list[Amounts]] = {}
    for row in rows:
        groups.setdefault(row.keys["day"], []).append(row.amounts)
    return [(day, total(amounts)) for day, amounts in sorted(groups.items())]


def _of(rows: tuple[SpendRow, ...], account: str) -> Amounts:
    return total(row.amounts for row in rows if row.keys["account"] == account)


def _model(row: SpendRow) -> str:
    return row.keys["model"] or NO_MODEL


def _job(row: SpendRow) -> str:
    return row.keys["job_name"] or NO_JOB


def _before(scope: Scope) -> Scope:
    return replace(scope, first_day=scope.first_day - (scope.end_day - scope.first_day), end_day=scope.first_day)


def _sentence(now: Amounts, then: Amounts, teams: list[Line]) -> str:
    """Return the page in one sentence, for the eye and for a screen reader."""
    most = next((line for line in teams if line.is_team), None)
    tail = f"; {most.name} bears most, {formats.money(most.amounts.cost_microusd)} ({most.share})" if most else ""
    return f"Cost came to {formats.money(now.cost_microusd)}, {formats.change(now.cost_microusd, then.cost_microusd)}{tail}."
