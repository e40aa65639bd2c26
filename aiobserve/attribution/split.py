"""Split integers so that the parts sum to the whole, exactly: the largest-remainder method.

Source: the method of Hamilton, as used for the apportionment of seats: floor every quota, then give the
units that are left to the largest remainders; here ties go to the earlier part.
"""

import numpy as np
import numpy.typing as npt

Int64Array = npt.NDArray[np.int64]

# Float quotas are corrected by exact integer arithmetic modulo 2**64; that needs the quotient to be within a
# few units of the truth, which float64 gives up to here.
LARGEST = 2**52


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
    if weights.size and weights.min() < 0:
        raise CannotSplit(f"a weight of {weights.min()} was given; weights may not be negative")
    weight_of_group = _sum_by_group(weights, group, len(totals))
    magnitude = np.abs(totals)
    _check(magnitude, weight_of_group)
    if not weights.size:
        return np.zeros(0, dtype=np.int64)

    divisor = np.maximum(weight_of_group, 1)[group]
    total = magnitude[group]
    floor, remainder = _divide(total, weights, divisor)
    left = magnitude - _sum_by_group(floor, group, len(totals))
    parts = floor + _largest_remainders(remainder, divisor, group, left)
    return np.where(totals[group] < 0, -parts, parts)


def _divide(total: Int64Array, weights: Int64Array, divisor: Int64Array) -> tuple[Int64Array, Int64Array]:
    """Return floor(total * weights / divisor) and the remainder, though the product may not fit in 64 bits."""
    quotient = np.floor(total.astype(np.float64) * weights / divisor).astype(np.int64)
    with np.errstate(over="ignore"):
        # Wraps around modulo 2**64 on both sides, so the difference is exact: it is a few divisors at most.
        remainder = total * weights - quotient * divisor
    correction = remainder // divisor
    return quotient + correction, remainder - correction * divisor


def _largest_remainders(remainder: Int64Array, divisor: Int64Array, group: Int64Array, left: Int64Array) -> Int64Array:
    """Return 1 for each row that gets one of the `left` units of its group, else 0."""
    extra = np.zeros(len(group), dtype=np.int64)
    rows = np.flatnonzero(left[group] > 0)
    if not rows.size:
        return extra
    fraction = remainder[rows] / divisor[rows]
    order = rows[np.lexsort((rows, -fraction, group[rows]))]
    ordered_group = group[order]
    first = np.r_[True, ordered_group[1:] != ordered_group[:-1]]
    start = np.flatnonzero(first)
    rank = np.arange(len(order)) - np.repeat(start, np.diff(np.r_[start, len(order)]))
    extra[order[rank < left[ordered_group]]] = 1
    return extra


def _sum_by_group(values: Int64Array, group: Int64Array, groups: int) -> Int64Array:
    sums = np.zeros(groups, dtype=np.int64)
    np.add.at(sums, group, values)
    return sums


def _check(magnitude: Int64Array, weight_of_group: Int64Array) -> None:
    for name, values in (("amount", magnitude), ("sum of weights", weight_of_group)):
        if values.size and values.max() > LARGEST:
            raise CannotSplit(f"{name} {values.max()} exceeds 2**52; split over shorter windows or fewer devices")
    stranded = np.flatnonzero((magnitude > 0) & (weight_of_group == 0))
    if stranded.size:
        raise CannotSplit(f"an amount of {magnitude[stranded[0]]} has no weight to be split by (group {stranded[0]})")
