"""Budgets, anomalies and the bill in a few lines, for the mail: the same figures as the Finance page."""

from aiobserve.domain.units import usd
from aiobserve.ledger.budget import Standing, State, written
from aiobserve.reports.anomalies import Episode, anomaly_report
from aiobserve.reports.budgets import standings
from aiobserve.reports.reconciliation import reconciliation
from aiobserve.reports.scope import Scope

MOST_ANOMALIES = 3


def digest_lines(scope: Scope) -> list[str]:
    """Return what of a week somebody should know: budgets that are not well, the largest anomalies, the bill."""
    lines = [_budget(one) for one in standings(scope.organisation) if one.state is not State.OK]
    teams = [one for one in anomaly_report(scope).episodes if not one.first.scope.startswith("model ")]
    lines += [_episode(one) for one in teams[:MOST_ANOMALIES]]
    bill = reconciliation(scope)
    return [*lines, bill.sentence] if bill.found else lines


def _episode(one: Episode) -> str:
    days = len(one.anomalies)
    return f"{one.peak.words} ({usd(one.change_microusd):+,} USD over {days} days)" if days > 1 else one.peak.words


def _budget(one: Standing) -> str:
    measure = one.budget.measure
    return (
        f"budget {one.budget.name} is {'over' if one.state is State.OVER else 'at risk'}: {written(measure, one.spent)} of "
        f"{written(measure, one.budget.amount)} spent, {written(measure, one.expected)} expected by {one.window.end}"
    )
