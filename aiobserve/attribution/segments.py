"""Cut the time of every device where a window or somebody's hold on it begins or ends.

Within a segment nobody comes and nobody goes, so that reading the counter at its edges tells one job's energy from
the next one's, also inside a window.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

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

    def between(self, at_edges: npt.NDArray[np.generic]) -> npt.NDArray[np.generic]:
        """Return the entries of an array over neighbouring edges (e - 1,) that lie within one device (e - d,)."""
        return np.delete(at_edges, self.offset[1:-1] - 1)


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
    keys = np.unique((np.concatenate([reservations.device] * 2) * length + times - first_s)[inside])
    keys = keys[~np.isin(keys % length + first_s, edge_s)] if keys.size else keys
    device, at_s = keys // length, keys % length + first_s
    windows = len(edge_s) - 1
    before = device * (windows + 1) + np.searchsorted(edge_s, at_s, side="right")
    edges = np.insert(np.tile(edge_s, devices), before, at_s)
    offset = np.arange(devices + 1) * (windows + 1) + np.r_[0, np.cumsum(np.bincount(device, minlength=devices))]
    last = offset[1:] - 1
    start_s, end_s = np.delete(edges, last), np.delete(edges, offset[:-1])
    of_device = np.repeat(np.arange(devices), np.diff(offset) - 1)
    return Segments(offset, edges, of_device, (start_s - first_s) // WINDOW_S, start_s, end_s, windows)
