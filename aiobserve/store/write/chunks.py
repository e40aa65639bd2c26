"""Writes samples as packed chunks: one a device and UTC day (or hour), all of them in numpy until the rows are copied."""

from collections.abc import Mapping
from datetime import UTC, datetime

import numpy as np
import numpy.typing as npt

from aiobserve.domain.units import MICROSECONDS_PER_SECOND, SECONDS_PER_DAY, SECONDS_PER_HOUR
from aiobserve.store.codec.chunk import FORMAT_VERSION, Samples, as_kept, pack_chunks
from aiobserve.store.write.copy import copy_rows

Int64Array = npt.NDArray[np.int64]
FloatArray = npt.NDArray[np.float64]

DAY_US = SECONDS_PER_DAY * MICROSECONDS_PER_SECOND
HOUR_US = SECONDS_PER_HOUR * MICROSECONDS_PER_SECOND
CHUNK_COLUMNS = {
    "device_id": "int8",
    "start_at": "timestamptz",
    "end_at": "timestamptz",
    "samples": "int4",
    "first_energy_millij": "float8",
    "last_energy_millij": "float8",
    "has_reset": "bool",
    "loose": "bool",
    "format_version": "int2",
    "payload": "bytea",
    "counter_bytes": "int4",
}


def write_packed(
    device_id: Int64Array, at_us: Int64Array, readings: Mapping[str, FloatArray], *, every_us: int = DAY_US, loose: bool
) -> int:
    """Write samples of many devices as chunks; returns the number of chunks.

    Args:
        device_id, at_us: shape (n,), in any order; of two samples of a device at one instant the first is kept.
        readings: by name (`codec.chunk.READINGS`), shape (n,), NaN where missing.
        every_us: a chunk ends where the UTC day (or hour) does.
        loose: whether the chunks wait to be merged with others of their device and day.
    """
    if not len(at_us):
        return 0
    device_id, samples = _in_order(device_id, at_us, readings, every_us)
    payloads, details = pack_chunks(samples)
    starts = samples.starts
    ends = np.r_[starts[1:], len(samples.at_us)]
    counter = samples.readings["energy_millij"]
    rows = zip(
        device_id[starts].tolist(),
        _instants(samples.at_us[starts]),
        _instants(samples.at_us[ends - 1]),
        (ends - starts).tolist(),
        _or_null(counter[starts]),
        _or_null(counter[ends - 1]),
        _falls(counter, starts).tolist(),
        [loose] * len(starts),
        [FORMAT_VERSION] * len(starts),
        [payload + detail for payload, detail in zip(payloads, details, strict=True)],
        map(len, payloads),
        strict=True,
    )
    return copy_rows("telemetry_chunk", CHUNK_COLUMNS, list(rows))


def _in_order(
    device_id: Int64Array, at_us: Int64Array, readings: Mapping[str, FloatArray], every_us: int
) -> tuple[Int64Array, Samples]:
    """Sort by device and instant, leave out repeats, and cut into chunks."""
    kept = {name: as_kept(name, values) for name, values in readings.items()}
    later = (device_id[1:] > device_id[:-1]) | ((device_id[1:] == device_id[:-1]) & (at_us[1:] > at_us[:-1]))
    if not later.all():
        order = np.lexsort((at_us, device_id))
        device_id, at_us = device_id[order], at_us[order]
        first = np.r_[True, (device_id[1:] != device_id[:-1]) | (at_us[1:] != at_us[:-1])]
        order = order[first]
        device_id, at_us = device_id[first], at_us[first]
        kept = {name: values[order] for name, values in kept.items()}
    period = at_us // every_us
    starts = np.flatnonzero(np.r_[True, (device_id[1:] != device_id[:-1]) | (period[1:] != period[:-1])])
    return device_id, Samples(starts, at_us, kept)


def _falls(counter: FloatArray, starts: Int64Array) -> npt.NDArray[np.bool_]:
    """Return of each chunk whether its counter ever falls."""
    read = np.flatnonzero(~np.isnan(counter))
    chunk = np.searchsorted(starts, read, side="right") - 1
    fallen = (np.diff(counter[read]) < 0) & (chunk[1:] == chunk[:-1])
    return np.bincount(chunk[1:][fallen], minlength=len(starts)) > 0


def _instants(at_us: Int64Array) -> list[datetime]:
    return [datetime.fromtimestamp(one / MICROSECONDS_PER_SECOND, UTC) for one in at_us.tolist()]


def _or_null(values: FloatArray) -> list[float | None]:
    return [None if one != one else one for one in values.tolist()]
