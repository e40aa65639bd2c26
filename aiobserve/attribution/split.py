"""Split integers so that the parts sum to the whole, exactly: the largest-remainder method.

Source: the method of Hamilton, as used for the apportionment of seats: floor every quota, then give the
units that are left to the largest remainders; here ties go to the earlier part.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

Int64Array = npt.NDArray[np.int64]

# Float quotas are corrected by exact integer arithmetic modulo 2**64; that needs the quotient to be within a
# few units of the truth, which float64 gives up to here.
LARGEST = 2**52
# Sums of 64-bit integers from here on wrap around, without a word.
WRAPS = 2.0**63
# Groups of up to this many rows are ranked by comparing every pair, larger ones by sorting.
SMALL = 8


class CannotSplit(ValueError):
    """A total other than zero was to be split over weights that are all zero, or an amount is out of range."""


def split_exactly(total: int, weights: list[int]) -> list[int]:
    """Split one integer in proportion to non-negative integer weights; the parts sum to `total`."""
    parts = split_groups(
        np.array([total], dtype=np.int64),
        np.zeros(len(weights), dtype=np.int64),
        np.array(weights, dtype=np.int64),
    )
    return [int(part) for part in parts]


def split_groups(totals: Int64Array, group: Int64Array, weights: Int64Array) -> Int64Array:
    """Split many totals at once, each over the rows of its group.

    Args:
        totals: amount of each group, shape (g,); a negative amount is split like its magnitude.
        group: index into `totals` for each row, shape (n,), in ascending order.
        weights: weight of each row, shape (n,), not negative.

    Returns:
        The part of each row, shape (n,): within a group the parts sum to the group's total.

    Raises:
        CannotSplit: a group has a total but no weight, or a magnitude exceeds 2**52.
    """
    return Groups.of(group, len(totals)).split(totals, weights)


@dataclass(frozen=True)
class Groups:
    """Rows that belong together, so that several totals can be split over the same rows.

    Attributes:
        of_row: group of each row, shape (n,), ascending.
        size: number of rows of each group, shape (g,).
        start: first row of each group, shape (g,).
    """

    of_row: Int64Array
    size: Int64Array
    start: Int64Array

    @classmethod
    def of(cls, group: Int64Array, groups: int) -> "Groups":
        """Return the groups of rows that are sorted by group."""
        size = np.bincount(group, minlength=groups).astype(np.int64)
        return cls(group, size, np.cumsum(size) - size)

    def sum(self, values: npt.NDArray[Any]) -> npt.NDArray[Any]:
        """Return the sum of each group, shape (g,), of the type of the values."""
        sums = np.zeros(len(self.size), dtype=values.dtype)
        some = np.flatnonzero(self.size)
        if some.size:
            sums[some] = np.add.reduceat(values, self.start[some])
        return sums

    def split(self, totals: Int64Array, weights: Int64Array) -> Int64Array:
        """Split each group's total over its rows; see `split_groups`."""
        weight_of_group = sums_of_weights(self.sum, weights)
        magnitude = np.abs(totals)
        check(magnitude, weight_of_group, weights)
        if not magnitude.any():
            return np.zeros(len(weights), dtype=np.int64)
        divisor = np.maximum(weight_of_group, 1)[self.of_row]
        floor, remainder = divide(magnitude[self.of_row], weights, divisor)
        left = magnitude - self.sum(floor)
        parts = floor + self._largest_remainders(remainder, left)
        return np.where(totals[self.of_row] < 0, -parts, parts) if (totals < 0).any() else parts

    def _largest_remainders(self, remainder: Int64Array, left: Int64Array) -> Int64Array:
        """Return 1 for each row that gets one of the `left` units of its group, else 0.

        Remainders of one group have the same divisor, so they are compared as the integers they are.
        """
        extra = np.zeros(len(remainder), dtype=np.int64)
        open_groups = np.flatnonzero(left > 0)
        sizes = self.size[open_groups]
        for size in range(1, SMALL + 1):
            chosen = open_groups[sizes == size]
            if chosen.size:
                rows = self.start[chosen][:, None] + np.arange(size)
                extra[rows] = _rank(remainder[rows]) < left[chosen][:, None]
        large = open_groups[sizes > SMALL]
        if large.size:
            rows = np.flatnonzero(np.isin(self.of_row, large))
            order = rows[np.lexsort((rows, -remainder[rows], self.of_row[rows]))]
            ordered = self.of_row[order]
            rank = np.arange(len(order)) - np.searchsorted(ordered, ordered, side="left")
            extra[order[rank < left[ordered]]] = 1
        return extra


def _rank(remainder: Int64Array) -> Int64Array:
    """Return the place of each remainder in its row of a matrix, 0 for the largest; ties by position."""
    rank = np.zeros(remainder.shape, dtype=np.int64)
    for one in range(remainder.shape[1]):
        for other in range(one):
            first = remainder[:, other] >= remainder[:, one]
            rank[:, one] += first
            rank[:, other] += ~first
    return rank


def divide(total: Int64Array, weights: Int64Array, divisor: Int64Array) -> tuple[Int64Array, Int64Array]:
    """Return floor(total * weights / divisor) and the remainder, though the product may not fit in 64 bits.

    The arrays are broadcast against each other; a divisor is at least 1 and the total at most 2**52.
    """
    quotient = (total.astype(np.float64) * (weights / divisor)).astype(np.int64)
    # Wraps around modulo 2**64 on both sides, so the difference is exact: it is a few divisors at most.
    remainder = total * weights
    remainder -= quotient * divisor
    # Read as unsigned, a negative remainder is too large as well.
    wrong = remainder.view(np.uint64) >= divisor.view(np.uint64)
    if wrong.any():
        by = np.broadcast_to(divisor, remainder.shape)[wrong]
        correction = remainder[wrong] // by
        quotient[wrong] += correction
        remainder[wrong] -= correction * by
    return quotient, remainder


def sums_of_weights(sum_of: Callable[[npt.NDArray[Any]], npt.NDArray[Any]], weights: Int64Array) -> Int64Array:
    """Return the sum of the weights of each group, where integers could wrap around after a look at it in float64.

    Args:
        sum_of: sums an array like the weights by group, in the array's own type.

    Raises:
        CannotSplit: a sum exceeds 2**52 by so much that it may not fit in 64 bits.
    """
    if weights.size and float(weights.max()) * weights.size >= WRAPS:
        about = float(sum_of(weights.astype(np.float64)).max())
        # Far from both bounds the float is right about either; below this the integer sum is exact, and checked.
        if about > 2.0 * LARGEST:
            raise CannotSplit(f"sum of weights {about:.0f} exceeds 2**52; split over shorter windows or fewer devices")
    return sum_of(weights)


def check(magnitude: Int64Array, weight_of_group: Int64Array, weights: Int64Array) -> None:
    """Refuse what cannot be split.

    Args:
        magnitude: amounts of the groups, shape (..., g), not negative.
        weight_of_group: shape (g,).
        weights: of every row.

    Raises:
        CannotSplit: see `split_groups`.
    """
    if weights.size and weights.min() < 0:
        raise CannotSplit(f"a weight of {weights.min()} was given; weights may not be negative")
    for name, values in (("amount", magnitude), ("sum of weights", weight_of_group)):
        if values.size and values.max() > LARGEST:
            raise CannotSplit(f"{name} {values.max()} exceeds 2**52; split over shorter windows or fewer devices")
    if weight_of_group.size and weight_of_group.min() > 0:
        return
    stranded = np.argwhere((magnitude > 0) & (weight_of_group == 0))
    if stranded.size:
        amount, group = magnitude[tuple(stranded[0])], stranded[0][-1]
        raise CannotSplit(f"an amount of {amount} has no weight to be split by (group {group})")
