"""Who held how much of which device in each segment, in thousandths of a GPU times seconds."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from aiobserve.attribution.segments import Reservations, Segments
from aiobserve.attribution.split import split_groups

Int64Array = npt.NDArray[np.int64]


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
    start_s = np.maximum(segments.start_s, valid_from_s[segments.device])
    end_s = np.minimum(segments.end_s, valid_to_s[segments.device])
    return np.maximum(end_s - start_s, 0) * share_millis[segments.device]


def holdings(reservations: Reservations, segments: Segments, capacity: Int64Array) -> Holdings:
    """Return who held each segment; what a device did not offer cannot be held.

    Where a device is over-booked (time slices that sum to more than the device) the holdings are scaled down
    so that they sum to its capacity: four claims of a whole GPU on one GPU are a quarter each.
    """
    row, segment = spread(reservations, segments)
    gpu_millis = segments.duration_s[segment] * reservations.share_millis[row]
    worth = (gpu_millis > 0) & (capacity[segment] > 0)
    if not worth.all():
        row, segment, gpu_millis = row[worth], segment[worth], gpu_millis[worth]
    claimant = reservations.claimant[row]
    single = np.bincount(segment, minlength=len(capacity))[segment] == 1
    several = ~single
    shared = _merge(segment[several], claimant[several], gpu_millis[several])
    alone = segment[single]
    # More than the device offers is no more than the device.
    alone_millis = np.minimum(gpu_millis[single], capacity[alone])
    return Holdings(
        np.concatenate([alone, shared[0]]),
        np.concatenate([claimant[single], shared[1]]),
        np.concatenate([alone_millis, _scaled(shared[0], shared[2], capacity)]),
        len(alone),
    )


def spread(reservations: Reservations, segments: Segments) -> tuple[Int64Array, Int64Array]:
    """Return (row, segment) for every segment that each reservation covers, in order of the reservations."""
    first_s, last_s = int(segments.edge_s[0]), int(segments.edge_s[-1])
    length = last_s - first_s + 1
    rows = np.flatnonzero((reservations.end_s > first_s) & (reservations.start_s < last_s))
    device = reservations.device[rows]
    of_edge = np.repeat(np.arange(len(segments.offset) - 1), np.diff(segments.offset))
    keys = of_edge * length + segments.edge_s - first_s
    start = np.searchsorted(keys, device * length + np.maximum(reservations.start_s[rows], first_s) - first_s)
    end = np.searchsorted(keys, device * length + np.minimum(reservations.end_s[rows], last_s) - first_s)
    pieces = np.maximum(end - start, 0)
    # Each device has one segment fewer than it has edges.
    first = start - device - (np.cumsum(pieces) - pieces)
    return np.repeat(rows, pieces), np.arange(pieces.sum()) + np.repeat(first, pieces)


def _merge(
    segment: Int64Array, claimant: Int64Array, gpu_millis: Int64Array
) -> tuple[Int64Array, Int64Array, Int64Array]:
    """Sort by segment and claimant, and sum what one claimant held of one segment in several pieces."""
    if not segment.size:
        return segment, claimant, gpu_millis
    key = segment * (claimant.max() + 1) + claimant
    order = np.argsort(key)
    key, gpu_millis = key[order], gpu_millis[order]
    first = np.flatnonzero(np.r_[True, key[1:] != key[:-1]])
    return segment[order[first]], claimant[order[first]], np.add.reduceat(gpu_millis, first)


def _scaled(segment: Int64Array, gpu_millis: Int64Array, capacity: Int64Array) -> Int64Array:
    if not segment.size:
        return gpu_millis
    start = np.flatnonzero(np.r_[True, segment[1:] != segment[:-1]])
    size = np.diff(np.r_[start, len(segment)])
    over = np.add.reduceat(gpu_millis, start) > capacity[segment[start]]
    if not over.any():
        return gpu_millis
    rows = np.flatnonzero(np.repeat(over, size))
    group = np.repeat(np.arange(over.sum()), size[over])
    scaled = gpu_millis.copy()
    scaled[rows] = split_groups(capacity[segment[start[over]]], group, gpu_millis[rows])
    return scaled
