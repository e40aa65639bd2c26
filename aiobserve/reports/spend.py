"""What was spent: money, energy and carbon from the ledger by any dimensions. The one function behind every total."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime

import pandas as pd

from aiobserve.domain.account import MEASURES, Account, Component
from aiobserve.domain.quality import Quality
from aiobserve.reports.amounts import Amounts, total
from aiobserve.reports.scope import Scope
from aiobserve.reports.sharing import local_texts, shared_windows
from aiobserve.store.read.ledger import SumRow, UnknownDimension, sums

__all__ = ["DIMENSIONS", "Spend", "SpendRow", "UnknownDimension", "spend", "stored"]

DIMENSIONS = (
    "team", "project", "model", "job", "job_name", "workload_type", "site", "account", "component", "hour", "day", "month", "hour_of_day",
    "is_correction", "incurred_day",
)  # fmt: skip

# Dimensions that the ledger holds as numbers and people read as words.
WORDS: dict[str, type[Account] | type[Component]] = {"account": Account, "component": Component}
# How local time reads as a dimension.
TIMES = {"hour": "%Y-%m-%dT%H:00", "day": "%Y-%m-%d", "month": "%Y-%m-01", "hour_of_day": "%-H"}


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

    Idle and overhead are borne as the scope's sharing says; filters look at what came of that. What a row was spent on
    (account, component) stays; what a team bears of idle stands in rows of the account idle with its name.

    Args:
        group_by: names of `DIMENSIONS`; team, project, model and job are empty for what no job bears.
        filters: values by dimension; an account or component is given by its word (job, idle, ...; gpu, host, ...).

    Raises:
        UnknownDimension: a name is not one of `DIMENSIONS`.
    """
    for name in [*group_by, *(filters or {})]:
        if name not in DIMENSIONS:
            raise UnknownDimension(f"cannot group or filter by {name!r}; choose from {', '.join(DIMENSIONS)}")
    read = _shared if scope.sharing.shares else _posted
    rows = read(scope, group_by, filters or {})
    return Spend(scope, tuple(group_by), rows, total(row.amounts for row in rows))


def _posted(scope: Scope, group_by: Sequence[str], filters: Mapping[str, Sequence[str]]) -> tuple[SpendRow, ...]:
    """Return the ledger's own sums. Idle time of reserved devices carries its reserver there; here it bears no name."""
    by_team = "team" in [*group_by, *filters]
    asked = [*group_by, *(name for name in ("account", "team") if by_team and name not in group_by)]
    found = sums(
        scope.organisation.pk,
        scope.span,
        group_by=asked,
        timezone=scope.timezone,
        filters=stored({name: values for name, values in filters.items() if name != "team"}),
    )
    rows = [(texts(asked, row.keys), amounts_of(row)) for row in found]
    if by_team:
        rows = [
            ({**keys, "team": "" if keys["account"] == Account.IDLE.label else keys["team"]}, one) for keys, one in rows
        ]
        rows = [(keys, one) for keys, one in rows if keys["team"] in filters.get("team", [keys["team"]])]
    return _merged(rows, group_by)


def _merged(rows: Sequence[tuple[dict[str, str], Amounts]], group_by: Sequence[str]) -> tuple[SpendRow, ...]:
    """Return one row a combination of the dimensions asked for, in the order in which each came first."""
    groups: dict[tuple[str, ...], list[Amounts]] = {}
    for keys, amounts in rows:
        groups.setdefault(tuple(keys[name] for name in group_by), []).append(amounts)
    if not groups and not group_by:
        groups[()] = []
    ordered = sorted(groups.items(), key=lambda item: _order(group_by, item[0]))
    return tuple(
        SpendRow(dict(zip(group_by, values, strict=True)), amounts[0] if len(amounts) == 1 else total(amounts))
        for values, amounts in ordered
    )


def _order(group_by: Sequence[str], values: Sequence[str]) -> tuple[tuple[bool, int, str], ...]:
    """Sort as the ledger does: accounts and hours by number, the rest by text, nothing last."""
    numbers = {"account": _code, "component": _code, "hour_of_day": lambda name, value: value}
    return tuple(
        (value == "", int(numbers[name](name, value)) if name in numbers and value else 0, value)
        for name, value in zip(group_by, values, strict=True)
    )


def _shared(scope: Scope, group_by: Sequence[str], filters: Mapping[str, Sequence[str]]) -> tuple[SpendRow, ...]:
    names = list(dict.fromkeys([*group_by, *filters]))
    rows = shared_windows(scope.organisation.pk, scope.span, scope.sharing)
    rows = rows.assign(**{name: _column(rows, name, scope.timezone) for name in names})
    for name, values in filters.items():
        rows = rows[rows[name].isin(list(values))]
    qualities = ["energy_quality", "carbon_quality", "cost_quality"]
    summed = rows.groupby([*group_by, *qualities], as_index=False)[list(MEASURES)].sum()
    found = [({name: str(row[name]) for name in group_by}, _of_quality(row)) for row in summed.to_dict("records")]
    return _merged(found, group_by)


def _column(rows: pd.DataFrame, name: str, timezone: str) -> "pd.Series[str]":
    if name in WORDS:
        return rows[name].map({int(one): one.label for one in WORDS[name]})
    if name == "is_correction":
        return (rows["incurred"] != rows["bucket"]).map({True: "true", False: "false"})
    if name == "incurred_day":
        return local_texts(rows["incurred"], timezone, TIMES["day"])
    if name in TIMES:
        return local_texts(rows["bucket"], timezone, TIMES[name])
    return rows[name]


def _of_quality(row: Mapping[str, object]) -> Amounts:
    sums = {name: int(str(row[name])) for name in MEASURES}

    def part(column: str, measure: str) -> tuple[int, int, int]:
        worth = [sums[measure] if row[column] == quality else 0 for quality in Quality]
        return (worth[0], worth[1], worth[2])

    return Amounts(
        **sums,
        energy_quality=part("energy_quality", "energy_millij"),
        carbon_quality=part("carbon_quality", "carbon_microg"),
        cost_quality=part("cost_quality", "capacity_microusd"),
    )


def stored(filters: Mapping[str, Sequence[str]]) -> dict[str, list[str]]:
    """Return filter values as the ledger keeps them: accounts and components by number."""
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
