"""What a token costs: money, energy and carbon per token of input, cache and output, by model, GPU, tenant and day.

Amounts are the ledger's own, divided over tokens window by window so that input, cached, output and idle sum to them
exactly. A price per token is rounded, so what it leaves over is reported beside it, never spread in silence. The
facility's overhead is not in them: it is charged to its site.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

import numpy as np
import pandas as pd

from aiobserve.attribution.split import split_groups
from aiobserve.domain import units
from aiobserve.domain.quality import Quality
from aiobserve.domain.tokens import TokenKind
from aiobserve.reports.scope import Scope
from aiobserve.reports.spend import UnknownDimension
from aiobserve.store.read import tokens

__all__ = ["CLASSES", "DIMENSIONS", "Unit", "UnitCosts", "UnitRow", "UnknownDimension", "unit_costs", "unit_costs_by"]

DIMENSIONS = ("model", "gpu", "tenant", "project", "site", "server", "day", "month")
# Where the store names a dimension otherwise.
STORED = {"gpu": "sku", "tenant": "team", "server": "job"}
# The kind of GPU of tokens that were bought: nobody says which.
BOUGHT = "bought"
CLASSES = ("input", "cached", "output")
KINDS_OF = {
    "input": (TokenKind.INPUT, TokenKind.CACHE_WRITE),
    "cached": (TokenKind.CACHED_READ,),
    "output": (TokenKind.OUTPUT, TokenKind.REASONING),
}


@dataclass(frozen=True)
class Unit:
    """Tokens of a class and what they came to; the prices per token are None where there is no token."""

    tokens: int = 0
    cost_microusd: int = 0
    energy_millij: int = 0
    carbon_microg: int = 0

    @property
    def usd_per_million(self) -> Decimal | None:
        """Return dollars per million tokens, six places."""
        return units.usd_per_million_tokens(self.cost_microusd, self.tokens) if self.tokens else None

    @property
    def j_per_token(self) -> Decimal | None:
        """Return joules per token, four places."""
        return units.j_per_token(self.energy_millij, self.tokens) if self.tokens else None

    @property
    def g_per_token(self) -> Decimal | None:
        """Return grams of CO2 equivalent per token, nine places."""
        return units.g_per_token(self.carbon_microg, self.tokens) if self.tokens else None

    @property
    def residual_microusd(self) -> Decimal:
        """Return the cost less tokens x the rounded price: exactly what the rounding leaves over."""
        return Decimal(self.cost_microusd) - (self.usd_per_million or Decimal(0)) * self.tokens

    def plus(self, other: "Unit") -> "Unit":
        """Return the sums."""
        return Unit(*(getattr(self, name) + getattr(other, name) for name in Unit.__annotations__))


@dataclass(frozen=True)
class UnitRow:
    """A group: its classes of token, and what no token explains (`idle`: reserved, and nothing asked of it)."""

    keys: dict[str, str]
    input: Unit
    cached: Unit
    output: Unit
    idle: Unit

    @property
    def total(self) -> Unit:
        """Return everything together, idle included: tokens, and what the ledger says they cost."""
        return self.input.plus(self.cached).plus(self.output).plus(self.idle)

    @property
    def residual_microusd(self) -> Decimal:
        """Return what the prices of input, cached and output leave over of the cost, without what is idle."""
        return self.input.residual_microusd + self.cached.residual_microusd + self.output.residual_microusd


@dataclass(frozen=True)
class UnitCosts:
    """Rows by the dimensions asked for, their total, and what the tokens of own servers were weighed by."""

    scope: Scope
    group_by: tuple[str, ...]
    rows: tuple[UnitRow, ...]
    total: UnitRow
    weights: tuple[tuple[str, str, Quality, str], ...]


def unit_costs(scope: Scope, *, group_by: Sequence[str] = ("model", "gpu")) -> UnitCosts:
    """Return what tokens cost in a scope, by dimensions, dearest first unless by time.

    Raises:
        UnknownDimension: a name is not one of `DIMENSIONS`.
    """
    return unit_costs_by(scope, group_by)[0]


def unit_costs_by(scope: Scope, *groupings: Sequence[str]) -> list[UnitCosts]:
    """Return several groupings of one reading of the ledger; see `unit_costs`."""
    wanted = {name for group_by in groupings for name in group_by}
    for name in sorted(wanted):
        if name not in DIMENSIONS:
            raise UnknownDimension(f"cannot group unit costs by {name!r}; choose from {', '.join(DIMENSIONS)}")
    found = tokens.shares(scope.organisation.pk, scope.span)
    keys = {name: _dimension(found, name, scope.timezone) for name in wanted}
    columns = _classes(found)
    whole = _row({}, columns.sum())
    weights = tuple(
        (model, sku, Quality(quality), source)
        for model, sku, quality, source in tokens.weights(scope.organisation.pk, scope.span)
    )
    return [
        UnitCosts(
            scope, tuple(group_by), _rows(columns.assign(**{name: keys[name] for name in group_by}), group_by), whole, weights
        )
        for group_by in groupings
    ]  # fmt: skip


def _classes(found: pd.DataFrame) -> pd.DataFrame:
    """Return tokens by class, and each measure split over the classes and idle by the parts of its row."""
    parts = found[list(tokens.PARTS)].to_numpy(dtype=np.int64, copy=True)
    # An amount that no part explains is idle: a window of a server that nothing was recorded of.
    parts[:, -1] += parts.sum(axis=1) == 0
    row = np.repeat(np.arange(len(found)), parts.shape[1])
    columns: dict[str, np.ndarray] = {
        f"{name}_tokens": np.sum([found[f"{kind.label}_tokens"].to_numpy(dtype=np.int64) for kind in kinds], axis=0)
        for name, kinds in KINDS_OF.items()
    }
    for measure in tokens.MEASURES:
        split = split_groups(found[measure].to_numpy(dtype=np.int64), row, parts.ravel()).reshape(parts.shape)
        columns |= {f"{name}_{measure}": split[:, i] for i, name in enumerate((*CLASSES, "idle"))}
    return pd.DataFrame(columns, index=found.index)


def _dimension(found: pd.DataFrame, name: str, timezone: str) -> "pd.Series[str]":
    if name in ("day", "month"):
        local = pd.to_datetime(found["window_start_at"], utc=True).dt.tz_convert(timezone)
        return local.dt.strftime("%Y-%m-%d" if name == "day" else "%Y-%m-01")
    values = found[STORED.get(name, name)]
    return values.mask(found["job"] == "", BOUGHT) if name == "gpu" else values


def _rows(columns: pd.DataFrame, group_by: Sequence[str]) -> tuple[UnitRow, ...]:
    if not group_by:
        return (_row({}, columns.sum()),)
    sums = columns.groupby(list(group_by), sort=True).sum().reset_index()
    rows = [_row({name: str(one[name]) for name in group_by}, one) for _, one in sums.iterrows()]
    if not {"day", "month"} & set(group_by):
        rows.sort(key=lambda row: -row.total.cost_microusd)
    return tuple(rows)


def _row(keys: dict[str, str], sums: "pd.Series[int]") -> UnitRow:
    def unit(name: str) -> Unit:
        counted = int(sums.get(f"{name}_tokens", 0))
        return Unit(counted, *(int(sums[f"{name}_{measure}"]) for measure in tokens.MEASURES))

    return UnitRow(keys, unit("input"), unit("cached"), unit("output"), unit("idle"))
