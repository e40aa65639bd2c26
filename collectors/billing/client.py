"""Opens the file of a bill and hands out its rows as text, piece by piece. Knows no column's meaning."""

import hashlib
import importlib.util
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pandas as pd

from collectors.base import SourceGarbled, SourceUnavailable

PIECE_ROWS = 20_000
BLOCK_BYTES = 1 << 20
PARQUET_MAGIC = b"PAR1"


def fingerprint(path: Path) -> str:
    """Return the SHA-256 of a file's bytes.

    Raises:
        SourceUnavailable: there is no such file.
    """
    if not path.is_file():
        raise SourceUnavailable(f"{path}: no such file; give the path of a file that can be read")
    sha = hashlib.sha256()
    with path.open("rb") as file:
        while block := file.read(BLOCK_BYTES):
            sha.update(block)
    return sha.hexdigest()


def columns_and_rows(path: Path) -> tuple[list[str], int]:
    """Return the columns and the number of rows, after reading the file to its end: a bill that is cut off is no bill.

    Raises:
        SourceUnavailable: there is no such file, or Parquet cannot be read here.
        SourceGarbled: it cannot be read to its end.
    """
    columns: list[str] = []
    rows = 0
    for piece in pieces(path):
        columns = list(piece.columns)
        rows += len(piece)
    if not columns:
        raise SourceGarbled(f"{path}: has no columns; a bill is a CSV or Parquet file with a header")
    return columns, rows


def pieces(path: Path) -> Iterator[pd.DataFrame]:
    """Yield the rows of a CSV (gzipped or not) or Parquet file as text, at most 20,000 at a time, at least once.

    Raises:
        SourceUnavailable, SourceGarbled: as `columns_and_rows`.
    """
    if not path.is_file():
        raise SourceUnavailable(f"{path}: no such file; give the path of a file that can be read")
    with path.open("rb") as file:
        is_parquet = file.read(4) == PARQUET_MAGIC
    if is_parquet and importlib.util.find_spec("pyarrow") is None:
        raise SourceUnavailable(f"{path}: reading Parquet needs pyarrow; pip install 'aiobserve[parquet]'")
    try:
        yield from _parquet(path) if is_parquet else _csv(path)
    except (ValueError, OSError, EOFError) as error:
        raise SourceGarbled(f"{path}: cannot be read as {'Parquet' if is_parquet else 'CSV'}: {error}") from error


def _csv(path: Path) -> Iterator[pd.DataFrame]:
    # Everything is text: money that once was a float is no longer what the bill says.
    with pd.read_csv(path, dtype=str, keep_default_na=False, encoding="utf-8-sig", chunksize=PIECE_ROWS) as reader:
        yield from reader


def _parquet(path: Path) -> Iterator[pd.DataFrame]:
    frame = pd.read_parquet(path)
    for first in range(0, max(len(frame), 1), PIECE_ROWS):
        piece = frame.iloc[first : first + PIECE_ROWS]
        yield pd.DataFrame({str(name): piece[name].map(_text).astype("str") for name in piece.columns})


def _text(value: Any) -> str:
    """Return a cell as text: a decimal as it stands, a float by the shortest text that reads as the same, none as empty."""
    if isinstance(value, dict):
        return json.dumps(value, sort_keys=True, default=str)
    if isinstance(value, list):
        # A map column of Parquet, which FOCUS has for tags, is a list of pairs.
        return json.dumps(dict(value), sort_keys=True, default=str)
    return "" if value is None or value is pd.NaT or value != value else str(value)
