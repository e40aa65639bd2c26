"""Arranges the page of training runs: what they cost, and what of it was wasted and lost."""

from dataclasses import dataclass
from typing import Any

from aiobserve.reports.scope import Scope
from aiobserve.reports.training import TRAINING, Run, runs
from dashboards import formats
from dashboards.query import explain_url, scope_query

SHOWN = 50


@dataclass(frozen=True)
class RunLine:
    """A run with a link to the explanation of each attempt's cost."""

    run: Run
    links: list[str]


def page(scope: Scope, *, all_types: bool) -> dict[str, Any]:
    """Return everything that the template shows."""
    found = runs(scope, workload_types=() if all_types else TRAINING)
    shown = [
        RunLine(run, [explain_url(scope, "cost", {"job": [one.key]}) for one in run.attempts])
        for run in found.rows[:SHOWN]
    ]
    wasteful = [run for run in found.rows if run.waste.cost_microusd]
    return {
        "scope": scope,
        "found": found,
        "lines": [(line.run, list(zip(line.run.attempts, line.links, strict=True))) for line in shown],
        "left_out": max(len(found.rows) - SHOWN, 0),
        "wasteful": len(wasteful),
        "waste_share": formats.share(found.waste.cost_microusd, found.total.cost_microusd),
        "lost_share": formats.share(found.lost.cost_microusd, found.total.cost_microusd),
        "all_types": all_types,
        "hidden": list(scope_query(scope).items()),
    }
