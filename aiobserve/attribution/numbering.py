"""Numbers rows by a combination of keys, without making a table of them."""

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
