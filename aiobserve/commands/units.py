"""`aiobserve units`: what a million tokens cost, and the joules and grams of one."""

from typing import Any

import click

from aiobserve.commands.servers import database
from aiobserve.commands.terminal import answer, clock, expected_errors, json_option, org_option
from aiobserve.domain.units import usd
from aiobserve.reports.scope import resolve
from aiobserve.reports.units import CLASSES, DIMENSIONS, UnitCosts, UnitRow, unit_costs


@click.command()
@org_option
@click.option("--from", "first_day", default=None, help="First local day, 2026-10-01.")
@click.option("--to", "end_day", default=None, help="Local day after the last.")
@click.option("--tz", default=None, help="IANA time zone in which days begin and end; UTC by default.")
@click.option("--by", "by", default="model,gpu", show_default=True, help=f"Dimensions: {', '.join(DIMENSIONS)}.")
@json_option
@expected_errors
def units(org: str | None, first_day: str | None, end_day: str | None, tz: str | None, by: str, as_json: bool) -> None:
    """Show what tokens of input, cache and output cost in money, energy and carbon.

    Own servers and bought tokens alike, by model, kind of GPU and tenant. Input, cached, output and idle sum to the
    ledger exactly; `residual` is what rounded prices leave over.
    """
    with database():
        scope = resolve(clock_at=clock(), organisation=org, first_day=first_day, end_day=end_day, timezone=tz)
        found = unit_costs(scope, group_by=tuple(name for name in by.split(",") if name))
        result = {
            "organisation": scope.organisation.slug,
            "from": scope.span.start_at.isoformat(),
            "to": scope.span.end_at.isoformat(),
            "rows": [{**row.keys, **_row(row)} for row in found.rows],
            "total": _row(found.total),
            "weights": [
                {"model": model, "gpu": sku, "quality": quality.label, "source": source}
                for model, sku, quality, source in found.weights
            ],
        }
        answer(result, as_json=as_json, words=_words(found))


def _row(row: UnitRow) -> dict[str, Any]:
    classes = {
        name: {
            "tokens": unit.tokens, "cost_microusd": unit.cost_microusd, "energy_millij": unit.energy_millij,
            "carbon_microg": unit.carbon_microg, "usd_per_million": unit.usd_per_million, "j_per_token": unit.j_per_token,
            "g_per_token": unit.g_per_token,
        }
        for name, unit in ((name, getattr(row, name)) for name in CLASSES)
    }  # fmt: skip
    return {
        **classes,
        "idle_microusd": row.idle.cost_microusd,
        "cost_microusd": row.total.cost_microusd,
        "residual_microusd": row.residual_microusd,
    }


def _words(found: UnitCosts) -> str:
    if not found.rows:
        return "no token was served or bought in this period"
    wide = max(len(" / ".join(row.keys.values())) for row in found.rows) + 2
    head = "".join(
        f"{text:>13}" for text in ("in $/1M", "cached $/1M", "out $/1M", "in J", "out J", "out mg", "idle $", "cost $")
    )
    lines = ["".ljust(wide) + head]
    for row in (*found.rows, found.total):
        name = " / ".join(row.keys.values()) if row.keys else "total"
        per = [row.input.usd_per_million, row.cached.usd_per_million, row.output.usd_per_million]
        per += [row.input.j_per_token, row.output.j_per_token]
        grams = row.output.g_per_token
        per.append(None if grams is None else grams * 1000)
        figures = [*("–" if value is None else f"{value:,.4f}" for value in per)]
        figures += [f"{usd(row.idle.cost_microusd):,}", f"{usd(row.total.cost_microusd):,}"]
        lines.append(name.ljust(wide) + "".join(f"{text:>13}" for text in figures))
    lines += [f"{model} on {sku}: {source}" for model, sku, _, source in found.weights]
    return "\n".join(lines)
