"""Rows in PostgreSQL's binary COPY format, built by numpy: no Python object per number.

A field is its length and its value, and a missing one is the length -1 alone; so rows that miss the same columns, and
whose texts are equally long, have the same layout and are built together.
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
TEXT = ("varchar", "text")
MISSING = -1
# Rows built at a time, so that the copy in memory stays small beside the frame.
CHUNK = 100_000


def is_binary(columns: Mapping[str, str]) -> bool:
    """Return whether every column has a type that is known here."""
    return all(pg_type in FIXED or pg_type in TEXT for pg_type in columns.values())


def binary_rows(columns: Mapping[str, str], frame: pd.DataFrame) -> Iterator[bytes]:
    """Yield the rows of a frame without header and trailer: in order if there is text, else those of one layout together.

    Args:
        columns: PostgreSQL type by column name, each of `FIXED` or `TEXT`.
        frame: missing values become NULL; instants are aware.
    """
    if frame.empty:
        return
    values, widths = {}, {}
    for name, pg_type in columns.items():
        gaps = frame[name].isna().to_numpy()
        if pg_type in TEXT:
            values[name], widths[name] = _texts(frame[name], gaps)
        else:
            values[name] = _values(frame[name], pg_type, bool(gaps.any()))
            widths[name] = np.where(gaps, MISSING, np.dtype(FIXED[pg_type]).itemsize)
    ordered = [b""] * len(frame) if any(pg_type in TEXT for pg_type in columns.values()) else []
    for rows in _alike(widths):
        blank = _blank(columns, {name: int(width[rows[0]]) for name, width in widths.items()})
        for first in range(0, len(rows), CHUNK):
            chosen = rows[first : first + CHUNK]
            built = np.repeat(blank, len(chosen))
            for name in columns:
                if name in (blank.dtype.names or ()):
                    built[name] = values[name][chosen]
            if not ordered:
                yield built.tobytes()
                continue
            together = built.tobytes()
            for place, start in zip(chosen.tolist(), range(0, len(together), built.itemsize), strict=True):
                ordered[place] = together[start : start + built.itemsize]
    yield b"".join(ordered)


def _texts(column: "pd.Series", gaps: npt.NDArray[np.bool_]) -> tuple[npt.NDArray[np.object_], npt.NDArray[np.int64]]:
    """Return each text in UTF-8, and its width."""
    known = column.to_numpy(dtype=object)
    encoded = np.full(len(known), b"", dtype=object)
    encoded[~gaps] = [text.encode() for text in known[~gaps]]
    return encoded, np.where(gaps, MISSING, np.fromiter(map(len, encoded), np.int64, len(encoded)))


def _alike(widths: Mapping[str, npt.NDArray[np.int64]]) -> list[npt.NDArray[np.int64]]:
    """Return the places of the rows of each layout, in order."""
    layout = np.zeros(len(next(iter(widths.values()))), dtype=np.int64)
    for width in widths.values():
        if (width != width[0]).any():
            _, layout = np.unique(layout * (int(width.max()) + 2) + width, return_inverse=True)
    order = np.argsort(layout, kind="stable")
    return np.split(order, np.flatnonzero(np.diff(layout[order])) + 1)


def _blank(columns: Mapping[str, str], widths: Mapping[str, int]) -> npt.NDArray[np.void]:
    """Return one row, shape (1,), in which everything but the values is filled in; what has no width has no field."""
    fields: list[tuple[str, str]] = [("fields of a row", ">i2")]
    for name, pg_type in columns.items():
        fields.append((f"length of {name}", ">i4"))
        if widths[name] > 0:
            fields.append((name, FIXED.get(pg_type, f"S{widths[name]}")))
    blank = np.zeros(1, dtype=np.dtype(fields))
    blank["fields of a row"] = len(columns)
    for name in columns:
        blank[f"length of {name}"] = widths[name]
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
