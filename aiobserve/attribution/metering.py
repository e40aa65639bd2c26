"""Energy of many devices in each segment, from their counters where they have one, and how far off it may be.

The fast way looks at every sample once, in blocks that fit the cache, and reads the counter only at the edges;
resets and gaps are few and kept as a sparse list. A device whose samples need more care (no counter, missing or
disordered readings, impossible jumps) goes the plain way of `integrate`, one device at a time.
"""

from bisect import bisect_right
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from aiobserve.attribution.error_band import SAMPLED_RATIO, SENSOR_RATIO
from aiobserve.attribution.integrate import MAX_GAP_S, POWER_ENVELOPE, Samples, energy_curve
from aiobserve.attribution.segments import Segments
from aiobserve.attribution.series import Near, Series
from aiobserve.domain.quality import Quality
from aiobserve.domain.units import MICROSECONDS_PER_SECOND, MILLIJ_PER_J

FloatArray = npt.NDArray[np.float64]
Int64Array = npt.NDArray[np.int64]
BoolArray = npt.NDArray[np.bool_]

# Readings that are looked at together, and edges: so many numbers stay in a core's cache.
BLOCK = 49_152
EDGES = 32_768
LIMIT_MILLIJ_PER_W_US = POWER_ENVELOPE * MILLIJ_PER_J / MICROSECONDS_PER_SECOND
MAX_GAP_US = int(MAX_GAP_S * MICROSECONDS_PER_SECOND)


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


@dataclass(frozen=True)
class _Doubt:
    """Intervals between two readings whose energy is not known well; shape (k,) each.

    `bound_millij` is the most by which the energy of a part of the interval can be off.
    """

    device: Int64Array
    start_us: Int64Array
    end_us: Int64Array
    bound_millij: FloatArray


def meter(series: Series, segments: Segments, tdp_w: FloatArray) -> Metered:
    """Return the energy of every segment by the readings of its device.

    Args:
        series: readings of d devices.
        segments: of the same devices.
        tdp_w: rated power of each device, shape (d,).
    """
    devices = len(tdp_w)
    cumulative = np.zeros(len(segments.edge_s))
    reached = np.zeros(len(segments.edge_s), dtype=bool)
    careful = np.zeros(devices, dtype=bool)
    resets: list[Int64Array] = []
    gaps: list[Int64Array] = []
    first = 0
    while first < devices:
        # So many devices at a time that their edges stay in the cache.
        stop = max(int(np.searchsorted(segments.offset, segments.offset[first] + EDGES, side="right")) - 1, first + 1)
        edges = slice(int(segments.offset[first]), int(segments.offset[stop]))
        near = Near(segments.edge_s[edges] * MICROSECONDS_PER_SECOND)
        found = _look(series, segments, slice(first, stop), near, tdp_w, careful)
        resets.append(found.resets)
        gaps.append(found.gaps)
        cumulative[edges] = _at_edges(series, near, found.resets)
        reached[edges] = near.known
        first = stop
    known = segments.between(reached[1:] & reached[:-1]).astype(bool)
    # A device with missing readings goes the careful way; its not-a-number is not kept.
    energy = np.where(known, np.nan_to_num(segments.between(np.diff(cumulative))), 0.0).astype(np.int64)
    ratio = np.full(devices, SENSOR_RATIO)
    doubts = [_doubts(series, resets, ~careful, bounded=False), _doubts(series, gaps, ~careful, bounded=True)]
    for device in np.flatnonzero(careful).tolist():
        here = slice(int(segments.offset[device]), int(segments.offset[device + 1]))
        seen = _carefully(series, device, segments.edge_s[here] * MICROSECONDS_PER_SECOND, float(tdp_w[device]))
        between = slice(here.start - device, here.stop - device - 1)
        known[between] = seen.reached[1:] & seen.reached[:-1]
        energy[between] = np.where(known[between], np.diff(seen.cumulative), 0.0)
        ratio[device] = seen.ratio
        doubts.append(seen.doubt)
    error = np.rint(energy * ratio[segments.device]).astype(np.int64)
    quality = np.full(len(energy), Quality.MEASURED, dtype=np.int8)
    for doubt in doubts:
        if doubt.device.size:
            _mark(doubt, segments, tdp_w, error, quality)
    return Metered(energy, error, known, quality)


@dataclass(frozen=True)
class _Looked:
    """The readings before which the counter restarted, and those that follow a long gap, by their place in the series."""

    resets: Int64Array
    gaps: Int64Array


def _look(
    series: Series, segments: Segments, group: slice, near: Near, tdp_w: FloatArray, careful: BoolArray
) -> _Looked:
    """Look at every reading of a group of devices once; marks the devices that need care in `careful`."""
    bounds = series.offset[group.start : group.stop + 1].tolist()
    edges = (segments.offset[group.start : group.stop + 1] - segments.offset[group.start]).tolist()
    careful[group] |= np.diff(series.offset[group.start : group.stop + 1]) == 1
    resets = [np.zeros(0, np.int64)]
    gaps = [np.zeros(0, np.int64)]
    row = 0
    while row < len(bounds) - 1:
        # Small devices are looked at together, a large one by itself.
        stop = max(bisect_right(bounds, bounds[row] + BLOCK, row + 1) - 1, row + 1)
        if bounds[stop] - bounds[row] > 1:
            found = _scan(series, slice(group.start + row, group.start + stop), tdp_w, careful)
            resets.append(found.resets)
            gaps.append(found.gaps)
        for here in range(row, stop):
            own = slice(edges[here], edges[here + 1])
            if bounds[here + 1] - bounds[here] > 1:
                near.fill(own, series, bounds[here], bounds[here + 1])
            else:
                # Keeps `left` ascending over devices, so that a restart's edges can be searched for.
                near.left[own] = bounds[here]
        row = stop
    return _Looked(np.concatenate(resets), np.concatenate(gaps))


def _scan(series: Series, group: slice, tdp_w: FloatArray, careful: BoolArray) -> _Looked:
    """Find the intervals out of the ordinary among the readings of neighbouring devices."""
    offset = series.offset[group.start : group.stop + 1]
    start, stop = int(offset[0]), int(offset[-1]) - 1
    step = series.energy_millij[start + 1 : stop + 1] - series.energy_millij[start:stop]
    gap_us = series.at_us[start + 1 : stop + 1] - series.at_us[start:stop]
    # Between the last reading of a device and the first of the next there is no interval.
    between = offset[1:-1] - 1 - start
    between = between[(between >= 0) & (between < len(step))]
    step[between], gap_us[between] = 0.0, MAX_GAP_US
    shortest_us, longest_us = int(gap_us.min()), int(gap_us.max())
    suspicious = float(tdp_w[group].min()) * LIMIT_MILLIJ_PER_W_US * max(shortest_us, 0)
    # Each question is asked of every interval only where the extremes say that some answer may be yes.
    found = []
    if not step.min() >= 0:
        found.append(np.flatnonzero(~(step >= 0)))
    if not step.max() <= suspicious:
        found.append(np.flatnonzero(step > suspicious))
    if shortest_us <= 0:
        found.append(np.flatnonzero(gap_us <= 0))
    if longest_us > MAX_GAP_US:
        found.append(np.flatnonzero(gap_us > MAX_GAP_US))
    if not found:
        return _Looked(np.zeros(0, np.int64), np.zeros(0, np.int64))
    odd = found[0] if len(found) == 1 else np.unique(np.concatenate(found))
    after = odd + start + 1
    device = np.searchsorted(series.offset, after, side="right") - 1
    reset = step[odd] < 0
    # A restarted counter is worth its new reading.
    worth = np.where(reset, series.energy_millij[after], step[odd])
    limit = tdp_w[device] * LIMIT_MILLIJ_PER_W_US * gap_us[odd]
    careful[device[~((gap_us[odd] > 0) & (worth <= limit))]] = True
    return _Looked(after[reset], after[(gap_us[odd] > MAX_GAP_US) & ~reset])


def _at_edges(series: Series, near: Near, resets: Int64Array) -> FloatArray:
    """Return what each device had counted at each edge, as if its counter had never restarted."""
    part = (near.edge_us - near.left_us) / np.maximum(near.right_us - near.left_us, 1)
    # Rounded within the interval and then added to whole millijoules, so that it does not matter where reading began.
    cumulative = near.before + np.floor(part * (near.after - near.before) + 0.5)
    for reset in resets.tolist():
        carried = series.energy_millij[reset - 1]
        # Edges of the same device lie together: those from the restart on, to the device's last.
        device_end = series.offset[np.searchsorted(series.offset, reset, side="right")]
        start, stop = np.searchsorted(near.left, [reset - 1, device_end])
        left, part_here = near.left[start:stop], part[start:stop]
        before, after = near.before[start:stop], near.after[start:stop]
        # Inside the interval of the restart the step is the new reading, not its difference from the old one.
        within = np.floor(part_here * after + 0.5) - np.floor(part_here * (after - before) + 0.5)
        cumulative[start:stop] += np.where(left >= reset, carried, within)
    return cumulative


def _doubts(series: Series, found: list[Int64Array], trusted: BoolArray, *, bounded: bool) -> _Doubt:
    """Return the intervals that end at the found readings of trusted devices; a gap's energy is known, a reset's is not."""
    after = np.concatenate([np.zeros(0, np.int64), *found])
    device = np.searchsorted(series.offset, after, side="right") - 1
    after, device = after[trusted[device]], device[trusted[device]]
    step = series.energy_millij[after] - series.energy_millij[after - 1]
    bound = np.abs(step) if bounded else np.full(len(after), np.inf)
    return _Doubt(device, series.at_us[after - 1], series.at_us[after], bound)


@dataclass(frozen=True)
class _Careful:
    """What the careful way says of one device: energy up to each edge, whether it reaches there, and how well it is known."""

    cumulative: FloatArray
    reached: BoolArray
    ratio: float
    doubt: _Doubt


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
    doubt = _Doubt(np.full(len(ends), device), curve_us[ends - 1], curve_us[ends], bound)
    ratio = SENSOR_RATIO if curve.by_counter else SAMPLED_RATIO
    return _Careful(_at_edges(series, near, np.zeros(0, np.int64)), near.known, ratio, doubt)


def _mark(
    doubt: _Doubt, segments: Segments, tdp_w: FloatArray, error: Int64Array, quality: npt.NDArray[np.int8]
) -> None:
    """Mark the segments that doubtful intervals touch, and widen their band: a board draws between nothing and its TDP."""
    for device, start_us, end_us, bound in zip(
        doubt.device.tolist(), doubt.start_us, doubt.end_us, doubt.bound_millij, strict=True
    ):
        here = slice(int(segments.offset[device]) - device, int(segments.offset[device + 1]) - device - 1)
        overlap_us = np.minimum(segments.end_s[here] * MICROSECONDS_PER_SECOND, end_us) - np.maximum(
            segments.start_s[here] * MICROSECONDS_PER_SECOND, start_us
        )
        touched = here.start + np.flatnonzero(overlap_us > 0)
        possible = tdp_w[device] * (MILLIJ_PER_J / MICROSECONDS_PER_SECOND) * overlap_us[overlap_us > 0]
        error[touched] += np.rint(np.minimum(possible, bound)).astype(np.int64)
        quality[touched] = Quality.ESTIMATED
