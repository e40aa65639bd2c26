"""`aiobserve runs`: what training runs cost, attempt by attempt, and what of it was wasted."""

import click

from aiobserve.commands.servers import database
from aiobserve.commands.terminal import answer, clock, expected_errors, json_option, org_option
from aiobserve.reports.amounts import Amounts
from aiobserve.reports.scope import resolve
from aiobserve.reports.training import TRAINING, Attempt, Runs, runs
from aiobserve.reports.training_values import as_values


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
