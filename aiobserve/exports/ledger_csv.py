"""The ledger as plain CSV: one row a group, decimals to read and integers to add up."""

from collections.abc import Iterator, Sequence
from typing import Any

from aiobserve.domain.account import MEASURES
from aiobserve.domain.quality import Quality
from aiobserve.domain.units import usd
from aiobserve.exports.cells import text_cell
from aiobserve.reports.scope import Scope
from aiobserve.reports.spend import spend

DEFAULT_GROUP_BY = ("day", "site", "account", "team", "project", "model")
AMOUNTS = (
    "cost_usd", "capacity_cost_usd", "electricity_cost_usd", "api_cost_usd", "list_cost_usd", "gpu_hours", "energy_kwh",
    "energy_error_kwh", "carbon_kg_co2e", "carbon_error_kg_co2e", "carbon_market_kg_co2e", "embodied_kg_co2e", "water_l",
    "energy_measured_share", "energy_estimated_share", "energy_assumed_share", "cost_microusd", *MEASURES,
)  # fmt: skip


def ledger_header(group_by: Sequence[str] = DEFAULT_GROUP_BY) -> list[str]:
    """Return the column names: dimensions, then amounts with their units."""
    return [*group_by, "timezone", *AMOUNTS]


def ledger_rows(scope: Scope, group_by: Sequence[str] = DEFAULT_GROUP_BY) -> Iterator[list[Any]]:
    """Yield one row a group, in order of the dimensions; the integer columns sum to the ledger exactly."""
    for row in spend(scope, group_by=group_by).rows:
        amounts = row.amounts
        yield [
            *(text_cell(row.keys[name]) for name in group_by),
            scope.timezone,
            amounts.cost_usd,
            usd(amounts.capacity_microusd),
            usd(amounts.electricity_microusd),
            usd(amounts.api_microusd),
            usd(amounts.list_microusd),
            amounts.gpu_hours,
            amounts.energy_kwh,
            amounts.energy_error_kwh,
            amounts.carbon_kg,
            amounts.carbon_error_kg,
            amounts.carbon_market_kg,
            amounts.embodied_kg,
            amounts.water_l,
            *(amounts.quality_share(quality) for quality in Quality),
            amounts.cost_microusd,
            *(getattr(amounts, name) for name in MEASURES),
        ]
