"""Days that cost other than expected, of the whole and of each team and model, with what drove them."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import date

from aiobserve.domain.account import Account
from aiobserve.ledger.anomaly import LOOK_BACK_WEEKS, WEEK, Episode, anomalies, episodes
from aiobserve.ledger.drivers import Cell, DayCost
from aiobserve.reports.days import known_days
from aiobserve.reports.scope import Scope
from aiobserve.reports.spend import SpendRow, spend

__all__ = ["AnomalyReport", "Episode", "anomaly_report"]

GROUP_BY = ("day", "account", "team", "model", "site")
WHOLE = "everything"
UNNAMED = "unnamed work"
# What holds GPUs: jobs that a team answers for, and those that nobody does.
HOLDING = (Account.JOB.label, Account.UNATTRIBUTED.label)


@dataclass(frozen=True)
class AnomalyReport:
    """Episodes of a scope's days, the largest change first; and the number of whole days that they could be found among."""

    scope: Scope
    episodes: tuple[Episode, ...]
    known_days: int


def anomaly_report(scope: Scope) -> AnomalyReport:
    """Return the episodes that began or went on in a scope, of the whole, of each team and of each model."""
    known = known_days(scope.organisation.pk, scope.timezone)
    if known is None:
        return AnomalyReport(scope, (), 0)
    first = max(known.first, scope.first_day - WEEK * LOOK_BACK_WEEKS)
    end = min(known.today, scope.end_day)
    if first >= end:
        return AnomalyReport(scope, (), 0)
    rows = spend(replace(scope, first_day=first, end_day=end), group_by=GROUP_BY).rows
    found: list[Episode] = []
    for name, own in _scopes(rows).items():
        days = _days(own, whole=name == WHOLE, first=first, end=end)
        found += episodes(anomalies(name, days, since=scope.first_day, until=end))
    ordered = sorted(found, key=lambda one: (-abs(one.change_microusd), one.first.day, one.first.scope))
    return AnomalyReport(scope, tuple(ordered), (end - first).days)


def _scopes(rows: Iterable[SpendRow]) -> dict[str, list[SpendRow]]:
    """Return the rows of the whole, of each team and of each model, by the words that name them."""
    found: dict[str, list[SpendRow]] = {WHOLE: []}
    for row in rows:
        found[WHOLE].append(row)
        if row.keys["account"] == Account.JOB.label:
            if row.keys["team"]:
                found.setdefault(f"team {row.keys['team']}", []).append(row)
            if row.keys["model"]:
                found.setdefault(f"model {row.keys['model']}", []).append(row)
    return found


def _days(rows: Iterable[SpendRow], *, whole: bool, first: date, end: date) -> Mapping[date, DayCost]:
    """Return the cost of each date, also of those on which nothing was spent."""
    groups: dict[date, list[SpendRow]] = {
        date.fromordinal(number): [] for number in range(first.toordinal(), end.toordinal())
    }
    for row in rows:
        groups[date.fromisoformat(row.keys["day"])].append(row)
    return {day: _day_cost(own, whole=whole) for day, own in groups.items()}


def _day_cost(rows: Iterable[SpendRow], *, whole: bool) -> DayCost:
    cells: dict[str, Cell] = {}
    idle = idle_millis = other = 0
    for row in rows:
        amounts = row.amounts
        if row.keys["account"] == Account.IDLE.label:
            idle += amounts.cost_microusd
            idle_millis += amounts.gpu_millis
        elif row.keys["account"] in HOLDING and amounts.gpu_millis:
            name = _cell_name(row, whole=whole)
            before = cells.get(name, Cell(0, 0, 0, 0))
            cells[name] = Cell(
                before.gpu_millis + amounts.gpu_millis,
                before.energy_millij + amounts.energy_millij,
                before.capacity_microusd + amounts.capacity_microusd,
                before.electricity_microusd + amounts.electricity_microusd,
            )
            other += amounts.api_microusd
        else:
            other += amounts.cost_microusd
    return DayCost(cells, idle, idle_millis, other)


def _cell_name(row: SpendRow, *, whole: bool) -> str:
    work = f"{row.keys['model'] or UNNAMED} at {row.keys['site']}"
    return f"{row.keys['team'] or 'nobody'}: {work}" if whole else work
