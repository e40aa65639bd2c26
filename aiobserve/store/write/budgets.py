"""Writes budgets: one a name, set or removed."""

from typing import Any

from aiobserve.store.models import Budget


def set_budget(organisation_id: int, name: str, values: dict[str, Any]) -> bool:
    """Set the budget of a name; returns True when there was none before."""
    _, is_new = Budget.objects.update_or_create(organisation_id=organisation_id, name=name, defaults=values)
    return is_new


def remove_budget(organisation_id: int, name: str) -> bool:
    """Remove the budget of a name; returns False when there was none."""
    removed, _ = Budget.objects.filter(organisation_id=organisation_id, name=name).delete()
    return bool(removed)
