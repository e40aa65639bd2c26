"""Split many totals over rows that lie side by side: groups of one size form a matrix, a row of it for each place.

The same largest-remainder method as `split`, and the same result; laid out so, a whole column of groups is worked on
at once and several totals that go by the same weights share the work.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from aiobserve.attribution.split import check, divide, sums_of_weights

FloatArray = npt.NDArray[np.float64]
Int64Array = npt.NDArray[np.int64]

# Groups of up to this many rows are ranked by comparing every pair, larger ones by sorting.
SMALL = 8


@dataclass(frozen=True)
class Batch:
    """Groups of `size` rows each, as many as there are in `segment`.

    Attributes:
        segment: what each group splits, shape (g,).
        size: rows of a group.
        start: the first row of the batch; the first rows of all groups come first, then the second ones, and so on.
    """

    segment: Int64Array
    size: int
    start: int

    @property
    def rows(self) -> slice:
        """Return the rows of the batch."""
        return slice(self.start, self.start + self.size * len(self.segment))

    def matrix(self, values: Int64Array) -> Int64Array:
        """Return the batch's part of an array over all rows as a matrix, shape (size, g)."""
        return values[self.rows].reshape(self.size, len(self.segment))


def split_columns(totals: Int64Array, weights: Int64Array) -> Int64Array:
    """Split totals over the columns of a matrix of weights.

    Args:
        totals: shape (m, g); a negative amount is split like its magnitude.
        weights: shape (k, g), not negative; the same for each of the m.

    Returns:
        The parts, shape (m, k, g): over k they sum to the totals; ties go to the first.

    Raises:
        CannotSplit: a column has a total but no weight, or a magnitude exceeds 2**52.
    """
    divisor = sums_of_weights(np.add.reduce, weights)
    negative = totals < 0
    signed = bool(negative.any())
    magnitude = np.abs(totals) if signed else totals
    check(magnitude, divisor, weights)
    np.maximum(divisor, 1, out=divisor)
    parts, remainder = divide(magnitude[:, None], weights, divisor)
    left = magnitude - np.add.reduce(parts, axis=1)
    if left.any():
        _give(left, parts, remainder)
    return np.where(negative[:, None], -parts, parts) if signed else parts


def _give(left: Int64Array, parts: Int64Array, remainder: Int64Array) -> None:
    """Add one to the parts of the largest remainders, as many as are left; remainders of a column are of one divisor."""
    size = parts.shape[1]
    if size > SMALL:
        order = np.argsort(-remainder, axis=1, kind="stable")
        places = np.empty_like(order)
        np.put_along_axis(places, order, np.arange(size)[None, :, None], axis=1)
        parts += places < left[:, None]
        return
    # The place of each remainder, 0 for the largest: how many before it are no smaller, and after it are larger.
    rank = [np.full(left.shape, size - 1 - row, dtype=np.int8) for row in range(size)]
    for one in range(size):
        for other in range(one):
            first = (remainder[:, other] >= remainder[:, one]).view(np.int8)
            rank[one] += first
            rank[other] -= first
    few = left.astype(np.int8)
    for row in range(size):
        parts[:, row] += rank[row] < few
