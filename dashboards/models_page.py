"""Arranges the Models page from the report of unit costs. Adds up nothing that the report has not added up."""

from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from aiobserve.domain.quality import Quality
from aiobserve.reports.scope import Scope
from aiobserve.reports.units import CLASSES, Unit, UnitCosts, UnitRow, unit_costs_by
from dashboards import formats
from dashboards.charts.unit_costs import output_price_chart, unit_cost_chart

NONE = "–"
MILLIGRAMS = 1000


@dataclass(frozen=True)
class Cells:
    """A class of token of a group, as the table shows it."""

    tokens: str
    usd: str
    joules: str
    milligrams: str


@dataclass(frozen=True)
class Line:
    """A group of the table: its names, its classes, what is idle, and its cost."""

    names: tuple[str, ...]
    classes: tuple[Cells, ...]
    idle: str
    idle_share: str
    blended: str
    cost: str
    cost_microusd: int


@dataclass(frozen=True)
class Weights:
    """What tokens of a model on a kind of GPU were weighed by, in words."""

    model: str
    gpu: str
    quality: str
    source: str
    is_assumed: bool


def models_page(scope: Scope) -> dict[str, Any]:
    """Return everything that the template shows."""
    by_model, by_tenant, by_day = unit_costs_by(scope, ("model", "gpu"), ("tenant", "model"), ("day", "model"))
    figures = {"units": unit_cost_chart(by_model.rows), "output": output_price_chart(by_day.rows)}
    return {
        "scope": scope,
        "has_tokens": bool(by_model.rows),
        "classes": CLASSES,
        "models": [_line(row, "no model named") for row in by_model.rows],
        "tenants": [_line(row, "nobody: unattributed") for row in by_tenant.rows],
        "days": [_line(row, "no model named") for row in by_day.rows],
        "total": _line(by_model.total, ""),
        "residual": f"{by_model.total.residual_microusd / 1_000_000:,.6f}",
        "sentence": _sentence(by_model),
        "weights": [
            Weights(model or "no model named", gpu, quality.label, source, quality == Quality.ASSUMED)
            for model, gpu, quality, source in by_model.weights
        ],
        "figures": figures if by_model.rows else {},
    }


def _line(row: UnitRow, unnamed: str) -> Line:
    total = row.total
    return Line(
        names=tuple(name or unnamed for name in row.keys.values()),
        classes=tuple(_cells(getattr(row, name)) for name in CLASSES),
        idle=formats.money(row.idle.cost_microusd),
        idle_share=formats.share(row.idle.cost_microusd, total.cost_microusd),
        blended=_decimal(total.usd_per_million, "$"),
        cost=formats.money(total.cost_microusd),
        cost_microusd=total.cost_microusd,
    )


def _cells(unit: Unit) -> Cells:
    grams = unit.g_per_token
    return Cells(
        tokens=f"{unit.tokens:,}",
        usd=_decimal(unit.usd_per_million, "$"),
        joules=_decimal(unit.j_per_token) if unit.energy_millij else NONE,
        milligrams=_decimal(None if grams is None else grams * MILLIGRAMS) if unit.carbon_microg else NONE,
    )


def _decimal(value: Decimal | None, sign: str = "") -> str:
    return NONE if value is None else f"{sign}{value:,.4f}"


def _sentence(found: UnitCosts) -> str:
    """Return the page in one sentence."""
    if not found.rows:
        return ""
    dearest = max(found.rows, key=lambda row: row.output.usd_per_million or Decimal(0))
    total = found.total
    tokens = sum(getattr(total, name).tokens for name in CLASSES)
    return (
        f"{tokens:,} tokens came to {formats.money(total.total.cost_microusd)}, of which "
        f"{formats.money(total.idle.cost_microusd)} for servers that were reserved and asked nothing; a million output tokens "
        f"cost most from {dearest.keys['model'] or 'no named model'}, {_decimal(dearest.output.usd_per_million, '$')}."
    )
