"""Sum rows into charges: one a window, owner, component and quality, without sorting them."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from aiobserve.domain.account import MEASURES
from aiobserve.domain.frames import CHARGES
from aiobserve.domain.window import WINDOW_S

Int64Array = npt.NDArray[np.int64]
# float64 holds every integer up to here, so sums below it are exact.
EXACT = 2**53
FEW = ("kind", "component", "pool_id", "energy_quality", "carbon_quality", "cost_quality")
KEYS = tuple(name for name in CHARGES.columns if name not in MEASURES)


def sum_by(place: Int64Array, values: Int64Array, size: int) -> Int64Array:
    """Return the sum of the values at each place, shape (size,), exactly."""
    if not values.size or max(int(values.max()), -int(values.min())) * len(values) < EXACT:
        return np.bincount(place, weights=values, minlength=size).astype(np.int64)
    sums = np.zeros(size, dtype=np.int64)
    np.add.at(sums, place, values)
    return sums


@dataclass(frozen=True)
class Rows:
    """Rows to be charged.

    Attributes:
        keys: the columns of `domain.frames.CHARGES` that are not measures, shape (n,) each.
        measures: some of `MEASURES`, shape (n,) each; those that are absent are zero.
    """

    keys: dict[str, npt.NDArray[np.integer]]
    measures: dict[str, Int64Array]


def summed(rows: Rows) -> Rows:
    """Return rows with one a combination of keys, by claimant and window; those of nothing but zeros are left out."""
    place, size, first = _places(rows.keys)
    sums = {name: sum_by(place, values, size) for name, values in rows.measures.items()}
    worth = np.zeros(size, dtype=bool)
    for values in sums.values():
        worth |= values != 0
    first = first[worth]
    return Rows(
        {name: values[first] for name, values in rows.keys.items()},
        {name: values[worth] for name, values in sums.items()},
    )


def joined(parts: Sequence[Rows]) -> pd.DataFrame:
    """Return the charges (`domain.frames.CHARGES`) of several blocks of devices, one row a combination of keys.

    A claimant that stands in one block alone is summed there already; only the others are summed again.
    """
    parts = [summed(one) for one in parts]
    several = _in_several([one.keys["claimant"].astype(np.int64, copy=False) for one in parts])
    alone, again = [], []
    for one, shared in zip(parts, several, strict=True):
        # Rows of nobody come first, so that they are told apart without copying.
        nobody = int(np.searchsorted(one.keys["claimant"], 0))
        again.append(_taken(one, slice(0, nobody)))
        if shared[nobody:].any():
            again.append(_taken(one, shared & (one.keys["claimant"] >= 0)))
            alone.append(_taken(one, ~shared))
        else:
            alone.append(_taken(one, slice(nobody, None)))
    return as_charges(_stacked([summed(_stacked(again)), *alone]))


def as_charges(rows: Rows) -> pd.DataFrame:
    """Return rows as charges (`domain.frames.CHARGES`)."""
    nothing = np.zeros(len(rows.keys["claimant"]), dtype=np.int64)
    measures = {name: rows.measures.get(name, nothing) for name in MEASURES}
    return pd.DataFrame({**rows.keys, **measures}, copy=False)


def _in_several(claimants: list[Int64Array]) -> list[npt.NDArray[np.bool_]]:
    """Return for each part whether the claimant of each row stands in more than one part, or is nobody."""
    seen = np.zeros(max((int(one.max(initial=-1)) for one in claimants), default=-1) + 1, dtype=np.int64)
    for one in claimants:
        here = np.zeros(len(seen), dtype=bool)
        here[one[one >= 0]] = True
        seen += here
    return [np.where(one < 0, True, seen[one] > 1) if seen.size else np.ones(len(one), bool) for one in claimants]


def _stacked(parts: Sequence[Rows]) -> Rows:
    """Put rows of several parts together; a measure that is nothing everywhere is left out."""
    counts = [len(one.keys["claimant"]) for one in parts]

    def measure(name: str) -> Int64Array:
        columns = [one.measures.get(name) for one in parts]
        return np.concatenate(
            [
                np.zeros(count, np.int64) if column is None else column
                for column, count in zip(columns, counts, strict=True)
            ]
        )

    present = [name for name in MEASURES if any(name in one.measures and one.measures[name].any() for one in parts)]
    keys = {
        name: np.concatenate([one.keys[name] for one in parts]).astype(CHARGES.columns[name].dtype, copy=False)
        for name in KEYS
    }
    return Rows(keys, {name: measure(name) for name in present})


def _taken(rows: Rows, chosen: npt.NDArray[np.bool_] | slice) -> Rows:
    return Rows(
        {name: values[chosen] for name, values in rows.keys.items()},
        {name: values[chosen] for name, values in rows.measures.items()},
    )


def _places(keys: dict[str, npt.NDArray[np.integer]]) -> tuple[Int64Array, int, Int64Array]:
    """Number the distinct combinations of keys: the place of each row, how many there are, and a row of each.

    A claimant is there for a run of windows, so that claimant and window together are numbered densely, and few
    combinations of the other keys occur: no sort is needed.
    """
    rows = len(keys["kind"])
    if not rows:
        return np.zeros(0, np.int64), 0, np.zeros(0, np.int64)
    start_s = keys["window_start_s"]
    window = (start_s - start_s.min()) // WINDOW_S
    owner = keys["claimant"] + 1
    first, last = np.full(owner.max() + 1, window.max()), np.zeros(owner.max() + 1, np.int64)
    np.minimum.at(first, owner, window)
    np.maximum.at(last, owner, window)
    length = np.maximum(last - first + 1, 0)
    place = (np.cumsum(length) - length - first)[owner] + window
    place, size = _refined(place, int(length.sum()), keys)
    occupied = np.zeros(size, dtype=bool)
    occupied[place] = True
    number = np.cumsum(occupied) - 1
    place = number[place]
    a_row = np.empty(int(number[-1]) + 1, dtype=np.int64)
    a_row[place] = np.arange(rows)
    return place, len(a_row), a_row


def _refined(place: Int64Array, size: int, keys: dict[str, npt.NDArray[np.integer]]) -> tuple[Int64Array, int]:
    """Tell rows of one claimant and window apart by the keys that take few values."""
    code = np.zeros(len(place), dtype=np.int64)
    for name in FEW:
        values = keys[name].astype(np.int64)
        least, most = int(values.min()), int(values.max())
        if most > least:
            code = code * (most - least + 1) + (values - least)
    if code.max() == 0:
        return place, size
    present = np.flatnonzero(np.bincount(code))
    number = np.zeros(int(present[-1]) + 1, dtype=np.int64)
    number[present] = np.arange(len(present))
    return place * len(present) + number[code], size * len(present)
