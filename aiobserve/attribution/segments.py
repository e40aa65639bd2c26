"""Cut the time of every device where a window or somebody's hold on it begins or ends.

Within a segment nobody comes and nobody goes, so that reading the counter at its edges tells one job's energy from
the next one's, also inside a window.
"""

from dataclasses import dataclass
from typing import TypeVar

import numpy as np
import numpy.typing as npt

from aiobserve.domain.window import WINDOW_S

Int64Array = npt.NDArray[np.int64]
Scalar = TypeVar("Scalar", bound=np.generic)


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
class Segments:
    """Edges of d devices, one device after the other, and the spans between them.

    Attributes:
        offset: device i has the edges [offset[i], offset[i + 1]), shape (d + 1,), at least two each.
        edge_s: epoch seconds of the edges, shape (e,), ascending within a device.
        device, window, start_s, end_s: of each segment, shape (e - d,), in order of device and time.
        windows: number of windows.
    """

    offset: Int64Array
    edge_s: Int64Array
    device: Int64Array
    window: Int64Array
    start_s: Int64Array
    end_s: Int64Array
    windows: int

    @property
    def duration_s(self) -> Int64Array:
        """Return the length of each segment."""
        return self.end_s - self.start_s

    def between(self, at_edges: npt.NDArray[Scalar]) -> npt.NDArray[Scalar]:
        """Return the entries of an array over neighbouring edges (e - 1,) that lie within one device (e - d,)."""
        return np.delete(at_edges, self.offset[1:-1] - 1)

    def of_cell(self, table: npt.NDArray[Scalar]) -> npt.NDArray[Scalar]:
        """Return the entry of a table by device and window, shape (d, w), for each segment."""
        return table.ravel().take(self.device * self.windows + self.window)

    def touched(
        self, device: Int64Array, start: Int64Array, end: Int64Array, *, units_per_s: int = 1
    ) -> tuple[Int64Array, Int64Array, Int64Array]:
        """Return (row, segment, overlap) of every segment that each of some spans of devices touches.

        Args:
            device, start, end: shape (k,) each; times in units of which a second has `units_per_s`, as is the overlap.
        """
        first_s, last_s = int(self.edge_s[0]), int(self.edge_s[-1])
        length = last_s - first_s + 1
        # Segments begin and end at whole seconds.
        start_s, end_s = np.maximum(start // units_per_s, first_s), np.minimum(-(-end // units_per_s), last_s)
        rows = np.flatnonzero(end_s > start_s)
        if not rows.size:
            return rows, rows, rows
        keys = self.device * length + self.start_s - first_s
        before = device[rows] * length - first_s
        first = np.searchsorted(keys, before + start_s[rows], side="right") - 1
        pieces = np.searchsorted(keys, before + end_s[rows], side="left") - first
        row = np.repeat(rows, pieces)
        segment = np.arange(len(row)) + np.repeat(first - (np.cumsum(pieces) - pieces), pieces)
        overlap = np.minimum(self.end_s[segment] * units_per_s, end[row]) - np.maximum(
            self.start_s[segment] * units_per_s, start[row]
        )
        real = overlap > 0
        return row[real], segment[real], overlap[real]


def cut(reservations: Reservations, edge_s: Int64Array, devices: int) -> Segments:
    """Return the segments of all devices over consecutive windows.

    Args:
        edge_s: epoch seconds of the edges of consecutive windows, shape (w + 1,).
        devices: number of devices.
    """
    first_s, last_s = int(edge_s[0]), int(edge_s[-1])
    length = last_s - first_s + 1
    times = np.concatenate([reservations.start_s, reservations.end_s])
    inside = (times > first_s) & (times < last_s)
    # One number for device and time, so that one sort orders both.
    keys = np.sort((np.concatenate([reservations.device] * 2) * length + times - first_s)[inside])
    keys = keys[np.diff(keys, prepend=-1) > 0]
    device, at_s = keys // length, keys % length + first_s
    windows = len(edge_s) - 1
    after = np.searchsorted(edge_s, at_s)
    new = edge_s[after] != at_s
    device, at_s = device[new], at_s[new]
    before = device * (windows + 1) + after[new]
    edges = np.insert(np.tile(edge_s, devices), before, at_s)
    offset = np.arange(devices + 1) * (windows + 1) + np.r_[0, np.cumsum(np.bincount(device, minlength=devices))]
    last = offset[1:] - 1
    start_s, end_s = np.delete(edges, last), np.delete(edges, offset[:-1])
    of_device = np.repeat(np.arange(devices), np.diff(offset) - 1)
    return Segments(offset, edges, of_device, (start_s - first_s) // WINDOW_S, start_s, end_s, windows)
