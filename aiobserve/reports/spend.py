"""What was spent: money, energy and carbon from the ledger by any dimensions. The one function behind every total."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from aiobserve.domain.account import Account, Component
from aiobserve.domain.quality import Quality
from aiobserve.reports.amounts import Amounts, total
from aiobserve.reports.scope import Scope
from aiobserve.store.read.ledger import SumRow, UnknownDimension, sums

__all__ = ["DIMENSIONS", "Spend", "SpendRow", "UnknownDimension", "spend"]

DIMENSIONS = (
    "team", "project", "model", "job", "job_name", "workload_type", "site", "account", "component", "hour", "day", "month", "hour_of_day",
    "is_correction", "incurred_day",
)  # fmt: skip

# Dimensions that the ledger holds as numbers and people read as words.
WORDS: dict[str, type[Account] | type[Component]] = {"account": Account, "component": Component}


@dataclass(frozen=True)
class SpendRow:
    """Amounts for one combination of dimension values; a value is text, empty where the dimension has none."""

    keys: dict[str, str]
    amounts: Amounts


@dataclass(frozen=True)
class Spend:
    """Rows by the dimensions asked for, and their exact total."""

    scope: Scope
    group_by: tuple[str, ...]
    rows: tuple[SpendRow, ...]
    total: Amounts


def spend(scope: Scope, *, group_by: Sequence[str], filters: Mapping[str, Sequence[str]] | None = None) -> Spend:
    """Return what was charged in a scope: jobs, idle, overhead and unattributed alike.

    Args:
        group_by: names of `DIMENSIONS`; team, project, model and job are empty for what no job bears.
        filters: values by dimension; an account or component is given by its word (job, idle, ...; gpu, host, ...).

    Raises:
        UnknownDimension: a name is not one of `DIMENSIONS`.
    """
    for name in [*group_by, *(filters or {})]:
        if name not in DIMENSIONS:
            raise UnknownDimension(f"cannot group or filter by {name!r}; choose from {', '.join(DIMENSIONS)}")
    found = sums(
        scope.organisation.pk, scope.span, group_by=group_by, timezone=scope.timezone, filters=_stored(filters or {})
    )
    rows = tuple(SpendRow(texts(group_by, row.keys), amounts_of(row)) for row in found)
    return Spend(scope, tuple(group_by), rows, total(row.amounts for row in rows))


def _stored(filters: Mapping[str, Sequence[str]]) -> dict[str, list[str]]:
    return {name: [_code(name, value) for value in values] for name, values in filters.items()}


def _code(name: str, value: str) -> str:
    return next((str(int(one)) for one in WORDS.get(name, ()) if one.label == value), value)


def texts(group_by: Sequence[str], keys: Sequence[object]) -> dict[str, str]:
    """Return dimension values as reports print them, by dimension."""
    return {name: _text(name, key) for name, key in zip(group_by, keys, strict=True)}


def _text(name: str, key: object) -> str:
    if key is None:
        return ""
    if name in WORDS:
        return WORDS[name](int(str(key))).label
    if isinstance(key, bool):
        return str(key).lower()
    if isinstance(key, datetime):
        return key.strftime("%Y-%m-%dT%H:%M")
    return key.isoformat() if isinstance(key, date) else str(key)


def amounts_of(row: SumRow) -> Amounts:
    """Return the sums of a row with their parts by quality."""

    def by_quality(measure: str) -> tuple[int, int, int]:
        parts = row.by_quality[measure]
        return (parts[Quality.MEASURED], parts[Quality.ESTIMATED], parts[Quality.ASSUMED])

    return Amounts(
        **row.sums,
        energy_quality=by_quality("energy_millij"),
        carbon_quality=by_quality("carbon_microg"),
        cost_quality=by_quality("capacity_microusd"),
    )
