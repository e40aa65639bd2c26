"""Rows of fixed width in PostgreSQL's binary COPY format, built by numpy: no Python object per value.

A field is its length and its value, and a missing one is the length -1 alone; so rows that miss the same columns
have the same width, and are built together. Not for text: its width varies.
"""

from collections.abc import Iterator, Mapping

import numpy as np
import numpy.typing as npt
import pandas as pd

# PostgreSQL counts microseconds from 2000-01-01.
POSTGRES_EPOCH_US = 946_684_800_000_000
POSTGRES_EPOCH_DAY = np.datetime64("2000-01-01", "D")
HEADER = b"PGCOPY\n\xff\r\n\0" + bytes(8)
TRAILER = b"\xff\xff"
FIXED = {"int2": ">i2", "int4": ">i4", "int8": ">i8", "float8": ">f8", "bool": "?", "timestamptz": ">i8", "date": ">i4"}
# Rows built at a time, so that the copy in memory stays small beside the frame.
CHUNK = 100_000


def is_fixed(columns: Mapping[str, str]) -> bool:
    """Return whether every column has a type of fixed width."""
    return all(pg_type in FIXED for pg_type in columns.values())


def binary_rows(columns: Mapping[str, str], frame: pd.DataFrame) -> Iterator[bytes]:
    """Yield the rows of a frame without header and trailer; those that miss the same columns stand together.

    Args:
        columns: PostgreSQL type by column name, each of `FIXED`.
        frame: missing values become NULL; instants are aware.
    """
    missing = {name: gaps for name in columns if (gaps := frame[name].isna().to_numpy()).any()}
    values = {name: _values(frame[name], pg_type, name in missing) for name, pg_type in columns.items()}
    pattern = np.zeros(len(frame), dtype=np.int64)
    for bit, gaps in enumerate(missing.values()):
        pattern |= gaps.astype(np.int64) << bit
    for one in np.unique(pattern):
        rows = np.flatnonzero(pattern == one) if missing else np.arange(len(frame))
        absent = {name for bit, name in enumerate(missing) if one >> bit & 1}
        blank = _blank(columns, absent)
        for first in range(0, len(rows), CHUNK):
            chosen = rows[first : first + CHUNK]
            built = np.repeat(blank, len(chosen))
            for name in columns:
                if name not in absent:
                    built[name] = values[name][chosen]
            yield built.tobytes()


def _blank(columns: Mapping[str, str], absent: set[str]) -> npt.NDArray[np.void]:
    """Return one row, shape (1,), in which everything but the values is filled in."""
    fields: list[tuple[str, str]] = [("fields of a row", ">i2")]
    for name, pg_type in columns.items():
        fields.append((f"length of {name}", ">i4"))
        if name not in absent:
            fields.append((name, FIXED[pg_type]))
    blank = np.zeros(1, dtype=np.dtype(fields))
    blank["fields of a row"] = len(columns)
    for name, pg_type in columns.items():
        blank[f"length of {name}"] = -1 if name in absent else np.dtype(FIXED[pg_type]).itemsize
    return blank


def _values(column: "pd.Series", pg_type: str, has_gaps: bool) -> npt.NDArray:
    if pg_type == "timestamptz":
        instants = pd.to_datetime(column, utc=True).astype("datetime64[us, UTC]")
        return instants.astype("int64").to_numpy() - POSTGRES_EPOCH_US
    if pg_type == "date":
        return (column.to_numpy(dtype="datetime64[D]") - POSTGRES_EPOCH_DAY).astype(np.int64)
    dtype = np.dtype(FIXED[pg_type]).newbyteorder("=")
    if not has_gaps:
        return column.to_numpy(dtype=dtype)
    filled = column.fillna(False if pg_type == "bool" else 0)  # noqa: FBT003 - what stands in a gap is not written
    return filled.to_numpy(dtype=dtype)
