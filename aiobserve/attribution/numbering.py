"""Numbers rows by a combination of keys, and joins on such, without making tables."""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

Int64Array = npt.NDArray[np.int64]


def numbered(keys: Sequence[npt.NDArray[np.number]]) -> tuple[Int64Array, Int64Array]:
    """Return the number of each row's combination of keys in ascending order, and the first row of each combination.

    Args:
        keys: at least one, shape (n,) each; in floats, missing values are equal to each other and come last.

    Returns:
        number, shape (n,); first, shape (m,): the m combinations in order.
    """
    filled = [np.where(np.isnan(key), np.inf, key) if key.dtype.kind == "f" else key for key in keys]
    order = np.lexsort(filled[::-1])
    fresh = np.zeros(len(order), dtype=bool)
    fresh[:1] = True
    for key in filled:
        ordered = key[order]
        fresh[1:] |= ordered[1:] != ordered[:-1]
    number = np.empty(len(order), dtype=np.int64)
    number[order] = np.cumsum(fresh) - 1
    return number, order[fresh]


def matched(left: Sequence[Int64Array], right: Sequence[Int64Array]) -> tuple[Int64Array, Int64Array]:
    """Return the left join of rows on their keys: rows of the left in order, and beside each its match or -1.

    Args:
        left, right: the same keys, shape (n,) and (m,) each.

    Returns:
        row of the left, ascending, and row of the right, ascending among those of one left row; shape (k,), k >= n.
    """
    count = len(left[0])
    number, first = numbered([np.concatenate(pair) for pair in zip(left, right, strict=True)])
    wanted, having = number[:count], number[count:]
    order = np.argsort(having, kind="stable")
    size = np.bincount(having, minlength=len(first))
    begin, found = (np.cumsum(size) - size)[wanted], size[wanted]
    rows = np.maximum(found, 1)
    row = np.repeat(np.arange(count), rows)
    nth = np.arange(len(row)) - np.repeat(np.cumsum(rows) - rows, rows)
    match = np.full(len(row), -1, dtype=np.int64)
    known = (found > 0)[row]
    match[known] = order[(begin[row] + nth)[known]]
    return row, match
