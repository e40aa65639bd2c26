"""Arranges the Finance page from the reports: budgets, the month, what stands out, the bill. Adds nothing up itself."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from aiobserve.ledger.budget import WHOLE, Standing, State, written
from aiobserve.ledger.reconcile import REASONS, Line, Status
from aiobserve.reports.anomalies import AnomalyReport, Episode, anomaly_report
from aiobserve.reports.budgets import standings
from aiobserve.reports.forecast import MonthForecast, month_forecast
from aiobserve.reports.reconciliation import Reconciled, reconciliation
from aiobserve.reports.scope import Scope
from dashboards import formats
from dashboards.charts.outcome import outcome

MOST_EPISODES, MOST_LINES = 8, 30
REASON_WORDS = {
    "price": "another price",
    "time": "other hours or kWh",
    "discount": "rebates and credits",
    "rounding": "rounding",
    "amortisation": "paid at another time than used",
    "tax": "tax",
}


@dataclass(frozen=True)
class BudgetLine:
    """A budget as a bar: widths are per cent of the track, whose end is the larger of amount and expected."""

    name: str
    of: str
    window: str
    state: str
    hard: bool
    spent: str
    amount: str
    per_cent: int
    expected: str
    interval: str
    when: str
    spent_width: int
    expected_width: int
    limit_at: int
    exact: int


@dataclass(frozen=True)
class EpisodeLine:
    """An episode in words, with the part of each driver."""

    scope: str
    when: str
    change: str
    driver: str
    words: str
    parts: str


def page(scope: Scope) -> dict[str, Any]:
    """Return everything that the template shows."""
    month = month_forecast(scope)
    held = standings(scope.organisation)
    report = anomaly_report(scope)
    bill = reconciliation(scope)
    return {
        "scope": scope,
        "month": month,
        "month_values": _month(month) if month else {},
        "month_days": _month_days(month) if month else [],
        "budgets": [_budget(one) for one in held],
        "anomalies": [_episode(one) for one in _first(report)],
        "known_days": report.known_days,
        "more_anomalies": max(len(report.episodes) - len(_first(report)), 0),
        "bill": bill,
        "bill_sum": _bill_sum(bill),
        "bill_lines": _bill_lines(bill)[:MOST_LINES],
        "more_lines": max(len(bill.found.lines) - MOST_LINES, 0) if bill.found else 0,
        "figures": {"month": outcome(month, budget_microusd=_month_budget(held))} if month else {},
    }


def _month(month: MonthForecast) -> dict[str, Any]:
    (_, low, high), (_, widest_low, widest_high) = month.intervals
    return {
        "spent": formats.money(month.spent),
        "expected": formats.money(month.expected),
        "interval": f"{formats.money(low)} to {formats.money(high)}",
        "wide": f"{formats.money(widest_low)} to {formats.money(widest_high)}",
        "run_rate": formats.money(month.run_rate),
        "exact": month.expected,
    }


def _month_days(month: MonthForecast) -> list[tuple[str, str, str, str]]:
    """Return day, amount, running total, and the 80 % band of the running total, of each day."""
    running, rows = 0, []
    for day, amount in month.complete:
        running += amount
        rows.append((day.isoformat(), formats.money(amount), formats.money(running), "spent"))
    for (day, amount), band in zip(month.ahead, month.bands, strict=True):
        running += amount
        low, high = band[0]
        told = f"{formats.money(low)} to {formats.money(high)}"
        rows.append((day.isoformat(), formats.money(amount), formats.money(running), told))
    return rows


def _month_budget(held: list[Standing]) -> int | None:
    """Return the amount of the budget of everything for the month, which the chart draws; None without one."""
    kind = ("month", "cost", "whole")
    amounts = [one.budget.amount for one in held if (one.budget.window, one.budget.measure, one.budget.scope) == kind]
    return min(amounts, default=None)


def _budget(one: Standing) -> BudgetLine:
    budget, measure = one.budget, one.budget.measure
    track = max(budget.amount, one.expected, one.spent)
    last = one.window.end - timedelta(days=1)
    return BudgetLine(
        name=budget.name,
        of=budget.of,
        window=f"{one.window.first:%-d %b} to {last:%-d %b %Y}, {budget.timezone}",
        state=one.state.value,
        hard=budget.is_hard,
        spent=written(measure, one.spent),
        amount=written(measure, budget.amount),
        per_cent=one.per_cent,
        expected=written(measure, one.expected),
        interval=f"{written(measure, one.low)} to {written(measure, one.high)}"
        + (" (history too short to be sure)" if one.is_short else ""),
        when=_when(one),
        spent_width=max(one.spent, 0) * WHOLE // track,
        expected_width=max(one.expected - max(one.spent, 0), 0) * WHOLE // track,
        limit_at=budget.amount * WHOLE // track,
        exact=one.spent,
    )


def _when(one: Standing) -> str:
    if one.reached_on is None:
        return "not expected to be reached"
    verb = "was passed" if one.state is State.OVER else "will be passed"
    return f"{verb} on {one.reached_on:%-d %B}"


def _first(report: AnomalyReport) -> list[Episode]:
    """Return the largest episodes of everything and of teams; those of single models tell the same again."""
    return [one for one in report.episodes if not one.first.scope.startswith("model ")][:MOST_EPISODES]


def _episode(one: Episode) -> EpisodeLine:
    first, last = one.first.day, one.last_day
    parts = sorted(one.parts.items(), key=lambda item: -abs(item[1]))
    return EpisodeLine(
        scope=one.first.scope,
        when=f"{first:%-d %b}" if first == last else f"{first:%-d %b} to {last:%-d %b}",
        change=_signed(one.change_microusd),
        driver=one.driver,
        words=one.peak.words,
        parts=", ".join(f"{name} {_signed(part)}" for name, part in parts if part),
    )


def _signed(microusd: int) -> str:
    return f"+{formats.money(microusd)}" if microusd > 0 else formats.money(microusd)


def _bill_sum(bill: Reconciled) -> list[tuple[str, str, int]]:
    """Return the lines that lead from the ledger to the bill: what, money, exact."""
    found = bill.found
    if found is None:
        return []
    explained = found.explained
    rows = [("Ledger, for what is billed", found.ledger_microusd)]
    rows += [(f"Explained: {REASON_WORDS[reason]}", explained[reason]) for reason in REASONS if explained[reason]]
    rows.append(("Unexplained", found.unexplained_microusd))
    return [(name, formats.money(amount), amount) for name, amount in rows]


def _bill_lines(bill: Reconciled) -> list[Line]:
    """Return the lines that need a look first: by status, then by how far they are off."""
    if bill.found is None:
        return []
    order = list(Status)
    return sorted(
        bill.found.lines,
        key=lambda line: (-order.index(line.status), -abs(line.difference_microusd), line.period, line.service),
    )
