"""Rules and previews as plain values, the same in the command's JSON and in the API."""

from typing import Any

from aiobserve.reports.amounts import Amounts
from aiobserve.reports.organisation import Preview, RuleRow

CONDITIONS = ("account", "user", "site", "model", "job_name", "label")


def rule_values(row: RuleRow) -> dict[str, Any]:
    """Return a rule with its conditions, span and history."""
    return {
        "rule": row.pk,
        "stands": row.withdrawn_at is None,
        "priority": row.priority,
        **{name: getattr(row, name) for name in CONDITIONS},
        "team": row.team,
        "project": row.project,
        "valid_from": row.valid_from_at.isoformat(),
        "valid_to": row.valid_to_at.isoformat() if row.valid_to_at else None,
        "reason": row.reason,
        "replaces": row.replaces,
        "made_at": row.made_at.isoformat(),
        "withdrawn_at": row.withdrawn_at.isoformat() if row.withdrawn_at else None,
    }


def preview_values(found: Preview) -> dict[str, Any]:
    """Return what a change would move."""
    return {
        "withdraws": list(found.proposal.withdraw),
        "restores": list(found.proposal.restore),
        "adds": found.proposal.add is not None,
        "moves": [
            {
                "from_team": move.before[0],
                "from_project": move.before[1],
                "to_team": move.after[0],
                "to_project": move.after[1],
                "jobs": move.jobs,
                "amounts": amount_values(move.amounts),
            }
            for move in found.moves
        ],
        "teams": [
            {"team": name, "before": amount_values(before), "after": amount_values(after)}
            for name, before, after in found.teams
        ],
        "total": {"before": amount_values(found.before), "after": amount_values(found.after)},
        "days_due_anyway": found.due,
    }


def amount_values(amounts: Amounts) -> dict[str, str]:
    """Return an amount as decimals and as the ledger's integers, as text."""
    return {
        "cost_usd": str(amounts.cost_usd),
        "energy_kwh": str(amounts.energy_kwh),
        "carbon_kg": str(amounts.carbon_kg),
        "gpu_hours": str(amounts.gpu_hours),
        "cost_microusd": str(amounts.cost_microusd),
        "energy_millij": str(amounts.energy_millij),
        "carbon_microg": str(amounts.carbon_microg),
    }
