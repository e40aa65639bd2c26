"""Who held how much of which device in each window, in thousandths of a GPU times seconds."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from aiobserve.attribution.split import split_groups
from aiobserve.domain.window import WINDOW_S

Int64Array = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Reservations:
    """What each claimant held of each device, shape (n,) each.

    Attributes:
        device: index of the device.
        claimant: index of the claimant (a job under one mapping to team and project).
        start_s, end_s: epoch seconds, half-open.
        share_millis: thousandths of one GPU.
    """

    device: Int64Array
    claimant: Int64Array
    start_s: Int64Array
    end_s: Int64Array
    share_millis: Int64Array


@dataclass(frozen=True)
class Holdings:
    """GPU time held in each cell (device x window), sorted by cell, shape (n,) each."""

    cell: Int64Array
    claimant: Int64Array
    gpu_millis: Int64Array


def capacity_millis(
    valid_from_s: Int64Array, valid_to_s: Int64Array, share_millis: Int64Array, edge_s: Int64Array
) -> Int64Array:
    """Return the GPU time that each device offers in each window, flattened to shape (devices * windows,)."""
    overlap_s = np.minimum(valid_to_s[:, None], edge_s[None, 1:]) - np.maximum(valid_from_s[:, None], edge_s[None, :-1])
    return (np.maximum(overlap_s, 0) * share_millis[:, None]).ravel()


def holdings(reservations: Reservations, edge_s: Int64Array, capacity: Int64Array) -> Holdings:
    """Cut reservations at window edges and sum them by cell and claimant.

    Where a device is over-booked (time slices that sum to more than the device) the holdings are scaled down
    so that they sum to its capacity: four claims of a whole GPU on one GPU are a quarter each.
    """
    cell, claimant, gpu_millis = _cut_at_windows(reservations, edge_s)
    cell, claimant, gpu_millis = _merge(cell, claimant, gpu_millis)
    held = np.zeros(len(capacity), dtype=np.int64)
    np.add.at(held, cell, gpu_millis)
    over = (held > capacity)[cell]
    if over.any():
        over_cells, group = np.unique(cell[over], return_inverse=True)
        gpu_millis = gpu_millis.copy()
        gpu_millis[over] = split_groups(capacity[over_cells], group.astype(np.int64), gpu_millis[over])
    return Holdings(cell, claimant, gpu_millis)


def _cut_at_windows(reservations: Reservations, edge_s: Int64Array) -> tuple[Int64Array, Int64Array, Int64Array]:
    windows = len(edge_s) - 1
    start_s = np.maximum(reservations.start_s, edge_s[0])
    end_s = np.minimum(reservations.end_s, edge_s[-1])
    rows = np.flatnonzero(end_s > start_s)
    start_s, end_s = start_s[rows], end_s[rows]
    first = (start_s - edge_s[0]) // WINDOW_S
    last = (end_s - 1 - edge_s[0]) // WINDOW_S
    pieces = last - first + 1
    row = np.repeat(np.arange(len(rows)), pieces)
    offset = np.arange(pieces.sum()) - np.repeat(np.cumsum(pieces) - pieces, pieces)
    window = first[row] + offset
    overlap_s = np.minimum(end_s[row], edge_s[window + 1]) - np.maximum(start_s[row], edge_s[window])
    source = rows[row]
    cell = reservations.device[source] * windows + window
    return cell, reservations.claimant[source], overlap_s * reservations.share_millis[source]


def _merge(cell: Int64Array, claimant: Int64Array, gpu_millis: Int64Array) -> tuple[Int64Array, Int64Array, Int64Array]:
    order = np.lexsort((claimant, cell))
    cell, claimant, gpu_millis = cell[order], claimant[order], gpu_millis[order]
    if not cell.size:
        return cell, claimant, gpu_millis
    first = np.flatnonzero(np.r_[True, (cell[1:] != cell[:-1]) | (claimant[1:] != claimant[:-1])])
    return cell[first], claimant[first], np.add.reduceat(gpu_millis, first)
