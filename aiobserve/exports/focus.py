"""The ledger as FOCUS 1.2 cost and usage: what finance tools of cloud bills read.

One row a local day, site, account, component, team, project, model and part of the price (capacity or electricity). Costs
have six places, so that they sum to the ledger's microdollars. Energy, carbon and GPU-hours stand on the capacity
row of a group, or on its electricity row when it has no capacity, never on both; whole units of the ledger
(`x_EnergyMillij`, `x_CarbonMicrog`, `x_GpuMillis`, `x_CostMicrousd`) stand beside the rounded ones and sum to it exactly.

Source: FinOps Open Cost and Usage Specification 1.2, dataset Cost and Usage.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from aiobserve.domain.account import Account, Component
from aiobserve.domain.quality import Quality
from aiobserve.domain.units import usd
from aiobserve.domain.window import local_day
from aiobserve.exports.cells import text_cell
from aiobserve.reports.amounts import Amounts
from aiobserve.reports.scope import Scope
from aiobserve.reports.spend import SpendRow, spend

GROUP_BY = ("day", "site", "account", "component", "team", "project", "model")
COST_PLACES = 6
EXTRA = (
    "x_Account", "x_Component", "x_Project", "x_Model", "x_CostMicrousd", "x_EnergyKwh", "x_CarbonKgCO2e", "x_GpuHours",
    "x_EnergyErrorKwh", "x_CarbonMarketKgCO2e", "x_EmbodiedKgCO2e", "x_WaterL",
    "x_EnergyMillij", "x_CarbonMicrog", "x_GpuMillis", "x_EnergyMeasuredShare", "x_CarbonMethod", "x_Simulated",
    "x_CorrectedPeriod", "x_Restatement",
)  # fmt: skip
COLUMNS = (
    "AvailabilityZone", "BilledCost", "BillingAccountId", "BillingAccountName", "BillingAccountType", "BillingCurrency",
    "BillingPeriodEnd", "BillingPeriodStart", "CapacityReservationId", "CapacityReservationStatus", "ChargeCategory",
    "ChargeClass", "ChargeDescription", "ChargeFrequency", "ChargePeriodEnd", "ChargePeriodStart",
    "CommitmentDiscountCategory", "CommitmentDiscountId", "CommitmentDiscountName", "CommitmentDiscountQuantity",
    "CommitmentDiscountStatus", "CommitmentDiscountType", "CommitmentDiscountUnit", "ConsumedQuantity", "ConsumedUnit",
    "ContractedCost", "ContractedUnitPrice", "EffectiveCost", "InvoiceId", "InvoiceIssuerName", "ListCost", "ListUnitPrice",
    "PricingCategory", "PricingCurrency", "PricingCurrencyContractedUnitPrice", "PricingCurrencyEffectiveCost",
    "PricingCurrencyListUnitPrice", "PricingQuantity", "PricingUnit", "ProviderName", "PublisherName", "RegionId",
    "RegionName", "ResourceId", "ResourceName", "ResourceType", "ServiceCategory", "ServiceName", "ServiceSubcategory",
    "SkuId", "SkuMeter", "SkuPriceDetails", "SkuPriceId", "SubAccountId", "SubAccountName", "SubAccountType", "Tags", *EXTRA,
)  # fmt: skip
DESCRIPTIONS = {
    "job": "GPU time held by jobs",
    "idle": "GPU time that nobody held",
    "overhead": "Facility overhead",
    "unattributed": "Use that no team answers for",
}


@dataclass(frozen=True)
class _Part:
    name: str
    cost_microusd: int
    list_microusd: int
    quantity: str
    unit: str
    carries_energy: bool


def focus_rows(scope: Scope) -> Iterator[list[Any]]:
    """Yield the rows of a scope in the order of `COLUMNS`, without what corrects a closed period.

    Together with `exports.focus_corrections`, BilledCost sums to the ledger to the microdollar.
    """
    for row in spend(scope, group_by=GROUP_BY, filters={"is_correction": ["false"]}).rows:
        for record in records(scope, row):
            yield [record.get(name, "") for name in COLUMNS]


def records(scope: Scope, row: SpendRow) -> Iterator[dict[str, Any]]:
    """Yield the charges of a group, one for each part of its price, as values by column."""
    for part in _parts(row.keys["component"], row.amounts):
        yield {**_values(scope, row, part), **_extra(scope, row, part)}


def billing_period(month: date, timezone: str) -> dict[str, str]:
    """Return the columns of the civil month that a charge is billed in."""
    next_month = (month.replace(day=1) + timedelta(days=31)).replace(day=1)
    return {
        "BillingPeriodStart": _instant(local_day(month.replace(day=1), timezone).start_at),
        "BillingPeriodEnd": _instant(local_day(next_month, timezone).start_at),
    }


def _parts(component: str, amounts: Amounts) -> list[_Part]:
    if component == Component.API.label:
        return [_Part("api", amounts.api_microusd, amounts.list_microusd, "1", "Usage", True)]
    parts = []
    # Electricity is listed at what it cost; the rest of the list price is the capacity's.
    listed = amounts.list_microusd - amounts.electricity_microusd
    if amounts.gpu_millis or amounts.capacity_microusd or listed:
        # What is no GPU (a pool, a host, an unused commitment) is had by the day.
        held = (str(amounts.gpu_hours), "GPU-Hours") if amounts.gpu_millis else ("1", "Days")
        parts.append(_Part("capacity", amounts.capacity_microusd, listed, *held, True))
    if amounts.electricity_microusd or not parts:
        cost = amounts.electricity_microusd
        parts.append(_Part("electricity", cost, cost, str(amounts.energy_kwh), "kWh", not parts))
    return parts


def _values(scope: Scope, row: SpendRow, part: _Part) -> dict[str, Any]:
    keys = row.keys
    day = date.fromisoformat(keys["day"])
    period = local_day(day, scope.timezone)
    cost = usd(part.cost_microusd, COST_PLACES)
    organisation = scope.organisation
    return {
        **dict.fromkeys(("BilledCost", "EffectiveCost", "ContractedCost", "PricingCurrencyEffectiveCost"), cost),
        "ListCost": usd(part.list_microusd, COST_PLACES),
        "BillingAccountId": text_cell(organisation.slug),
        "BillingAccountName": text_cell(organisation.name),
        "BillingAccountType": "Organisation",
        "BillingCurrency": "USD",
        "PricingCurrency": "USD",
        **billing_period(day, scope.timezone),
        "ChargePeriodStart": _instant(period.start_at),
        "ChargePeriodEnd": _instant(period.end_at),
        "ChargeCategory": "Usage",
        "ChargeDescription": _description(keys, part.name),
        "ChargeFrequency": "Usage-Based",
        "ConsumedQuantity": part.quantity,
        "ConsumedUnit": part.unit,
        "PricingCategory": "Standard",
        "PricingQuantity": part.quantity,
        "PricingUnit": part.unit,
        "InvoiceIssuerName": text_cell(organisation.name),
        "ProviderName": "aiobserve",
        "PublisherName": "aiobserve",
        "RegionId": text_cell(keys["site"]),
        "RegionName": text_cell(keys["site"]),
        "ResourceId": text_cell(
            "/".join(filter(None, (keys["site"], keys["project"], keys["model"] or keys["account"])))
        ),
        "ResourceType": keys["component"].capitalize(),
        "ServiceCategory": "AI and Machine Learning",
        "ServiceName": "Model API" if part.name == "api" else "GPU fleet",
        "ServiceSubcategory": "Other (AI and Machine Learning)",
        "SkuId": f"{keys['site']}-{keys['component']}-{part.name}",
        "SkuMeter": part.unit,
        "SkuPriceId": f"{keys['site']}-{keys['component']}-{part.name}",
        "SubAccountId": text_cell(keys["team"] or keys["account"]),
        "SubAccountName": text_cell(keys["team"] or keys["account"]),
        "SubAccountType": "Team",
        "Tags": json.dumps({name: keys[name] for name in ("project", "model") if keys[name]}, sort_keys=True),
    }


def _description(keys: dict[str, str], part: str) -> str:
    shared = keys["team"] and keys["account"] in (Account.IDLE.label, Account.OVERHEAD.label)
    return f"{DESCRIPTIONS[keys['account']]}{', shared out' if shared else ''}: {part}"


def _extra(scope: Scope, row: SpendRow, part: _Part) -> dict[str, Any]:
    amounts = row.amounts
    values: dict[str, Any] = {
        "x_Account": row.keys["account"],
        "x_Component": row.keys["component"],
        "x_Project": text_cell(row.keys["project"]),
        "x_Model": text_cell(row.keys["model"]),
        "x_CostMicrousd": part.cost_microusd,
        "x_Simulated": str(scope.organisation.simulated).lower(),
        "x_CarbonMethod": "location_hourly",
        "x_EnergyMeasuredShare": amounts.quality_share(Quality.MEASURED),
    }
    if part.carries_energy:
        values |= {
            "x_EnergyKwh": amounts.energy_kwh,
            "x_EnergyErrorKwh": amounts.energy_error_kwh,
            "x_CarbonKgCO2e": amounts.carbon_kg,
            "x_CarbonMarketKgCO2e": amounts.carbon_market_kg,
            "x_EmbodiedKgCO2e": amounts.embodied_kg,
            "x_WaterL": amounts.water_l,
            "x_GpuHours": amounts.gpu_hours,
            "x_EnergyMillij": amounts.energy_millij,
            "x_CarbonMicrog": amounts.carbon_microg,
            "x_GpuMillis": amounts.gpu_millis,
        }
    return values


def _instant(at: Any) -> str:
    return f"{at:%Y-%m-%dT%H:%M:%SZ}"
