"""Runs as plain values, the same in the command's JSON and in the API."""

from typing import Any

from aiobserve.reports.amounts import Amounts
from aiobserve.reports.training import Attempt, Run, Runs


def as_values(found: Runs) -> dict[str, Any]:
    """Return runs as plain values, for JSON."""
    return {
        "organisation": found.scope.organisation.slug,
        "from": found.scope.span.start_at.isoformat(),
        "to": found.scope.span.end_at.isoformat(),
        **{name: _values(getattr(found, name)) for name in ("total", "waste", "kept", "lost", "lost_assumed")},
        "runs": [_run(run) for run in found.rows],
    }


def _run(run: Run) -> dict[str, Any]:
    return {
        "name": run.name,
        "account": run.account,
        "teams": list(run.teams),
        "model": run.model,
        "workload_type": run.workload_type,
        "state": run.state,
        **{name: _values(getattr(run, name)) for name in ("amounts", "waste", "lost")},
        "lost_is_assumed": run.assumed,
        "attempts": [_attempt(one) for one in run.attempts],
    }


def _attempt(one: Attempt) -> dict[str, Any]:
    return {
        "key": one.key,
        "attempt": one.attempt,
        "state": one.state,
        "started_at": one.started_at.isoformat(),
        "ended_at": one.ended_at.isoformat() if one.ended_at else None,
        "checkpoint_at": one.checkpoint_at.isoformat() if one.checkpoint_at else None,
        **{name: _values(getattr(one, name)) for name in ("amounts", "kept", "lost")},
        "lost_is_assumed": one.assumed,
    }


def _values(amounts: Amounts) -> dict[str, str]:
    return {
        "cost_usd": str(amounts.cost_usd),
        "energy_kwh": str(amounts.energy_kwh),
        "carbon_kg": str(amounts.carbon_kg),
        "gpu_hours": str(amounts.gpu_hours),
        "cost_microusd": str(amounts.cost_microusd),
        "energy_millij": str(amounts.energy_millij),
        "carbon_microg": str(amounts.carbon_microg),
    }
