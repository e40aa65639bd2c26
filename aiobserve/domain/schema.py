"""How a table that travels between stages is declared and checked at a border.

Instants are columns of `datetime64[us, UTC]` named `*_at`; missing is NaN, NaT or None and is never
filled without a named policy. A frame that passed `check` is trusted inside.
"""

from dataclasses import dataclass
from typing import Any

import pandas as pd

INSTANT = "datetime64[us, UTC]"
TEXT = "str"
# The default of a column that every frame must have.
REQUIRED = object()


class BadFrame(ValueError):
    """A frame lacks a column, or a required column has a missing value."""


@dataclass(frozen=True)
class Column:
    """One column: its dtype, whether a missing value is allowed, and what a frame that lacks the column means by it."""

    dtype: str
    nullable: bool = False
    default: Any = REQUIRED


@dataclass(frozen=True)
class Schema:
    """A named set of columns, in order."""

    name: str
    columns: dict[str, Column]

    def check(self, frame: pd.DataFrame) -> pd.DataFrame:
        """Return the frame with exactly these columns, in order and cast to their dtypes.

        Raises:
            BadFrame: a column is missing, cannot be cast, or holds a missing value where none may be.
        """
        absent = [
            name for name, column in self.columns.items() if name not in frame.columns and column.default is REQUIRED
        ]
        if absent:
            raise BadFrame(
                f"{self.name}: missing column {', '.join(absent)}; found {', '.join(map(str, frame.columns))}"
            )
        cast = {}
        for name, column in self.columns.items():
            values = (
                frame[name]
                if name in frame.columns
                else pd.Series(column.default, index=frame.index, dtype=column.dtype)
            )
            try:
                cast[name] = _cast(values, column.dtype)
            except (TypeError, ValueError) as error:
                raise BadFrame(f"{self.name}.{name}: cannot be read as {column.dtype}: {error}") from error
            if not column.nullable and cast[name].isna().any():
                raise BadFrame(f"{self.name}.{name}: {int(cast[name].isna().sum())} missing values, none allowed")
        return pd.DataFrame(cast, columns=list(self.columns)).reset_index(drop=True)

    def empty(self) -> pd.DataFrame:
        """Return a frame of no rows with these columns."""
        return pd.DataFrame({name: pd.Series(dtype=column.dtype) for name, column in self.columns.items()})


def _cast(values: "pd.Series[Any]", dtype: str) -> "pd.Series[Any]":
    if values.dtype == dtype:
        return values
    if dtype == INSTANT and values.isna().all():
        # A column of nothing has no zone to be wrong about.
        return pd.Series(pd.NaT, index=values.index, dtype=dtype)
    return values.astype(dtype)
