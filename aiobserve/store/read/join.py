"""Pieces of telemetry (a chunk's samples, a device's hot rows) put together device by device, in order of time. Pure.

Pieces that follow each other, as nearly all do, are copied at most once; only the samples of devices whose pieces
overlap or are out of order are sorted one by one.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

Int64Array = npt.NDArray[np.int64]
FloatArray = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Pieces:
    """Samples in pieces of one device each.

    Attributes:
        device: index of the device of each piece, shape (k,).
        priority: of two samples of a device at one instant the one of the lower priority number is kept, shape (k,).
        counts: samples of each piece, at least one, shape (k,).
        at_us: epoch microseconds, shape (n,).
        readings: by name, shape (n,).
    """

    device: Int64Array
    priority: Int64Array
    counts: Int64Array
    at_us: Int64Array
    readings: dict[str, FloatArray]


@dataclass(frozen=True)
class Joined:
    """Samples by device: those of device i are [offsets[i], offsets[i + 1])."""

    offsets: Int64Array
    at_us: Int64Array
    readings: dict[str, FloatArray]

    def take(self, index: Int64Array, per_device: Int64Array) -> "Joined":
        """Return the samples at these indices, so many a device."""
        return Joined(
            np.concatenate([[0], np.cumsum(per_device)]),
            self.at_us[index],
            {name: values[index] for name, values in self.readings.items()},
        )


def concatenated(parts: list[Pieces], columns: tuple[str, ...]) -> Pieces:
    """Return pieces on end."""
    return Pieces(
        _joint([part.device for part in parts], np.int64),
        _joint([part.priority for part in parts], np.int64),
        _joint([part.counts for part in parts], np.int64),
        _joint([part.at_us for part in parts], np.int64),
        {name: _joint([part.readings[name] for part in parts], np.float64) for name in columns},
    )


def joined(pieces: Pieces, devices: int) -> Joined:
    """Return the samples of each of so many devices in order of time, one an instant."""
    counts, device, priority = pieces.counts, pieces.device, pieces.priority
    found = Joined(np.zeros(1, np.int64), pieces.at_us, pieces.readings)
    starts = np.cumsum(counts) - counts
    order = np.lexsort((priority, pieces.at_us[starts], device))
    per_device = np.bincount(device, weights=counts, minlength=devices).astype(np.int64)
    if (np.diff(order) != 1).any():
        counts, priority = counts[order], priority[order]
        found = found.take(ranges(starts[order], counts), per_device)
    else:
        found = Joined(np.concatenate([[0], np.cumsum(per_device)]), found.at_us, found.readings)
    return _sorted(found, np.repeat(priority, counts) if _falls(found).size else priority)


def trimmed(whole: Joined, within_us: tuple[int, int], *, at_most_us: tuple[int, int]) -> Joined:
    """Cut to a span and, on either side, as far as the nearest sample in which each column has a reading.

    So what is known at the edges does not depend on how the samples around them happen to be stored.

    Args:
        within_us: start and end of the span, half-open.
        at_most_us: the wider span in which a nearest sample may lie.
    """
    start_us, end_us = within_us
    below = np.flatnonzero(whole.at_us < start_us)
    above = np.flatnonzero(whole.at_us >= end_us)
    devices = len(whole.offsets) - 1
    first = whole.offsets[:-1] + np.bincount(_owner(whole, below), minlength=devices)
    last = whole.offsets[1:] - np.bincount(_owner(whole, above), minlength=devices)
    keep_from, keep_to = first.copy(), last.copy()
    for values in whole.readings.values():
        read = below[~np.isnan(values[below]) & (whole.at_us[below] >= at_most_us[0])]
        nearest = np.full(devices, -1, dtype=np.int64)
        np.maximum.at(nearest, _owner(whole, read), read)
        keep_from = np.minimum(keep_from, np.where(nearest >= 0, nearest, first))
        read = above[~np.isnan(values[above]) & (whole.at_us[above] < at_most_us[1])]
        nearest = np.full(devices, len(whole.at_us), dtype=np.int64)
        np.minimum.at(nearest, _owner(whole, read), read)
        keep_to = np.maximum(keep_to, np.where(nearest < len(whole.at_us), nearest + 1, last))
    per_device = keep_to - keep_from
    if per_device.sum() == len(whole.at_us):
        return whole
    return whole.take(ranges(keep_from, per_device), per_device)


def ranges(starts: Int64Array, counts: Int64Array) -> Int64Array:
    """Return start, start + 1, ... of each range, on end."""
    ends = np.cumsum(counts)
    return np.arange(int(ends[-1]) if len(ends) else 0) + np.repeat(starts - (ends - counts), counts)


def _sorted(found: Joined, priority: Int64Array) -> Joined:
    """Sort the devices whose samples are out of order or doubled; `priority` is that of each sample then."""
    falls = _falls(found)
    if not falls.size:
        return found
    per_device = np.diff(found.offsets)
    wrong = np.unique(_owner(found, falls))
    here = ranges(found.offsets[wrong], per_device[wrong])
    device = np.repeat(wrong, per_device[wrong])
    order = np.lexsort((priority[here], found.at_us[here], device))
    device, at_us = device[order], found.at_us[here][order]
    kept = np.concatenate([[True], (device[1:] != device[:-1]) | (at_us[1:] != at_us[:-1])])
    index = np.arange(len(found.at_us))
    index[here] = np.where(kept, here[order], -1)
    per_device[wrong] = np.bincount(device[kept], minlength=len(per_device))[wrong]
    return found.take(index[index >= 0], per_device)


def _falls(found: Joined) -> Int64Array:
    """Return the indices of samples that are not later than the one before them of the same device."""
    falls = np.flatnonzero(found.at_us[1:] <= found.at_us[:-1]) + 1
    return falls[found.offsets[_owner(found, falls)] != falls]


def _owner(found: Joined, index: Int64Array) -> Int64Array:
    return np.searchsorted(found.offsets, index, side="right") - 1


def _joint(parts: list[Any], dtype: type) -> Any:
    return parts[0] if len(parts) == 1 else np.concatenate([np.zeros(0, dtype), *parts])
