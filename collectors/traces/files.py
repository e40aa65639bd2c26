"""Opens the files of recorded traces and finds the rows that cannot be used. Knows no format's meaning."""

import hashlib
import importlib.util
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from collectors.base import Rejection, SourceGarbled, SourceUnavailable

EXCERPT_LENGTH = 200
PARQUET_MAGIC = b"PAR1"
BLOCK_BYTES = 1 << 20
NAME_LENGTH = 100
# A year 2999 in one row would make millions of hours before it missing.
EARLIEST_AT, LATEST_AT = pd.Timestamp("2000-01-01", tz="UTC"), pd.Timestamp("2100-01-01", tz="UTC")
TIME_FAULT = f"time is not between {EARLIEST_AT.year} and {LATEST_AT.year}"
NAME_FAULT = f"is empty, holds a NUL or is longer than {NAME_LENGTH} characters"


def regular(path: Path) -> None:
    """Refuse what is no file that can be read from its beginning to its end.

    Raises:
        SourceUnavailable: the path leads to nothing, a folder, or a device or pipe.
    """
    if path.is_dir():
        raise SourceUnavailable(f"{path}: is a folder; give the paths of the files in it")
    if not path.exists():
        raise SourceUnavailable(f"{path}: no such file; give the path of a file that can be read")
    if not path.is_file():
        raise SourceUnavailable(f"{path}: is no regular file; give the path of a file that can be read")


def load(path: Path) -> pd.DataFrame:
    """Return a Parquet or CSV file (gzipped or not) as it is.

    Raises:
        SourceUnavailable: the file is not there or is none, or the `parquet` extra is not installed.
        SourceGarbled: the file is neither, is empty or is cut off.
    """
    regular(path)
    with path.open("rb") as file:
        is_parquet = file.read(4) == PARQUET_MAGIC
    if is_parquet and importlib.util.find_spec("pyarrow") is None:
        raise SourceUnavailable(f"{path}: reading Parquet needs pyarrow; pip install 'aiobserve[parquet]'")
    try:
        frame = pd.read_parquet(path) if is_parquet else pd.read_csv(path, dtype_backend="numpy_nullable")
    except (ValueError, OSError, EOFError) as error:
        raise SourceGarbled(f"{path}: cannot be read as {'Parquet' if is_parquet else 'CSV'}: {error}") from error
    if not len(frame.columns):
        raise SourceGarbled(f"{path}: has no columns")
    return frame


def require(frame: pd.DataFrame, columns: tuple[str, ...], *, path: Path, what: str) -> pd.DataFrame:
    """Return only the named columns, so that nothing else in the file can be used by accident.

    Raises:
        SourceGarbled: one is missing; the message lists those that were found.
    """
    missing = [name for name in columns if name not in frame.columns]
    if missing:
        found = ", ".join(map(str, frame.columns))
        raise SourceGarbled(f"{path}: not a file of {what}: column {', '.join(missing)} is missing; found {found}")
    return frame[list(columns)]


def fingerprint(path: Path) -> str:
    """Return the SHA-256 of a file's bytes."""
    sha = hashlib.sha256()
    with path.open("rb") as file:
        while block := file.read(BLOCK_BYTES):
            sha.update(block)
    return sha.hexdigest()


def sift(frame: pd.DataFrame, faults: Mapping[str, "pd.Series[Any]"]) -> tuple[pd.DataFrame, list[Rejection]]:
    """Return the rows without a fault, and a rejection for each of the others with the first fault it has.

    Args:
        faults: for each reason, in words, which rows have it.
    """
    wrong = pd.DataFrame({reason: rows.fillna(True).astype(bool) for reason, rows in faults.items()}, index=frame.index)
    bad = wrong.any(axis=1)
    first = wrong.idxmax(axis=1)
    positions = np.arange(1, len(frame) + 1)
    rejections = [
        Rejection(int(positions[i]), str(first.iloc[i]), excerpt(frame.iloc[i])) for i in np.flatnonzero(bad.to_numpy())
    ]
    return frame[~bad], rejections


def bad_name(column: "pd.Series[Any]", *, longest: int = NAME_LENGTH) -> "pd.Series[bool]":
    """Return which names cannot be kept: missing, with a NUL, which PostgreSQL's text cannot hold, or too long."""
    text = column.astype("str")
    return column.isna() | text.str.contains("\0", regex=False) | (text.str.len() > longest)


def out_of_time(at: "pd.Series[pd.Timestamp]") -> "pd.Series[bool]":
    """Return which instants are missing, or are none that a record of an AI fleet can have."""
    return ~at.between(EARLIEST_AT, LATEST_AT, inclusive="left")


def excerpt(row: "pd.Series[Any]") -> str:
    """Return a record as readable text of limited length."""
    return ", ".join(f"{name}={value}" for name, value in row.items())[:EXCERPT_LENGTH]


def numbers(column: "pd.Series[Any]") -> "pd.Series[float]":
    """Return a column as floats, NaN where it is no number."""
    return pd.to_numeric(column, errors="coerce").astype("float64")


def utc(column: "pd.Series[Any]") -> "pd.Series[pd.Timestamp]":
    """Return a column as UTC instants, naive ones taken as UTC, NaT where it is no instant."""
    return pd.to_datetime(column, errors="coerce", utc=True).astype("datetime64[us, UTC]")


def pieces(count: int, size: int) -> Iterator[slice]:
    """Yield slices that cover `count` rows, `size` at a time."""
    for first in range(0, count, size):
        yield slice(first, min(first + size, count))
