"""Signals for a replay: one value a step without a hole, and forecasts as they were issued, from CSV or Parquet.

For replays and published tables only; nothing read here is written to the store. A file with a hole is refused,
because a replay that guesses the missing hours would measure the guess.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from collectors.base import SourceGarbled
from collectors.traces.files import load, numbers, utc

FloatArray = npt.NDArray[np.float64]

TIME_COLUMNS = (
    "time",
    "datetime (utc)",
    "datetime_utc",
    "timestamp_utc",
    "valid_time_utc",
    "timestamp",
    "datetime",
    "start_at",
)
ISSUE_COLUMNS = ("issue_time_utc", "issued_at")
# A file may carry several readings of one hour; these are taken when nobody names a column.
VALUE_COLUMNS = (
    "carbon intensity gco₂eq/kwh (life cycle)",
    "ci_direct_forecast_g_per_kwh",
    "ci_direct_g_per_kwh",
    "price_per_mwh",
)  # fmt: skip


@dataclass(frozen=True)
class RegularSignal:
    """Values on a regular grid, UTC: `value[i]` holds from `start_at + i x step_s` on; shape (n,) or (n, zones)."""

    start_at: datetime
    step_s: int
    value: FloatArray
    columns: tuple[str, ...]


@dataclass(frozen=True)
class IssuedForecasts:
    """Forecasts as they were issued: `value[k]` begins at `issued_at[k]`, steps of `step_s`, each with its own length."""

    issued_at: tuple[datetime, ...]
    step_s: int
    value: tuple[FloatArray, ...]


def read_signal(path: Path, *, column: str | None = None, every_s: int = 1) -> RegularSignal:
    """Return the signal of a file with a time column and one column of values.

    Args:
        column: which column holds the values; found by itself when there is but one or a known one.
        every_s: keep only the rows at whole multiples of this many seconds; the others are not looked at.

    Raises:
        SourceUnavailable, SourceGarbled: the file cannot be read, or has a hole, a double or a value that is no number.
    """
    frame = load(path)
    time = _time_column(frame, path)
    name = column or _value_column(frame, [time], path)
    if name not in frame.columns:
        raise SourceGarbled(f"{path}: has no column {name!r}; there are {_listed(frame)}")
    return _regular(frame, time, [name], path, every_s=every_s)


def read_zones(path: Path) -> RegularSignal:
    """Return the signals of a file with a time column and one column a zone, shape (n, zones)."""
    frame = load(path)
    time = _time_column(frame, path)
    zones = [name for name in frame.columns if name != time]
    if not zones:
        raise SourceGarbled(f"{path}: has no column but {time!r}; give one column a zone")
    return _regular(frame, time, zones, path, keep_zones=True)


def read_forecasts(path: Path, *, column: str | None = None) -> IssuedForecasts:
    """Return forecasts as issued: by an issue column, or as blocks one after the other, each beginning when it was issued.

    Where there is no issue column, a new block begins wherever the time goes back.
    """
    frame = load(path)
    issue = next((name for name in frame.columns if str(name).lower() in ISSUE_COLUMNS), None)
    time = _time_column(frame, path, apart_from=issue)
    name = column or _value_column(frame, [time, issue], path)
    if name not in frame.columns:
        raise SourceGarbled(f"{path}: has no column {name!r}; there are {_listed(frame)}")
    at, value = _instants(frame[time], time, path), _values(frame[name], str(name), path)
    if issue is not None:
        issued_at = _instants(frame[issue], str(issue), path)
        order = np.lexsort((at, issued_at))
        at, value = at[order], value[order]
        first = np.flatnonzero(np.r_[True, np.diff(issued_at[order]) != 0])
    else:
        first = np.flatnonzero(np.r_[True, np.diff(at) <= 0])
    bounds = np.r_[first, len(at)]
    step_s = _step_s(at[bounds[0] : bounds[1]], path)
    for low, high in zip(bounds[:-1], bounds[1:], strict=True):
        _refuse_holes(at[low:high], step_s, path, row=int(low))
    begins = at[first]
    if (np.diff(begins) <= 0).any():
        raise SourceGarbled(f"{path}: the issues are not in order of time; sort them, or give an issue_time_utc column")
    return IssuedForecasts(
        tuple(_instant(second) for second in begins),
        step_s,
        tuple(value[low:high] for low, high in zip(bounds[:-1], bounds[1:], strict=True)),
    )


def _regular(
    frame: pd.DataFrame, time: str, names: Sequence[str], path: Path, *, keep_zones: bool = False, every_s: int = 1
) -> RegularSignal:
    at = _instants(frame[time], time, path)
    kept = at % every_s == 0
    frame, at = frame[kept], at[kept]
    step_s = _step_s(at, path)
    _refuse_holes(at, step_s, path, row=0)
    columns = [_values(frame[name], str(name), path) for name in names]
    value = np.column_stack(columns) if keep_zones else columns[0]
    return RegularSignal(_instant(at[0]), step_s, value, tuple(map(str, names)))


def _time_column(frame: pd.DataFrame, path: Path, *, apart_from: Any = None) -> str:
    for name in frame.columns:
        if name != apart_from and str(name).strip().lower() in TIME_COLUMNS:
            return str(name)
    raise SourceGarbled(f"{path}: no time column; name it one of {', '.join(TIME_COLUMNS)}; there are {_listed(frame)}")


def _value_column(frame: pd.DataFrame, taken: Sequence[Any], path: Path) -> str:
    others = [name for name in frame.columns if name not in taken]
    if len(others) == 1:
        return str(others[0])
    for known in VALUE_COLUMNS:
        for name in others:
            if str(name).strip().lower() == known:
                return str(name)
    raise SourceGarbled(f"{path}: which column holds the values? Name it; there are {_listed(frame)}")


def _instants(column: "pd.Series[Any]", name: str, path: Path) -> npt.NDArray[np.int64]:
    at = utc(column)
    if at.isna().any():
        row = int(np.flatnonzero(at.isna())[0])
        raise SourceGarbled(
            f"{path}: row {row + 1}: {name} {str(column.iloc[row])!r} is no instant; use 2022-01-31 13:00"
        )
    return at.astype("int64").to_numpy() // 1_000_000


def _values(column: "pd.Series[Any]", name: str, path: Path) -> FloatArray:
    value = numbers(column).to_numpy()
    wrong = np.flatnonzero(~np.isfinite(value))
    if wrong.size:
        row = int(wrong[0])
        raise SourceGarbled(
            f"{path}: row {row + 1}: {name} {str(column.iloc[row])!r} is no number ({wrong.size} such rows); fill or cut them"
        )
    return value


def _step_s(at_s: npt.NDArray[np.int64], path: Path) -> int:
    if len(at_s) < 2:
        raise SourceGarbled(f"{path}: has {len(at_s)} rows; a signal needs at least two")
    step_s = int(at_s[1] - at_s[0])
    if step_s <= 0:
        raise SourceGarbled(f"{path}: row 2 is not later than row 1; sort by time")
    return step_s


def _refuse_holes(at_s: npt.NDArray[np.int64], step_s: int, path: Path, *, row: int) -> None:
    odd = np.flatnonzero(np.diff(at_s) != step_s)
    if odd.size:
        i = int(odd[0])
        raise SourceGarbled(
            f"{path}: row {row + i + 2} is {int(at_s[i + 1] - at_s[i])} s after the one before, {step_s} s expected"
            f" (after {_instant(at_s[i]):%Y-%m-%d %H:%MZ}); a replay needs every step once"
        )


def _instant(second: Any) -> datetime:
    return pd.Timestamp(int(second), unit="s", tz="UTC").to_pydatetime()


def _listed(frame: pd.DataFrame) -> str:
    names = [str(name) for name in frame.columns]
    return ", ".join(names[:12]) + (f" and {len(names) - 12} more" if len(names) > 12 else "")
