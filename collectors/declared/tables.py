"""The tables of a declared file: which keys each has, what they are when left out, and what makes rows of its entries."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal

from aiobserve.domain.account import Component
from aiobserve.domain.terms import ENERGY_CONTRACT_KINDS, POOL_COMPONENTS, SHARE_KEYS
from aiobserve.domain.tokens import TokenKind
from aiobserve.domain.units import KWH_PER_MWH
from collectors.declared import rows
from collectors.declared.fields import (
    PRICE,
    Field,
    Values,
    changes,
    flag,
    instant,
    label,
    number,
    one_of,
    source,
    text,
    texts,
    time_zone,
    whole,
)
from collectors.declared.rows import QUALITY, Known, Rows

# What holds from no stated day on holds from here.
ALWAYS_AT = datetime(2000, 1, 1, tzinfo=UTC)

WATTS = number(0, 1_000_000)
USD = number(0, 10**12)
GRAMS = number(0, 5_000)
SOME = number(0, 10**9, above=True)
PER_MILLION = number(0, 100_000)
SINCE = {"valid_from": Field(instant, ALWAYS_AT), "valid_to": Field(instant, None)}
SOURCE = Field(source, None)


@dataclass(frozen=True)
class Table:
    """A kind of entry: its keys, and what it becomes."""

    fields: dict[str, Field]
    rows: Callable[[Values, Known], Rows]


SITE, SKU = Field(text), Field(text)
OPTIONAL = Field(text, None)
PRICED = {
    "sku": SKU,
    "site": OPTIONAL,
    "contract": OPTIONAL,
    "quality": Field(one_of(*QUALITY), "measured"),
    "source": SOURCE,
}
DEVICE = {
    "site": SITE, "node": Field(text), "sku": SKU, "contract": OPTIONAL, "gpus": Field(whole(1, 10_000), None),
    "tdp_w": Field(number(0, 100_000, above=True)), "idle_w": Field(WATTS, None), "active_w": Field(WATTS, None), **SINCE,
}  # fmt: skip
CONSTANT = {"site": SITE, "quality": Field(one_of(*QUALITY), "estimated"), **SINCE}

# In the order in which entries refer to each other.
TABLES: dict[str, Table] = {
    "site": Table({"name": Field(text), "grid_zone": Field(text), "timezone": Field(time_zone, "UTC")}, rows.site_rows),
    "device": Table({**DEVICE, "uids": Field(texts, None)}, rows.device_rows),
    "host": Table({**DEVICE, "sku": Field(text, "host"), "uid": OPTIONAL}, rows.host_rows),
    "account": Table(
        {"account": Field(text), "team": Field(text), "project": Field(text, "general"), **SINCE}, rows.account_rows
    ),
    "rate": Table(
        {
            **PRICED, "purchase": Field(one_of("on_demand", "spot", "reserved", "committed", "owned"), "on_demand"),
            "usd_per_gpu_hour": Field(PRICE, None), "changes": Field(changes, None),
            "list_usd_per_gpu_hour": Field(PRICE, None), "includes_electricity": Field(flag, None), **SINCE,
        },
        rows.rate_rows,
    ),
    "owned": Table(
        {
            **PRICED, "capex_usd": Field(USD), "residual_usd": Field(USD, Decimal(0)),
            "life_years": Field(number(0, 50, above=True), Decimal(5)), "running_usd_per_year": Field(USD, Decimal(0)),
            "utilisation_floor": Field(number(0, 1, above=True), Decimal(1)), **SINCE,
        },
        rows.owned_rows,
    ),
    "commitment": Table(
        {
            "name": Field(text), "site": SITE, "sku": SKU, "contract": Field(text), "gpus": Field(SOME),
            "usd_per_gpu_hour": Field(PRICE), **SINCE,
        },
        rows.commitment_rows,
    ),
    "token_price": Table(
        {
            "provider": Field(text), "model": Field(text), "discount_ratio": Field(number(0, 1), Decimal(0)),
            **{f"{kind.label}_usd_per_million": Field(PER_MILLION, None) for kind in TokenKind},
            "quality": Field(one_of(*QUALITY), "measured"), "source": SOURCE, **SINCE,
        },
        rows.token_price_rows,
    ),
    "pool": Table(
        {
            "name": Field(text), "site": SITE, "component": Field(one_of(*POOL_COMPONENTS), Component.OTHER.label),
            "shared_by": Field(one_of(*SHARE_KEYS), "gpu_hours"), "label": Field(label, None),
            "usd_per_month": Field(USD, None), "usd_per_hour": Field(USD, None), "power_w": Field(WATTS, Decimal(0)),
            "includes_electricity": Field(flag, False), **SINCE,
        },
        rows.pool_rows,
    ),
    "energy_contract": Table(
        {
            "name": Field(text), "site": SITE, "kind": Field(one_of(*ENERGY_CONTRACT_KINDS)), "g_per_kwh": Field(GRAMS),
            "kwh_per_hour": Field(SOME, None), "mwh_per_year": Field(SOME, None), "share_ratio": Field(number(0, 1), None),
            "source": SOURCE, **SINCE,
        },
        rows.energy_contract_rows,
    ),
    "embodied": Table(
        {"sku": SKU, "kg_co2e": Field(USD), "life_years": Field(number(0, 50, above=True), Decimal(5)), "source": Field(source)},
        rows.embodied_rows,
    ),
    "dedication": Table(
        {"account": Field(text), "site": OPTIONAL, "node": OPTIONAL, "devices": Field(texts, None), **SINCE}, rows.dedication_rows
    ),
    "pue": Table({**CONSTANT, "ratio": Field(number(1, 5))}, rows.signal_rows("pue_ratio", "ratio")),
    "water": Table({**CONSTANT, "l_per_kwh": Field(number(0, 100))}, rows.signal_rows("water_l_per_kwh", "l_per_kwh")),
    "tariff": Table(
        {**CONSTANT, "usd_per_kwh": Field(number(-10, 10))},
        rows.signal_rows("electricity_usd_per_mwh", "usd_per_kwh", per_unit=KWH_PER_MWH, of_zone=True),
    ),
    "grid_carbon": Table(
        {**CONSTANT, "g_per_kwh": Field(GRAMS)}, rows.signal_rows("carbon_lifecycle_g_per_kwh", "g_per_kwh", of_zone=True)
    ),
    "residual_mix": Table(
        {**CONSTANT, "g_per_kwh": Field(GRAMS)}, rows.signal_rows("carbon_residual_g_per_kwh", "g_per_kwh", of_zone=True)
    ),
}  # fmt: skip
