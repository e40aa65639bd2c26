"""Reads telemetry of many devices over a span as arrays, from packed chunks and the hot table alike.

The hot table is read before the chunks: a sample that is packed in between is seen twice and counted once, where
the other order would miss it.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

import numpy as np
import numpy.typing as npt
from psycopg import sql

from aiobserve.domain.units import MICROSECONDS_PER_SECOND, MILLIJ_PER_J
from aiobserve.domain.window import Span
from aiobserve.store.codec.chunk import READINGS, unpack_chunks
from aiobserve.store.cursor import POSTGRES_EPOCH_US, Rows, stream_binary
from aiobserve.store.hot import hot_samples
from aiobserve.store.models.telemetry import LONGEST_CHUNK
from aiobserve.store.read.join import Pieces, concatenated, joined, trimmed

Int64Array = npt.NDArray[np.int64]
FloatArray = npt.NDArray[np.float64]

COUNTER = ("energy_millij",)
# Chunks unpacked at a time: some megabytes of samples.
CHUNKS_AT_ONCE = 1000
EPOCH_AT = datetime.fromtimestamp(0, UTC)
MICROSECOND = timedelta(microseconds=1)
# Hot samples stand behind those of any chunk.
HOT_PRIORITY = 2**62
PAYLOAD_OF_CHUNK = "substring(payload FROM 1 FOR coalesce(counter_bytes, length(payload)))"
DETAILS_OF_CHUNK = "CASE WHEN counter_bytes IS NULL THEN '' ELSE substring(payload FROM counter_bytes + 1) END"
CHUNK_HEAD = np.dtype(
    [("id", ">i8"), ("device_id", ">i8"), ("start", ">i8"), ("end", ">i8"), ("first", ">f8"), ("last", ">f8"),
     ("version", ">i2")]
)  # fmt: skip


@dataclass(frozen=True)
class Series:
    """Samples of devices, each device in order of time, one an instant.

    Attributes:
        device_ids: as they were asked for, shape (d,).
        offsets: the samples of device i are [offsets[i], offsets[i + 1]), shape (d + 1,).
        at_us: epoch microseconds, shape (n,).
        readings: by name, shape (n,), NaN where a reading is missing.
    """

    device_ids: Int64Array
    offsets: Int64Array
    at_us: Int64Array
    readings: dict[str, FloatArray]

    @property
    def energy_millij(self) -> FloatArray:
        """Return the counter, shape (n,)."""
        return self.readings["energy_millij"]

    @property
    def power_w(self) -> FloatArray | None:
        """Return sampled power, shape (n,); None when it was not asked for."""
        return self.readings.get("power_w")

    def at_s(self) -> FloatArray:
        """Return epoch seconds, shape (n,)."""
        return self.at_us / MICROSECONDS_PER_SECOND

    def without_counter(self) -> Int64Array:
        """Return the ids of the devices with fewer than two readings of the counter, whose power has to be read."""
        read = np.concatenate([[0], np.cumsum(~np.isnan(self.energy_millij))])
        return self.device_ids[read[self.offsets[1:]] - read[self.offsets[:-1]] < 2]

    def steepest_w(self) -> FloatArray:
        """Return the greatest mean power between two readings of each device's counter, shape (d,); 0 without any.

        A counter that falls has restarted at zero, as `attribution` takes it.
        """
        read = np.flatnonzero(~np.isnan(self.energy_millij))
        whole = len(read) == len(self.at_us)
        counter, at_us = (self.energy_millij, self.at_us) if whole else (self.energy_millij[read], self.at_us[read])
        step = np.diff(counter)
        fallen = np.flatnonzero(step < 0)
        step[fallen] = counter[1:][fallen]
        offsets = self.offsets if whole else np.searchsorted(read, self.offsets)
        there = np.flatnonzero(np.diff(offsets) > 0)
        apart_us = np.diff(at_us, prepend=0)
        # The first reading of a device has none before it, whatever the neighbour's last instant was.
        apart_us[offsets[there]] = 1
        power_w = np.zeros(len(counter))
        power_w[1:] = step / apart_us[1:] * (MICROSECONDS_PER_SECOND / MILLIJ_PER_J)
        power_w[offsets[there]] = 0
        steepest = np.zeros(len(self.device_ids))
        if there.size:
            steepest[there] = np.maximum.reduceat(power_w, offsets[there])
        return steepest

    def not_spanning(self, span: Span) -> Int64Array:
        """Return the ids of the devices whose samples do not reach from the span's start to its end."""
        start_us, end_us = microseconds(span)
        there = np.flatnonzero(np.diff(self.offsets) > 0)
        spanning = np.zeros(len(self.device_ids), dtype=bool)
        first, last = self.at_us[self.offsets[:-1][there]], self.at_us[self.offsets[1:][there] - 1]
        spanning[there] = (first <= start_us) & (last >= end_us)
        return self.device_ids[~spanning]


@dataclass(frozen=True)
class Readings:
    """Samples of one device, sorted by time, shape (n,) each; NaN where a reading is missing."""

    at_us: Int64Array
    energy_millij: FloatArray
    power_w: FloatArray
    utilisation_ratio: FloatArray
    memory_mib: FloatArray


def read_series(
    device_ids: Sequence[int] | Int64Array,
    span: Span,
    *,
    columns: tuple[str, ...] = COUNTER,
    margin: timedelta = timedelta(0),
) -> Series:
    """Return the samples of devices in a span, and on either side of it the nearest within the margin.

    Args:
        device_ids: distinct, in any order.
        columns: of `READINGS`; with the counter alone only half of the bytes is read.
        margin: how far outside the span to look for the nearest sample in which each column has a reading. With the
            counter alone that costs little: it stands in the chunks' rows, and nothing is unpacked for it.

    Raises:
        CorruptChunk, UnknownFormat: a chunk cannot be read; the message has its id and what to do.
    """
    wanted = np.asarray(device_ids, dtype=np.int64)
    wide = Span(span.start_at - margin, span.end_at + margin)
    order = np.argsort(wanted)
    request = _Request(wanted[order], order, span, wide, columns)
    hot = _hot(request)
    chunks, lacking = _chunks(request, edges=columns == COUNTER)
    parts = [hot, *chunks]
    if lacking.size:
        whole, _ = _chunks(replace(request, sorted_ids=request.sorted_ids[lacking], order=order[lacking]), edges=False)
        parts = [hot, *[_without(part, order[lacking]) for part in chunks], *whole]
    found = joined(concatenated(parts, columns), len(wanted))
    found = trimmed(found, microseconds(span), at_most_us=microseconds(wide))
    return Series(wanted, found.offsets, found.at_us, found.readings)


def with_power(series: Series, device_ids: Int64Array, span: Span, *, margin: timedelta = timedelta(0)) -> Series:
    """Read some devices of a series again, with sampled power; the power of all others is NaN.

    Args:
        series: of the same span and margin, with the counter alone.
        device_ids: those whose power is needed: without a counter, or with steps of it that are impossible.
    """
    columns = ("energy_millij", "power_w")
    if not len(device_ids):
        return series
    again = read_series(device_ids, span, columns=columns, margin=margin)
    place = np.searchsorted(series.device_ids, again.device_ids, sorter=(order := np.argsort(series.device_ids)))
    missing = {"energy_millij": series.energy_millij, "power_w": np.full(len(series.at_us), np.nan)}
    kept = _without(_pieces(series, np.arange(len(series.device_ids)), missing), order[place])
    whole = joined(concatenated([kept, _pieces(again, order[place], again.readings)], columns), len(series.device_ids))
    return Series(series.device_ids, whole.offsets, whole.at_us, whole.readings)


def _pieces(series: Series, places: Int64Array, columns: dict[str, FloatArray]) -> Pieces:
    counts = np.diff(series.offsets)
    there = counts > 0
    return Pieces(places[there], np.zeros(int(there.sum()), np.int64), counts[there], series.at_us, columns)


def readings(device_ids: Sequence[int], span: Span) -> dict[int, Readings]:
    """Return all readings of each device that has any in the span, in order of time, one an instant."""
    series = read_series(device_ids, span, columns=READINGS)
    found = {}
    for device_id, first, last in zip(series.device_ids, series.offsets[:-1], series.offsets[1:], strict=True):
        if last > first:
            values = [series.readings[name][first:last] for name in READINGS]
            found[int(device_id)] = Readings(series.at_us[first:last], *values)
    return found


@dataclass(frozen=True)
class _Request:
    """What is asked: device ids in ascending order, their places in the answer, span, span with margin, columns."""

    sorted_ids: Int64Array
    order: Int64Array
    span: Span
    wide: Span
    columns: tuple[str, ...]

    def places(self, device_ids: Int64Array) -> Int64Array:
        return self.order[np.searchsorted(self.sorted_ids, device_ids)]


def _hot(request: _Request) -> Pieces:
    """Return the hot samples, a piece a device."""
    found = hot_samples(
        "telemetry_sample",
        request.columns,
        of=request.sorted_ids.tolist(),
        span=request.wide,
    )
    priority = np.full(len(found.counts), HOT_PRIORITY, dtype=np.int64)
    return Pieces(request.places(found.device_ids), priority, found.counts, found.at_us, found.readings)


def _chunks(request: _Request, *, edges: bool) -> tuple[list[Pieces], Int64Array]:
    """Return the samples of chunks, and the positions of devices for which the edges of chunks do not suffice.

    Args:
        edges: of chunks in the margin, take the sample that is nearest to the span from the chunk's row.
    """
    inside = sql.SQL("start_at < %(end)s AND end_at >= %(start)s") if edges else sql.SQL("true")
    detailed = any(name not in COUNTER for name in request.columns)
    statement = sql.SQL(
        """SELECT int8send(id) || int8send(device_id) || timestamptz_send(start_at) || timestamptz_send(end_at)
                  || float8send(coalesce(first_energy_millij, 'NaN')) || float8send(coalesce(last_energy_millij, 'NaN'))
                  || int2send(format_version), CASE WHEN {inside} THEN {payload} END, {details}
           FROM telemetry_chunk
           WHERE device_id = ANY(%(devices)s) AND start_at < %(wide_end)s AND end_at >= %(wide_start)s
           AND start_at > %(reaching)s ORDER BY device_id, start_at, id"""
    ).format(
        inside=inside, payload=sql.SQL(PAYLOAD_OF_CHUNK), details=sql.SQL(DETAILS_OF_CHUNK if detailed else "''::bytea")
    )
    values = {
        "devices": request.sorted_ids.tolist(), "start": request.span.start_at, "end": request.span.end_at,
        "wide_start": request.wide.start_at, "wide_end": request.wide.end_at,
        "reaching": request.wide.start_at - LONGEST_CHUNK,
    }  # fmt: skip
    parts: list[Pieces] = []
    lacking: list[Int64Array] = [np.zeros(0, dtype=np.int64)]
    for rows in stream_binary(statement, values, size=CHUNKS_AT_ONCE):
        heads = np.frombuffer(b"".join([row[0] for row in rows]), dtype=CHUNK_HEAD)
        whole = np.array([row[1] is not None for row in rows])
        if whole.any():
            parts.append(_unpacked(request, heads[whole], [row for row in rows if row[1] is not None]))
        if not whole.all():
            edge = _edges(request, heads[~whole])
            silent = np.isnan(edge.readings["energy_millij"]) | (heads[~whole]["version"] == 1)
            lacking.append(np.searchsorted(request.sorted_ids, heads[~whole]["device_id"][silent]))
            parts.append(edge)
    return parts, np.unique(np.concatenate(lacking))


def _unpacked(request: _Request, heads: npt.NDArray[np.void], rows: Rows) -> Pieces:
    ids = heads["id"].astype(np.int64)
    details = [row[2] for row in rows] if any(name not in COUNTER for name in request.columns) else None
    samples = unpack_chunks([row[1] for row in rows], details, columns=request.columns, names=ids.tolist())
    counts = np.diff(np.concatenate([samples.starts, [len(samples.at_us)]]))
    return Pieces(request.places(heads["device_id"].astype(np.int64)), ids, counts, samples.at_us, samples.readings)


def _edges(request: _Request, heads: npt.NDArray[np.void]) -> Pieces:
    """Return the sample of each chunk that is nearest to the span, from the chunk's row alone."""
    start_us, _ = microseconds(request.span)
    before = heads["end"] + POSTGRES_EPOCH_US < start_us
    return Pieces(
        request.places(heads["device_id"].astype(np.int64)),
        heads["id"].astype(np.int64),
        np.ones(len(heads), dtype=np.int64),
        np.where(before, heads["end"], heads["start"]).astype(np.int64) + POSTGRES_EPOCH_US,
        {"energy_millij": np.where(before, heads["last"], heads["first"]).astype(np.float64)},
    )


def _without(part: Pieces, places: Int64Array) -> Pieces:
    """Leave out the pieces of some devices."""
    kept = ~np.isin(part.device, places)
    samples = np.repeat(kept, part.counts)
    readings = {name: values[samples] for name, values in part.readings.items()}
    return Pieces(part.device[kept], part.priority[kept], part.counts[kept], part.at_us[samples], readings)


def microseconds(span: Span) -> tuple[int, int]:
    """Return start and end of a span in whole epoch microseconds."""
    return (span.start_at - EPOCH_AT) // MICROSECOND, (span.end_at - EPOCH_AT) // MICROSECOND
