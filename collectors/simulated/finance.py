"""The simulated company's bill and budgets, with what is planted in them: a rounding, a price, a line nobody knows, a budget."""

import math
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from functools import cache
from typing import Any

import pandas as pd

from aiobserve.domain.bill_frames import BILL_LINES
from aiobserve.domain.units import HOURS_PER_DAY, MICROUSD_PER_USD, SECONDS_PER_HOUR
from aiobserve.domain.window import Span
from collectors.base import Batch
from collectors.simulated import company
from collectors.simulated.terms import LIST_OVER_PRICE, spot_rates

PROVIDER = "Vantage Cloud"
ACCOUNT, SUB_ACCOUNT = "NW-4711", "northwind-prod"
SERVICE, SUPPORT = "GPU Instances", "Priority Support"
VERSION = 2

# The provider rounds each day of this node to a tenth of a cent, upwards: 0.4 cents a day, a month long.
ROUNDED_NODE, ROUNDING_MICROUSD = "iad-l1", 4_000
ROUNDED = Span(datetime(2026, 10, 1, tzinfo=UTC), datetime(2026, 11, 1, tzinfo=UTC))
# These A100s are billed at another price than the contract's 1.60 USD.
PRICED_NODE, BILLED_USD_PER_GPU_HOUR = "iad-a1", 1.65
PRICED = Span(datetime(2026, 10, 12, tzinfo=UTC), datetime(2026, 11, 1, tzinfo=UTC))
# Nobody ordered this.
UNKNOWN_DAY, UNKNOWN_USD = date(2026, 10, 30), 250

# Name, scope, subject, measure, amount in the ledger's unit, window, hard. One of them is over.
BUDGETS: tuple[dict[str, Any], ...] = (
    {"name": "Company, month", "scope": "whole", "subject": "", "measure": "cost", "amount": 52_000 * MICROUSD_PER_USD},
    {"name": "Science, week", "scope": "team", "subject": "Science", "measure": "cost",
     "amount": 1_500 * MICROUSD_PER_USD, "window": "week", "is_hard": True},
    {"name": "Language, month", "scope": "team", "subject": "Language", "measure": "cost",
     "amount": 6_500 * MICROUSD_PER_USD},
    {"name": "Emissions, quarter", "scope": "whole", "subject": "", "measure": "carbon", "amount": 20 * 10**12,
     "window": "quarter"},
)  # fmt: skip


class SimulatedBill:
    """What the rented machines of the simulated company are billed at: a line a node and UTC day, a document a month."""

    name = "simulated-bill"

    def collect(self, span: Span | None = None) -> Iterator[Batch]:
        """Yield one document a month."""
        days = list((span or company.SPAN).days())
        for month in sorted({day.replace(day=1) for day in days}):
            rows = [row for day in days if day.replace(day=1) == month for row in _day(day)]
            lines = pd.DataFrame(rows).assign(position=range(1, len(rows) + 1), **_head(month))
            key = f"v{VERSION} {month:%Y-%m} {days[0]} {days[-1]}"
            yield Batch(self.name, key, {"bill_lines": BILL_LINES.check(lines.assign(document=key))})


def _day(day: date) -> Iterator[dict[str, object]]:
    at = datetime(day.year, day.month, day.day, tzinfo=UTC)
    for node, count, site, sku in company.NODES:
        if not site.rented:
            continue
        paid = count
        if node == company.COMMITTED_NODE:
            over = company.OVER_COMMITTED.start_at <= at < company.OVER_COMMITTED.end_at
            paid = company.COMMITTED_TOO_MANY if over else company.COMMITTED_GPUS
        cost = round(_usd_per_gpu(node, sku, at) * paid * MICROUSD_PER_USD)
        if node == ROUNDED_NODE and ROUNDED.start_at <= at < ROUNDED.end_at:
            cost += ROUNDING_MICROUSD
        yield _line(
            at, SERVICE, node, sku.name, f"{count} x {sku.name}", cost, float(count * HOURS_PER_DAY), "GPU-Hours",
            listed=_listed(node, sku, at) * count,
        )  # fmt: skip
    if day == UNKNOWN_DAY:
        yield _line(at, SUPPORT, "", "", "Priority incident", UNKNOWN_USD * MICROUSD_PER_USD, 1.0, "Incidents")


def _listed(node: str, sku: company.Sku, at: datetime) -> int:
    """Return the list price of a GPU of a node for the day that begins at an instant.

    A spot price is a rebate on the ordinary one; what the provider wrongly bills stands on its price list too.
    """
    over = 1.0 if node == company.SPOT_NODE else LIST_OVER_PRICE.get(sku.name, 1.0)
    wrong_usd = BILLED_USD_PER_GPU_HOUR - sku.usd_per_gpu_hour if _is_mispriced(node, at) else 0.0
    return round((sku.usd_per_gpu_hour * over + wrong_usd) * MICROUSD_PER_USD) * HOURS_PER_DAY


def _is_mispriced(node: str, at: datetime) -> bool:
    return node == PRICED_NODE and PRICED.start_at <= at < PRICED.end_at


def _usd_per_gpu(node: str, sku: company.Sku, at: datetime) -> float:
    """Return what a GPU of a node is billed at for the day that begins at an instant."""
    if node == company.COMMITTED_NODE:
        return company.COMMITTED_USD * HOURS_PER_DAY
    if node == company.SPOT_NODE:
        return _spot_usd(Span(at, at + timedelta(days=1)))
    return (BILLED_USD_PER_GPU_HOUR if _is_mispriced(node, at) else sku.usd_per_gpu_hour) * HOURS_PER_DAY


def _spot_usd(day: Span) -> float:
    """Return the spot price of a GPU over a day, whose changes fall inside hours."""
    day_s = (day.start_at.timestamp(), day.end_at.timestamp())
    hours = (
        (max(min(to_s, day_s[1]) - max(from_s, day_s[0]), 0.0) / SECONDS_PER_HOUR, usd) for from_s, to_s, usd in _spot()
    )
    return sum(length * usd for length, usd in hours)


@cache
def _spot() -> tuple[tuple[float, float, float], ...]:
    """Return (from, to, USD per GPU-hour) of the spot price, in epoch seconds."""
    rows = pd.DataFrame(spot_rates(company.SEED))
    from_at, to_at = (pd.to_datetime(rows[name], utc=True) for name in ("valid_from_at", "valid_to_at"))
    return tuple(
        (start_at.timestamp(), math.inf if pd.isna(end_at) else end_at.timestamp(), float(usd))
        for start_at, end_at, usd in zip(from_at, to_at, rows["usd_per_gpu_hour"], strict=True)
    )


def _line(
    at: datetime, service: str, resource: str, sku: str, description: str, cost: int, quantity: float, unit: str,
    *, listed: int | None = None,
) -> dict[str, object]:  # fmt: skip
    listed = cost if listed is None else listed
    return {
        "service": service, "service_category": "Compute" if resource else "Other", "resource": resource, "sku": sku,
        "region": "us-east", "charge_category": "Usage", "description": description, "start_at": at,
        "end_at": at + timedelta(days=1), "billed_microusd": cost, "effective_microusd": cost, "list_microusd": listed,
        "contracted_microusd": cost, "quantity": quantity, "unit": unit,
    }  # fmt: skip


def _head(month: date) -> dict[str, object]:
    following = (month + timedelta(days=31)).replace(day=1)
    empty = ("charge_class", "invoice", "commitment", "commitment_category", "commitment_status")
    return {
        **dict.fromkeys(empty, ""),
        "is_part": False,
        "provider": PROVIDER,
        "billing_account": ACCOUNT,
        "sub_account": SUB_ACCOUNT,
        "sub_account_name": SUB_ACCOUNT,
        "charge_frequency": "Usage-Based",
        "currency": "USD",
        "billing_start_at": datetime(month.year, month.month, 1, tzinfo=UTC),
        "billing_end_at": datetime(following.year, following.month, 1, tzinfo=UTC),
        "commitment_quantity": None,
        "tags": "{}",
    }
