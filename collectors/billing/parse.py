"""Rows of a FOCUS 1.0 to 1.2 bill, as text, to `BILL_LINES`. Pure; a bad row is refused by position and stops nobody.

Source: FinOps Open Cost and Usage Specification 1.0, 1.1 and 1.2, dataset Cost and Usage.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import pandas as pd

from aiobserve.domain.bill_frames import BILL_LINES
from collectors.base import Rejection
from collectors.billing.money import believable, decimal, microusd

# Without these no row can be understood.
REQUIRED = ("BilledCost", "EffectiveCost", "ChargePeriodStart", "ChargePeriodEnd", "ChargeCategory")
CATEGORIES = ("Usage", "Purchase", "Tax", "Credit", "Adjustment")
# How bills write nothing. FOCUS says null; its sample data have the word.
NOTHING = ("NULL", "null", "Null")
EXCERPT_LENGTH = 200
TEXT_LENGTH = 300
TEXTS = {
    "provider": "ProviderName",
    "billing_account": "BillingAccountId",
    "sub_account": "SubAccountId",
    "sub_account_name": "SubAccountName",
    "service": "ServiceName",
    "service_category": "ServiceCategory",
    "resource": "ResourceId",
    "sku": "SkuId",
    "region": "RegionId",
    "charge_category": "ChargeCategory",
    "charge_class": "ChargeClass",
    "charge_frequency": "ChargeFrequency",
    "description": "ChargeDescription",
    "invoice": "InvoiceId",
    "commitment": "CommitmentDiscountId",
    "commitment_category": "CommitmentDiscountCategory",
    "commitment_status": "CommitmentDiscountStatus",
}
# 1.3 has other names for the same.
OTHER_NAMES = {"ProviderName": "ServiceProviderName"}
COSTS = {
    "billed_microusd": "BilledCost",
    "effective_microusd": "EffectiveCost",
    "list_microusd": "ListCost",
    "contracted_microusd": "ContractedCost",
}
OPTIONAL_COSTS = ("list_microusd", "contracted_microusd")


@dataclass(frozen=True)
class Terms:
    """What the file does not say: which document it is, whether it adds to others, and dollars per unit of a currency."""

    document: str
    is_part: bool
    usd_per_unit: Mapping[str, Decimal]


def notices(columns: list[str]) -> list[Rejection]:
    """Return what is assumed of a whole file because it lacks a column, at position 0."""
    if "BillingCurrency" in columns:
        return []
    return [Rejection(0, "the bill has no column BillingCurrency: its money is taken for US dollars")]


def parse(raw: pd.DataFrame, *, first_position: int, terms: Terms) -> tuple[pd.DataFrame, list[Rejection]]:
    """Return the good rows as `BILL_LINES`, and what is wrong with each of the others.

    Args:
        raw: rows as text with the file's columns, `REQUIRED` among them.
        first_position: 1-based number of the first row in the file, so that a person finds a refused one.
    """
    given = {name: _texts(raw, name) for name in raw.columns}
    index = raw.index
    empty = pd.Series("", index=index, dtype="str")

    def text(name: str) -> "pd.Series[str]":
        found = given.get(name)
        return given.get(OTHER_NAMES.get(name, ""), empty) if found is None else found

    start_at, us_start = _instants(text("ChargePeriodStart"))
    end_at, us_end = _instants(text("ChargePeriodEnd"))
    billing_start_at, _ = _instants(text("BillingPeriodStart"))
    billing_end_at, _ = _instants(text("BillingPeriodEnd"))
    currency = (
        text("BillingCurrency").where(text("BillingCurrency") != "", "USD") if "BillingCurrency" in given else None
    )
    currency = pd.Series("USD", index=index, dtype="str") if currency is None else currency
    amounts = {name: text(column).map(decimal) for name, column in COSTS.items()}
    faults: dict[str, pd.Series[Any]] = {
        **{
            f"{COSTS[name]} is no amount of money within a billion": ~amounts[name].map(believable)
            & ~((text(COSTS[name]) == "") & (name in OPTIONAL_COSTS))
            for name in COSTS
        },
        "ChargePeriodStart or ChargePeriodEnd is no instant": start_at.isna() | end_at.isna(),
        "ChargePeriodEnd does not lie after ChargePeriodStart": end_at <= start_at,
        f"ChargeCategory is none of {', '.join(CATEGORIES)}": ~text("ChargeCategory").isin(CATEGORIES),
        "billed in a currency without a rate: give --usd-per-unit CUR=RATE": ~currency.isin(
            ["USD", *terms.usd_per_unit]
        ),
        "holds a NUL character, which no name has": pd.concat(given, axis=1).apply(
            lambda column: column.str.contains("\0", regex=False)
        ).any(axis=1),
    }  # fmt: skip
    good, rejections = _sift(raw, faults, first_position)
    us = (us_start | us_end) & good
    if us.any():
        at = first_position + int(us.to_numpy().argmax())
        rejections.append(Rejection(at, "dates such as 4/1/25 are no ISO 8601 and were read as month/day/year"))
    month_at = start_at.dt.tz_localize(None).dt.to_period("M").dt.start_time.dt.tz_localize("UTC")
    month_end_at = (month_at + pd.DateOffset(months=1)).astype("datetime64[us, UTC]")
    has_period = billing_start_at.notna() & (billing_end_at > billing_start_at)
    columns: dict[str, Any] = {
        **{name: text(column).str.slice(0, TEXT_LENGTH) for name, column in TEXTS.items()},
        "document": terms.document,
        "is_part": terms.is_part,
        "position": pd.Series(range(first_position, first_position + len(raw)), index=index),
        "currency": currency,
        "billing_start_at": billing_start_at.where(has_period, month_at),
        "billing_end_at": billing_end_at.where(has_period, month_end_at),
        "start_at": start_at,
        "end_at": end_at,
        "quantity": _number(text("ConsumedQuantity")).fillna(_number(text("PricingQuantity"))),
        "unit": text("ConsumedUnit").where(_number(text("ConsumedQuantity")).notna(), text("PricingUnit")),
        "commitment_quantity": _number(text("CommitmentDiscountQuantity")),
        "tags": text("Tags").map(_tags),
    }
    lines = pd.DataFrame(columns, index=index)[good]
    for name in COSTS:
        lines[name] = _money(amounts[name][good], currency[good], terms)
    return BILL_LINES.check(lines), rejections


def _texts(raw: pd.DataFrame, name: str) -> "pd.Series[str]":
    stripped = raw[name].astype("str").fillna("").str.strip()
    return stripped.where(~stripped.isin(NOTHING), "")


def _instants(texts: "pd.Series[str]") -> tuple["pd.Series[pd.Timestamp]", "pd.Series[bool]"]:
    """Return UTC instants (naive ones taken as UTC), and which of them were written month/day/year."""
    iso = pd.to_datetime(texts, errors="coerce", utc=True, format="ISO8601").astype("datetime64[us, UTC]")
    slashed = iso.isna() & texts.str.contains("/", regex=False)
    if slashed.any():
        for form in ("%m/%d/%y", "%m/%d/%Y"):
            read = pd.to_datetime(texts.where(slashed), errors="coerce", utc=True, format=form)
            iso = iso.fillna(read.astype("datetime64[us, UTC]"))
    return iso, slashed & iso.notna()


def _number(texts: "pd.Series[str]") -> "pd.Series[float]":
    return pd.to_numeric(texts.str.replace(",", "", regex=False), errors="coerce").astype("float64")


def _money(amounts: "pd.Series[Any]", currency: "pd.Series[str]", terms: Terms) -> "pd.Series[Any]":
    """Return whole microdollars; what rounding takes from a line goes to the next, and a missing cost stays missing."""
    there = amounts.notna()
    rates = {"USD": Decimal(1), **terms.usd_per_unit}
    exact = [amount * rates[unit] for amount, unit in zip(amounts[there], currency[there], strict=True)]
    result = pd.Series(pd.NA, index=amounts.index, dtype="Int64")
    result[there] = microusd(exact)
    return result


def _tags(text: str) -> str:
    """Return tags as the text of a JSON object; what is none is kept under one name, for a person to see."""
    if not text:
        return "{}"
    try:
        found = json.loads(text)
    except ValueError:
        found = None
    return json.dumps(found if isinstance(found, dict) else {"x_unreadable": text[:TEXT_LENGTH]}, sort_keys=True)


def _sift(
    raw: pd.DataFrame, faults: "Mapping[str, pd.Series[Any]]", first_position: int
) -> tuple["pd.Series[bool]", list[Rejection]]:
    wrong = pd.DataFrame({reason: rows.fillna(True).astype(bool) for reason, rows in faults.items()}, index=raw.index)
    bad = wrong.any(axis=1)
    rejections = [
        Rejection(first_position + row, str(wrong.columns[int(wrong.iloc[row].to_numpy().argmax())]), _excerpt(raw.iloc[row]))
        for row in bad.to_numpy().nonzero()[0].tolist()
    ]  # fmt: skip
    return ~bad, rejections


def _excerpt(row: "pd.Series[Any]") -> str:
    told = {name: row[name] for name in ("ResourceId", "ServiceName", *REQUIRED) if name in row.index}
    return ", ".join(f"{name}={value}" for name, value in told.items())[:EXCERPT_LENGTH]
