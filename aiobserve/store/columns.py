"""Rows of a query as arrays of declared types, one a column.

What attribution needs of a site-day comes in a dozen tables of a few rows each. A frame guesses the type of every column;
that takes longer than reading the rows.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
from django.db import connection

Columns = Mapping[str, npt.NDArray[Any]]

FAR_PAST_S = -(2**40)
FAR_FUTURE_S = 2**40


def epoch_sql(column: str, *, missing: int = FAR_FUTURE_S) -> str:
    """Return SQL for the whole epoch seconds of an instant; `missing` where it is null. The column is ours, no input."""
    return f"coalesce(floor(extract(epoch FROM {column}))::bigint, {missing})"


def checksum_sql(table: str, columns: Iterable[str]) -> str:
    """Return SQL for a checksum over rows, exact and whatever their order: the sum of a 64-bit hash of all they say."""
    row = ", ".join(f"{table}.{name}" for name in columns)
    return f"coalesce(sum(hash_record_extended(ROW({row}), 0)::numeric), 0)"


def read_rows(statement: str, values: Sequence[Any]) -> list[tuple[Any, ...]]:
    """Return the rows of a query."""
    with connection.cursor() as cursor:
        cursor.execute(statement, values)
        return cursor.fetchall()


def read_columns(statement: str, values: Sequence[Any], dtypes: Mapping[str, npt.DTypeLike]) -> Columns:
    """Return the rows of a query by column, in the query's order of columns; null is allowed in floats, as NaN."""
    return as_columns(read_rows(statement, values), dtypes)


def as_columns(rows: Iterable[Sequence[Any]], dtypes: Mapping[str, npt.DTypeLike]) -> Columns:
    """Return rows by column, of these types."""
    values = list(zip(*rows, strict=True)) or [()] * len(dtypes)
    return {name: np.array(column, dtype=dtype) for (name, dtype), column in zip(dtypes.items(), values, strict=True)}


def chosen(columns: Columns, rows: npt.NDArray[Any]) -> Columns:
    """Return some rows, by a mask or by place."""
    return {name: values[rows] for name, values in columns.items()}


def frame(columns: Columns) -> pd.DataFrame:
    """Return the columns as a frame."""
    return pd.DataFrame(dict(columns))
