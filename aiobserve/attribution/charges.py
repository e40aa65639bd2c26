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
FEW = ("kind", "component", "pool_id", "energy_quality", "carbon_quality", "cost_quality")
# Values of a key that lie further apart are numbered first.
MANY = 64
KEYS = tuple(name for name in CHARGES.columns if name not in MEASURES)


def sum_by(place: Int64Array, values: Int64Array, size: int) -> Int64Array:
    """Return the sum of the values at each place, shape (size,), exactly."""
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
    place, first = _places(rows.keys)
    # Few rows share their keys with another: those are added to the one that is taken.
    again = np.flatnonzero(first[place] != np.arange(len(place)))
    more = place[again]
    sums = {}
    for name, values in rows.measures.items():
        sums[name] = values.take(first)
        np.add.at(sums[name], more, values[again])
    return worth({name: values.take(first) for name, values in rows.keys.items()}, sums)


def worth(keys: dict[str, npt.NDArray[np.integer]], measures: dict[str, Int64Array]) -> Rows:
    """Return the rows that are not of nothing but zeros."""
    some = np.zeros(len(keys["kind"]), dtype=bool)
    for values in measures.values():
        some |= values != 0
    rows = Rows(keys, measures)
    return rows if some.all() else _taken(rows, some)


def joined(parts: Sequence[Rows], others: Sequence[Rows]) -> pd.DataFrame:
    """Return the charges (`domain.frames.CHARGES`) of several blocks of devices and of others, a row for each combination of keys.

    A claimant that stands in one block alone is summed there already; only the rest are summed again.

    Args:
        parts: rows of each block, `summed`.
        others: rows whose keys occur once, and in no block.
    """
    whole = _across(parts) if len(parts) > 1 else parts
    return as_charges(_stacked([*whole, *(worth(one.keys, one.measures) for one in others)]))


def as_charges(rows: Rows) -> pd.DataFrame:
    """Return rows as charges (`domain.frames.CHARGES`)."""
    nothing = np.zeros(len(rows.keys["kind"]), dtype=np.int64)
    measures = {name: rows.measures.get(name, nothing) for name in MEASURES}
    return pd.DataFrame({**rows.keys, **measures}, copy=False)


def _across(parts: Sequence[Rows]) -> list[Rows]:
    """Sum rows of nobody, and of claimants that stand in several parts, over all of them."""
    several = _in_several([one.keys["claimant"].astype(np.int64, copy=False) for one in parts])
    alone: list[Rows] = []
    again: list[Rows] = []
    for one, shared in zip(parts, several, strict=True):
        # Rows of nobody come first, so that they are told apart without copying.
        nobody = int(np.searchsorted(one.keys["claimant"], 0))
        again.append(_taken(one, slice(0, nobody)))
        if shared[nobody:].any():
            again.append(_taken(one, shared & (one.keys["claimant"] >= 0)))
            alone.append(_taken(one, ~shared))
        else:
            alone.append(_taken(one, slice(nobody, None)))
    return [summed(_stacked(again)), *alone]


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


def _places(keys: dict[str, npt.NDArray[np.integer]]) -> tuple[Int64Array, Int64Array]:
    """Number the distinct combinations of keys, by claimant: the place of each row, and a row of each place.

    A claimant is there for a run of windows, and few combinations of the other keys occur. So whoever a claimant is in
    one of these takes a run of places, one a window, and no sort is needed.
    """
    rows = len(keys["kind"])
    if not rows:
        return np.zeros(0, np.int64), np.zeros(0, np.int64)
    claimant = keys["claimant"].astype(np.int64, copy=False)
    # Read as unsigned, nobody is the largest number.
    least = int(claimant.view(np.uint64).min())
    owner = np.maximum(claimant - (least - 1), 0) if least <= claimant.max() else np.zeros(rows, np.int64)
    code, codes = _few(keys)
    owner *= codes
    owner += code
    start_s = keys["window_start_s"]
    place = (start_s - start_s.min()) // WINDOW_S
    first, last = np.full(owner.max() + 1, rows), np.full(owner.max() + 1, -1)
    np.minimum.at(first, owner, place)
    np.maximum.at(last, owner, place)
    length = np.where(last < 0, 0, last - first + 1)
    place += (np.cumsum(length) - length - first)[owner]
    occupied = np.zeros(int(length.sum()), dtype=bool)
    occupied[place] = True
    place = (np.cumsum(occupied) - 1)[place]
    a_row = np.empty(int(np.count_nonzero(occupied)), dtype=np.int64)
    a_row[place] = np.arange(rows)
    return place, a_row


def _few(keys: dict[str, npt.NDArray[np.integer]]) -> tuple[Int64Array, int]:
    """Number the combinations that occur of the keys that take few values, in their order; also how many these are."""
    told = [keys["kind"]]
    code = told[0].astype(np.int64)
    for name in FEW[1:]:
        values = keys[name]
        least, most = int(values.min()), int(values.max())
        if most - least > MANY:
            # Ids of a database may be far apart.
            values = np.unique(values, return_inverse=True)[1].astype(np.int64)
            least, most = 0, int(values.max())
        # One quality is most often that of another, too.
        if most > least and not any(np.array_equal(values, other) for other in told):
            told.append(values)
            code *= most - least + 1
            code += values
            code -= least
    present = np.bincount(code) > 0
    codes = np.cumsum(present) - 1
    return codes[code], int(codes[-1]) + 1
