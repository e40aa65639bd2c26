"""Who held how much of which device in each segment, in thousandths of a GPU times seconds."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from aiobserve.attribution.segments import Reservations, Segments
from aiobserve.attribution.split import split_groups

Int64Array = npt.NDArray[np.int64]
BoolArray = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class Holdings:
    """Time held in each segment, shape (n,) each.

    The first `alone` rows are segments that one claimant held; the rest are shared, sorted by segment and claimant.
    """

    segment: Int64Array
    claimant: Int64Array
    gpu_millis: Int64Array
    alone: int


def capacity_millis(
    segments: Segments, valid_from_s: Int64Array, valid_to_s: Int64Array, share_millis: Int64Array
) -> Int64Array:
    """Return the GPU time that each segment offers, shape (s,): nothing while its device is not there."""
    first_s, last_s = int(segments.edge_s[0]), int(segments.edge_s[-1])
    if (valid_from_s <= first_s).all() and (valid_to_s >= last_s).all():
        return segments.duration_s * share_millis[segments.device]
    start_s = np.maximum(segments.start_s, valid_from_s[segments.device])
    end_s = np.minimum(segments.end_s, valid_to_s[segments.device])
    return np.maximum(end_s - start_s, 0) * share_millis[segments.device]


def holdings(reservations: Reservations, segments: Segments, capacity: Int64Array) -> Holdings:
    """Return who held each segment; what a device did not offer cannot be held.

    Where a device is over-booked (time slices that sum to more than the device) the holdings are scaled down
    so that they sum to its capacity: four claims of a whole GPU on one GPU are a quarter each.
    """
    rows, start, stop = _reach(reservations, segments)
    claimant, share_millis = reservations.claimant[rows], reservations.share_millis[rows]
    # Coming adds, going takes away: so many hold each segment, and where that is one, it is the one whose number is left.
    holders, holder = (np.zeros(len(capacity) + 1, dtype=np.int64) for _ in range(2))
    for there, by in ((start, 1), (stop, -1)):
        np.add.at(holders, there, by)
        np.add.at(holder, there, by * np.arange(len(rows)))
    holders, holder = np.cumsum(holders)[:-1], np.cumsum(holder)[:-1]
    holders[capacity == 0] = 0
    alone = np.flatnonzero(holders == 1)
    holder = holder[alone]
    # More than the device offers is no more than the device.
    alone_millis = np.minimum(segments.duration_s[alone] * share_millis[holder], capacity[alone])
    shared, row = _spread(start, stop, holders > 1, np.argsort(claimant, kind="stable"))
    shared, sharer, gpu_millis = _merged(shared, claimant[row], segments.duration_s[shared] * share_millis[row])
    return Holdings(
        np.concatenate([alone, shared]),
        np.concatenate([claimant[holder], sharer]),
        np.concatenate([alone_millis, _scaled(shared, gpu_millis, capacity)]),
        len(alone),
    )


def _reach(reservations: Reservations, segments: Segments) -> tuple[Int64Array, Int64Array, Int64Array]:
    """Return the reservations that hold anything, and the segments [start, stop) that each of them covers."""
    first_s, last_s = int(segments.edge_s[0]), int(segments.edge_s[-1])
    start_s, end_s = np.maximum(reservations.start_s, first_s), np.minimum(reservations.end_s, last_s)
    rows = np.flatnonzero((end_s > start_s) & (reservations.share_millis > 0))
    device = reservations.device[rows]
    length = last_s - first_s + 1
    of_edge = np.repeat(np.arange(len(segments.offset) - 1) * length - first_s, np.diff(segments.offset))
    keys = np.add(of_edge, segments.edge_s, out=of_edge)
    before = device * length - first_s
    # Each device has one segment fewer than it has edges.
    start = np.searchsorted(keys, before + start_s[rows]) - device
    return rows, start, np.searchsorted(keys, before + end_s[rows]) - device


def _spread(start: Int64Array, stop: Int64Array, chosen: BoolArray, order: Int64Array) -> tuple[Int64Array, Int64Array]:
    """Return (segment, row) of every chosen segment that each row covers, by segment and then in the given order of rows."""
    segment = np.flatnonzero(chosen)
    place = np.concatenate([[0], np.cumsum(chosen)])
    first, last = place[start[order]], place[stop[order]]
    pieces = last - first
    # One number for segment and row, so that one sort orders both.
    numbers = max(len(order), 1)
    keys = np.arange(pieces.sum()) * numbers
    keys += np.repeat((first - (np.cumsum(pieces) - pieces)) * numbers + np.arange(len(order)), pieces)
    keys.sort()
    there = keys // numbers
    keys -= there * numbers
    return segment[there], order[keys]


def _merged(
    segment: Int64Array, claimant: Int64Array, gpu_millis: Int64Array
) -> tuple[Int64Array, Int64Array, Int64Array]:
    """Sum what one claimant held of one segment in several pieces; rows are sorted by segment and claimant."""
    another = (segment[1:] != segment[:-1]) | (claimant[1:] != claimant[:-1])
    if another.all():
        return segment, claimant, gpu_millis
    first = np.flatnonzero(np.concatenate([[True], another]))
    return segment[first], claimant[first], np.add.reduceat(gpu_millis, first)


def _scaled(segment: Int64Array, gpu_millis: Int64Array, capacity: Int64Array) -> Int64Array:
    if not segment.size:
        return gpu_millis
    start = np.flatnonzero(np.concatenate([[True], segment[1:] != segment[:-1]]))
    size = np.diff(start, append=len(segment))
    over = np.add.reduceat(gpu_millis, start) > capacity[segment[start]]
    if not over.any():
        return gpu_millis
    rows = np.flatnonzero(np.repeat(over, size))
    group = np.repeat(np.arange(over.sum()), size[over])
    scaled = gpu_millis.copy()
    scaled[rows] = split_groups(capacity[segment[start[over]]], group, gpu_millis[rows])
    return scaled
