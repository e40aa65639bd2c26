"""The figures of finance as plain values: the one form that the API and `--json` give. Money is text, exact ones in microdollars."""

from typing import Any

from aiobserve.domain.units import usd
from aiobserve.ledger.anomaly import Episode
from aiobserve.ledger.budget import Budget, Standing, written
from aiobserve.ledger.reconcile import Line
from aiobserve.reports.anomalies import AnomalyReport
from aiobserve.reports.forecast import MonthForecast
from aiobserve.reports.reconciliation import Reconciled


def money(microusd: int) -> dict[str, str]:
    """Return an amount of money to the cent, and exactly."""
    return {"amount": str(usd(microusd)), "currency": "USD", "microusd": str(microusd)}


def reconciliation_values(one: Reconciled) -> dict[str, Any]:
    """Return a reconciliation; `bill` is null where no bill touches the scope."""
    values: dict[str, Any] = {
        **_scope(one.scope),
        "provider": one.provider,
        "documents": [
            {"provider": name, "from": period.start_at.isoformat(), "to": period.end_at.isoformat()}
            for name, period in one.periods
        ],
        "bill": None,
        "lines": [],
    }
    found = one.found
    if found is None:
        return values
    return values | {
        "status": found.status.value,
        "bill": money(found.billed_microusd),
        "ledger": money(found.ledger_microusd),
        "explained": {reason: money(amount) for reason, amount in found.explained.items()},
        "unexplained": money(found.unexplained_microusd),
        "not_on_a_bill": money(found.outside_microusd),
        "lines": [_line(line) for line in found.lines],
    }


def bill_values(one: Reconciled) -> dict[str, Any] | None:
    """Return what every report shows beside its total: the bill of its days and what of it is unexplained; None without one."""
    found = one.found
    if found is None:
        return None
    return {
        "billed": money(found.billed_microusd),
        "ledger": money(found.ledger_microusd),
        "explained": money(sum(found.explained.values())),
        "unexplained": money(found.unexplained_microusd),
        "status": found.status.value,
        "words": one.sentence,
    }


def _line(line: Line) -> dict[str, Any]:
    return {
        "period": line.period.isoformat(),
        "provider": line.provider,
        "service": line.service,
        "resources": list(line.resources),
        "stands_for": line.target.words if line.target else None,
        "bill_lines": line.lines,
        "status": line.status.value,
        "billed": money(line.billed_microusd),
        "ledger": money(line.ledger_microusd),
        "difference": money(line.difference_microusd),
        "explained": {reason: money(amount) for reason, amount in line.explained.items()},
        "unexplained": money(line.unexplained_microusd),
        "words": line.words,
    }


def budget_values(budget: Budget) -> dict[str, Any]:
    """Return a budget as it was set; the amount in the ledger's unit of its measure."""
    return {
        "name": budget.name,
        "scope": budget.scope,
        "subject": budget.subject,
        "measure": budget.measure,
        "amount": str(budget.amount),
        "amount_words": written(budget.measure, budget.amount),
        "window": budget.window,
        "timezone": budget.timezone,
        "hard": budget.is_hard,
        "thresholds": list(budget.thresholds),
        "valid_from": budget.valid_from.isoformat(),
        "valid_to": budget.valid_to.isoformat() if budget.valid_to else None,
    }


def standing_values(one: Standing) -> dict[str, Any]:
    """Return a budget with how it stands in the window of the last posting."""
    return {
        **budget_values(one.budget),
        "from": one.window.first.isoformat(),
        "to": one.window.end.isoformat(),
        "state": one.state.value,
        "spent": str(one.spent),
        "spent_words": written(one.budget.measure, one.spent),
        "per_cent": one.per_cent,
        "committed": str(one.committed),
        "left": str(one.left),
        "expected": str(one.expected),
        "expected_words": written(one.budget.measure, one.expected),
        "interval_80": [str(one.low), str(one.high)],
        "crossed": list(one.crossed),
        "reached_on": one.reached_on.isoformat() if one.reached_on else None,
        "short_history": one.is_short,
    }


def forecast_values(one: MonthForecast) -> dict[str, Any]:
    """Return the forecast of a month, in the ledger's unit of its measure."""
    return {
        "measure": one.measure,
        "by": one.by,
        "subject": one.subject,
        "from": one.first.isoformat(),
        "to": one.end.isoformat(),
        "today": one.today.isoformat(),
        "spent": str(one.spent),
        "expected": str(one.expected),
        "expected_words": written(one.measure, one.expected),
        "run_rate": str(one.run_rate),
        "intervals": [
            {"coverage": str(coverage), "low": str(low), "high": str(high)} for coverage, low, high in one.intervals
        ],
        "past_errors": one.made.errors,
        "short_history": one.made.is_short,
        "days": [
            *({"day": day.isoformat(), "amount": str(amount), "forecast": False} for day, amount in one.complete),
            *({"day": day.isoformat(), "amount": str(amount), "forecast": True} for day, amount in one.ahead),
        ],
    }


def anomaly_values(report: AnomalyReport) -> dict[str, Any]:
    """Return the episodes of a scope."""
    return {
        **_scope(report.scope),
        "known_days": report.known_days,
        "data": [_episode(one) for one in report.episodes],
    }


def _episode(one: Episode) -> dict[str, Any]:
    return {
        "scope": one.first.scope,
        "from": one.first.day.isoformat(),
        "last_day": one.last_day.isoformat(),
        "days": len(one.anomalies),
        "driver": one.driver,
        "change": money(one.change_microusd),
        "parts": {name: money(part) for name, part in one.parts.items()},
        "words": one.peak.words,
        "each": [
            {
                "day": day.day.isoformat(),
                "compared_with": day.compared_with.isoformat(),
                "cost": money(day.cost_microusd),
                "expected": money(day.expected_microusd),
                "change": money(day.change_microusd),
                "parts": {name: money(part) for name, part in day.parts.items()},
            }
            for day in one.anomalies
        ],
    }


def _scope(scope: Any) -> dict[str, Any]:
    return {
        "organisation": scope.organisation.slug,
        "simulated": scope.organisation.simulated,
        "tz": scope.timezone,
        "from": scope.first_day.isoformat(),
        "to": scope.end_day.isoformat(),
    }
