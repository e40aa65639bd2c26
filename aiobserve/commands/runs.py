"""`aiobserve runs`: what training runs cost, attempt by attempt, and what of it was wasted."""

from typing import Any

import click

from aiobserve.commands.servers import database
from aiobserve.commands.terminal import answer, clock, expected_errors, json_option, org_option
from aiobserve.reports.amounts import Amounts
from aiobserve.reports.scope import resolve
from aiobserve.reports.training import TRAINING, Attempt, Run, Runs, runs


@click.command("runs")
@org_option
@click.option("--from", "first_day", default=None, help="First local day, 2026-10-01.")
@click.option("--to", "end_day", default=None, help="Local day after the last.")
@click.option("--tz", default=None, help="IANA time zone in which days begin and end; UTC by default.")
@click.option("--workload-types", default=",".join(TRAINING), show_default=True, help="Comma separated; empty for all.")
@click.option("--limit", default=20, show_default=True, type=click.IntRange(1), help="Runs to print; JSON has all.")
@json_option
@expected_errors
def list_runs(
    org: str | None,
    first_day: str | None,
    end_day: str | None,
    tz: str | None,
    workload_types: str,
    limit: int,
    as_json: bool,
) -> None:
    """List runs by cost, with their attempts that did not complete and the work lost since the last checkpoint."""
    with database():
        scope = resolve(clock_at=clock(), organisation=org, first_day=first_day, end_day=end_day, timezone=tz)
        found = runs(scope, workload_types=[name for name in workload_types.split(",") if name])
        answer(as_values(found), as_json=as_json, words="\n".join(_lines(found, limit)))


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


def _lines(found: Runs, limit: int) -> list[str]:
    lines = [
        f"{len(found.rows)} runs: {_words(found.total)}",
        f"attempts that did not complete: {_words(found.waste)}; of that lost since the last checkpoint: {_words(found.lost)}"
        f" (of which {found.lost_assumed.cost_usd:,} USD assumed, for want of any checkpoint)",
    ]
    for run in found.rows[:limit]:
        lines.append(f"{run.name}  {', '.join(run.teams) or 'nobody'}  {run.state}  {_words(run.amounts)}")
        if len(run.attempts) > 1 or run.waste.cost_microusd:
            lines += [_attempt_line(one) for one in run.attempts]
    return lines


def _attempt_line(one: Attempt) -> str:
    line = f"    attempt {one.attempt} {one.state}: {_words(one.amounts)}"
    if one.is_waste:
        since = f"{one.checkpoint_at:%Y-%m-%d %H:%M}Z" if one.checkpoint_at else "no checkpoint known: assumed, at most"
        line += (
            f"; lost {one.lost.cost_usd:,} USD since {since}"
            if one.checkpoint_at
            else f"; lost {one.lost.cost_usd:,} USD ({since})"
        )
    return line


def _words(amounts: Amounts) -> str:
    return f"{amounts.cost_usd:,} USD, {amounts.energy_kwh:,} kWh, {amounts.carbon_kg:,} kgCO2e"
