"""Corrections of closed periods as FOCUS rows: ChargeClass is Correction, the charge period the one that they are about."""

from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from typing import Any

from aiobserve.exports.focus import COLUMNS, GROUP_BY, billing_period, records
from aiobserve.ledger.correct import Method, corrections
from aiobserve.reports import corrections as report
from aiobserve.reports.scope import Scope
from aiobserve.reports.spend import SpendRow

ADDITIVE = (
    "BilledCost", "EffectiveCost", "ContractedCost", "PricingCurrencyEffectiveCost", "ListCost", "ConsumedQuantity",
    "PricingQuantity", "x_CostMicrousd", "x_EnergyKwh", "x_CarbonKgCO2e", "x_GpuHours", "x_EnergyErrorKwh",
    "x_CarbonMarketKgCO2e", "x_EmbodiedKgCO2e", "x_WaterL", "x_EnergyMillij", "x_CarbonMicrog",
    "x_GpuMillis",
)  # fmt: skip
# A share says something of a figure, and nothing of a difference.
LEFT_OUT = ("x_EnergyMeasuredShare",)


def correction_rows(scope: Scope, method: Method) -> Iterator[list[Any]]:
    """Yield the corrections booked in a scope, in the order of `COLUMNS`; either method sums to the same."""
    for one in report.corrections(scope, group_by=GROUP_BY):
        booking = {
            **billing_period(date.fromisoformat(one.month), scope.timezone),
            "x_CorrectedPeriod": one.corrected_month,
            "x_Restatement": one.restatement,
        }
        rows = corrections(
            _additive(scope, one.original),
            _additive(scope, one.corrected),
            method=method,
            additive=ADDITIVE,
            booking=booking,
        )
        for row in rows:
            yield [row.get(name, "") for name in COLUMNS]


def _additive(scope: Scope, rows: list[SpendRow]) -> Iterator[dict[str, Any]]:
    for row in rows:
        for record in records(scope, row):
            kept = {name: value for name, value in record.items() if name not in LEFT_OUT}
            yield {**kept, **{name: Decimal(str(record.get(name, 0))) for name in ADDITIVE}}
