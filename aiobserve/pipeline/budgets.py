"""Sets and removes budgets."""

from dataclasses import asdict

from aiobserve.ledger.budget import Budget, checked
from aiobserve.store.write import budgets


def set_budget(organisation_id: int, budget: Budget) -> bool:
    """Set a budget by its name; returns True when there was none of that name before.

    Raises:
        BadBudget: it makes no sense; the message says what of it.
    """
    values = asdict(checked(budget))
    values["thresholds"] = list(budget.thresholds)
    return budgets.set_budget(organisation_id, values.pop("name"), values)


def remove_budget(organisation_id: int, name: str) -> bool:
    """Remove a budget; returns False when there was none of that name."""
    return budgets.remove_budget(organisation_id, name)
