"""Energy of many devices in each segment, from their counters where they have one, and how far off it may be.

The fast way looks at every reading once (`scan`), in blocks that fit the cache, and reads the counter only at the edges;
resets and gaps are few and kept as a sparse list. A device whose readings need more care (no counter, missing or
disordered readings, impossible jumps) goes the plain way of `integrate`, one device at a time.
"""

from bisect import bisect_right
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from aiobserve.attribution.doubt import Doubt, mark
from aiobserve.attribution.error_band import SAMPLED_RATIO, SENSOR_RATIO
from aiobserve.attribution.integrate import Samples, energy_curve
from aiobserve.attribution.scan import Scanner, judge
from aiobserve.attribution.segments import Segments
from aiobserve.attribution.series import Near, Series
from aiobserve.domain.quality import Quality
from aiobserve.domain.units import MICROSECONDS_PER_SECOND

FloatArray = npt.NDArray[np.float64]
Int64Array = npt.NDArray[np.int64]
BoolArray = npt.NDArray[np.bool_]

# Readings that are looked at together: so many stay in a core's cache.
BLOCK = 49_152


@dataclass(frozen=True)
class Metered:
    """What the meters say of each segment, shape (s,) each.

    Attributes:
        energy_millij: whole millijoules; neighbouring segments sum to their union exactly.
        error_millij: how far off that may be, either way.
        known: False where the readings do not span the segment.
        quality: MEASURED, or ESTIMATED where a reset, a long gap or a replaced reading touches the segment.
    """

    energy_millij: Int64Array
    error_millij: Int64Array
    known: BoolArray
    quality: npt.NDArray[np.int8]


def meter(series: Series, segments: Segments, tdp_w: FloatArray) -> Metered:
    """Return the energy of every segment by the readings of its device.

    Args:
        series: readings of d devices.
        segments: of the same devices.
        tdp_w: rated power of each device, shape (d,).
    """
    devices = len(tdp_w)
    near = Near(segments.edge_s * MICROSECONDS_PER_SECOND)
    careful = np.diff(series.offset) == 1
    odd = judge(series, _look(series, segments, near, tdp_w), tdp_w, careful)
    cumulative, reached = _at_edges(series, near, odd.resets), near.known
    known = segments.between(reached[1:] & reached[:-1])
    # A device with missing readings goes the careful way; its not-a-number is not kept.
    drawn = segments.between(np.diff(cumulative))
    drawn[~known | np.isnan(drawn)] = 0.0
    energy = drawn.astype(np.int64)
    ratio = np.full(devices, SENSOR_RATIO)
    doubts = [
        Doubt.at(series, odd.resets, ~careful, bounded=False),
        Doubt.at(series, odd.gaps, ~careful, bounded=True),
    ]
    for device in np.flatnonzero(careful).tolist():
        here = slice(int(segments.offset[device]), int(segments.offset[device + 1]))
        seen = _carefully(series, device, near.edge_us[here], float(tdp_w[device]))
        between = slice(here.start - device, here.stop - device - 1)
        known[between] = seen.reached[1:] & seen.reached[:-1]
        energy[between] = np.where(known[between], np.diff(seen.cumulative), 0.0)
        ratio[device] = seen.ratio
        doubts.append(seen.doubt)
    off_by = ratio[segments.device] if careful.any() else SENSOR_RATIO
    error = np.rint(energy * off_by).astype(np.int64)
    quality = np.full(len(energy), Quality.MEASURED, dtype=np.int8)
    mark(Doubt.joined(doubts), segments, tdp_w, error, quality)
    return Metered(energy, error, known, quality)


def _look(series: Series, segments: Segments, near: Near, tdp_w: FloatArray) -> Int64Array:
    """Look at every reading once: fills `near`, and returns the readings that may end an odd interval."""
    bounds, edges = series.offset.tolist(), segments.offset.tolist()
    found = [np.zeros(0, np.int64)]
    scanner = Scanner(series, tdp_w)
    row = 0
    while row < len(bounds) - 1:
        # Small devices are looked at together, a large one by itself.
        stop = max(bisect_right(bounds, bounds[row] + BLOCK, row + 1) - 1, row + 1)
        found.append(scanner.suspects(row, stop))
        for here in range(row, stop):
            own = slice(edges[here], edges[here + 1])
            if bounds[here + 1] - bounds[here] > 1:
                near.fill(own, series, bounds[here], bounds[here + 1])
            else:
                # Keeps `left` ascending over devices, so that a restart's edges can be searched for.
                near.left[own] = bounds[here]
        row = stop
    return np.concatenate(found)


def _at_edges(series: Series, near: Near, resets: Int64Array) -> FloatArray:
    """Return what each device had counted at each edge, as if its counter had never restarted."""
    part = (near.edge_us - near.left_us) / np.maximum(near.right_us - near.left_us, 1)
    # Rounded within the interval and then added to whole millijoules, so that it does not matter where reading began.
    rise = near.after - near.before
    rise *= part
    rise += 0.5
    cumulative = np.floor(rise, out=rise)
    cumulative += near.before
    if not resets.size:
        return cumulative
    # Edges of the same device lie together: those in the interval of the restart, those after it, to the device's last.
    device_end = series.offset[np.searchsorted(series.offset, resets, side="right")]
    starts, afters, stops = np.searchsorted(near.left, [resets - 1, resets, device_end]).tolist()
    carried = series.energy_millij[resets - 1].tolist()
    for start, after, stop, lost in zip(starts, afters, stops, carried, strict=True):
        cumulative[after:stop] += lost
        if after > start:
            # Inside the interval the step is the new reading, not its difference from the old one.
            here = slice(start, after)
            whole, fall = near.after[here], near.after[here] - near.before[here]
            cumulative[here] += np.floor(part[here] * whole + 0.5) - np.floor(part[here] * fall + 0.5)
    return cumulative


@dataclass(frozen=True)
class _Careful:
    """What the careful way says of one device: energy up to each edge, whether it reaches there, and how well it is known."""

    cumulative: FloatArray
    reached: BoolArray
    ratio: float
    doubt: Doubt


def _carefully(series: Series, device: int, edge_us: Int64Array, tdp_w: float) -> _Careful:
    """Look at one device by its energy curve, its readings sorted and rid of doubled ones."""
    here = slice(int(series.offset[device]), int(series.offset[device + 1]))
    at_us, first = np.unique(series.at_us[here], return_index=True)
    power_w = np.full(len(at_us), np.nan) if series.power_w is None else series.power_w[here][first]
    samples = Samples(at_us / MICROSECONDS_PER_SECOND, series.energy_millij[here][first], power_w)
    curve = energy_curve(samples, tdp_w=tdp_w)
    curve_us = np.rint(curve.at_s * MICROSECONDS_PER_SECOND).astype(np.int64)
    near = Near(edge_us)
    if len(curve_us) > 1:
        whole = Series(np.array([0, len(curve_us)]), curve_us, curve.cumulative_millij)
        near.fill(slice(0, len(edge_us)), whole, 0, len(curve_us))
    ends = np.flatnonzero(curve.doubtful)
    step = np.diff(curve.cumulative_millij)[ends - 1] if ends.size else np.zeros(0)
    bound = np.where(curve.replaced[ends], np.inf, step)
    doubt = Doubt(np.full(len(ends), device), curve_us[ends - 1], curve_us[ends], bound)
    ratio = SENSOR_RATIO if curve.by_counter else SAMPLED_RATIO
    return _Careful(_at_edges(series, near, np.zeros(0, np.int64)), near.known, ratio, doubt)
