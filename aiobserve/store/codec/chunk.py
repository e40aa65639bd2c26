"""Samples of devices packed into chunks of two parts each: instants and counter, then the other readings.

Attribution reads the first part alone. Precision kept: microseconds and millijoules exactly, since they are what
money is reckoned from; power in hundredths of a watt, as nvidia-smi prints it (the sensor is good to a few watts);
utilisation in ten-thousandths; memory in MiB. `as_kept` rounds to that, so that a reading is the same hot and packed.

Format 2, either part: version, number of samples, CRC-32 of all that follows; then a header a column
(`column.HEADER`); then the columns, each with a zstd bitmap of its missing readings where there are any.
"""

import struct
import zlib
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from numcodecs import zstd

from aiobserve.store.codec import column, format_1
from aiobserve.store.codec.column import ABSENT, BITS, OFFSETS, STEPS, Packed, Unreadable

FORMAT_VERSION = 2
Int64Array = npt.NDArray[np.int64]
FloatArray = npt.NDArray[np.float64]

READINGS = ("energy_millij", "power_w", "utilisation_ratio", "memory_mib")
DETAILS = READINGS[1:]
STEPS_PER_UNIT = {"energy_millij": 1.0, "power_w": 100.0, "utilisation_ratio": 10_000.0, "memory_mib": 1.0}
# Readings beyond this many steps, or infinite, are stored as the floats they are.
MOST_STEPS = 2.0**62
# Version, padding, samples, CRC-32 of what follows.
PREFIX = np.dtype([("version", "u1"), ("columns", "u1"), ("samples", "<u4"), ("crc", "<u4")])
COLUMN = np.dtype([*[(name, column.HEADER[name]) for name in column.HEADER.names or ()], ("missing", "<u4")])


class UnknownFormat(ValueError):
    """The chunk was written by a version of aiobserve that knows a later format."""


class CorruptChunk(ValueError):
    """The bytes of a chunk are not those that were written."""


@dataclass(frozen=True)
class Samples:
    """Samples of many chunks on end.

    Attributes:
        starts: index of the first sample of each chunk, shape (k,).
        at_us: epoch microseconds, shape (n,).
        readings: by name, shape (n,), NaN where a reading is missing.
    """

    starts: Int64Array
    at_us: Int64Array
    readings: dict[str, FloatArray]


def as_kept(name: str, values: FloatArray) -> FloatArray:
    """Return readings at the precision that is kept of them."""
    steps = STEPS_PER_UNIT[name]
    return np.rint(values) if steps == 1.0 else np.rint(values * steps) / steps


def pack_chunks(samples: Samples) -> tuple[list[bytes], list[bytes]]:
    """Return payload (instants and counter) and details (all else) of each chunk."""
    instants = column.encode(samples.at_us, samples.starts, np.full(len(samples.starts), STEPS, dtype=np.uint8))
    nothing = [b""] * len(samples.starts)
    stored = {name: _encode(name, samples) for name in READINGS}
    counts = np.diff(np.r_[samples.starts, len(samples.at_us)])
    payloads = _assemble(counts, [(instants, nothing), stored["energy_millij"]])
    return payloads, _assemble(counts, [stored[name] for name in DETAILS])


def unpack_chunks(
    payloads: Sequence[bytes],
    details: Sequence[bytes] | None = None,
    *,
    columns: Sequence[str] = READINGS[:1],
    names: Sequence[int] | None = None,
) -> Samples:
    """Return the samples of chunks on end, with the named readings and no others.

    Args:
        details: needed for all readings but the counter; empty for a chunk of format 1, whose payload holds everything.
        columns: of READINGS.
        names: ids of the chunks, for errors; their positions when not given.

    Raises:
        UnknownFormat: a chunk is of a format that is not ours.
        CorruptChunk: a chunk is damaged; the message has its id and what to do.
    """
    names = range(len(payloads)) if names is None else names
    versions = np.array([payload[0] if payload else 0 for payload in payloads], dtype=np.int64)
    try:
        if (versions == FORMAT_VERSION).all():
            return _unpack_2(payloads, details, names, columns)
        return _unpack_each(versions, payloads, details, names, columns)
    except Unreadable as error:
        raise CorruptChunk(
            f"{error}; restore the row from a backup, or delete it and import its source again for that day"
        ) from error


def _unpack_2(
    payloads: Sequence[bytes], details: Sequence[bytes] | None, names: Sequence[int], wanted: Sequence[str]
) -> Samples:
    counts, (instants, counter) = _take_apart(payloads, 2, names)
    at_us = column.decode(instants[0], counts, names=names)
    stored = {"energy_millij": counter}
    if details is not None and any(name in DETAILS for name in wanted):
        again, columns = _take_apart(details, len(DETAILS), names)
        if (again != counts).any():
            raise Unreadable(f"telemetry chunk {names[int(np.argmax(again != counts))]}: its two parts do not match")
        stored |= dict(zip(DETAILS, columns, strict=True))
    readings = {name: _decode(name, stored[name], counts, names) for name in wanted}
    return Samples(np.cumsum(counts) - counts, at_us, readings)


def _unpack_each(
    versions: Int64Array,
    payloads: Sequence[bytes],
    details: Sequence[bytes] | None,
    names: Sequence[int],
    wanted: Sequence[str],
) -> Samples:
    """Unpack chunks of mixed formats one by one."""
    parts: list[Samples] = []
    for position, (version, payload, name) in enumerate(zip(versions.tolist(), payloads, names, strict=True)):
        if version == FORMAT_VERSION:
            detail = None if details is None else [details[position]]
            parts.append(_unpack_2([payload], detail, [name], wanted))
        elif version == format_1.VERSION:
            try:
                at_us, values = format_1.unpack_1(payload)
            except (ValueError, RuntimeError, struct.error) as error:
                raise Unreadable(f"telemetry chunk {name} of format 1: {error}") from error
            columns = dict(zip(READINGS, values, strict=True))
            parts.append(Samples(np.zeros(1, np.int64), at_us, {one: columns[one] for one in wanted}))
        elif not payload:
            raise Unreadable(f"telemetry chunk {name} is empty")
        else:
            raise UnknownFormat(
                f"telemetry chunk {name} is of format {version}; this version reads up to {FORMAT_VERSION}: "
                "upgrade aiobserve"
            )
    counts = np.array([len(part.at_us) for part in parts], dtype=np.int64)
    return Samples(
        np.cumsum(counts) - counts,
        np.concatenate([part.at_us for part in parts]),
        {one: np.concatenate([part.readings[one] for part in parts]) for one in wanted},
    )


def _encode(name: str, samples: Samples) -> tuple[Packed, list[bytes]]:
    """Return a column of readings, and for each chunk the packed bitmap of those that are missing."""
    values, starts = samples.readings[name], samples.starts
    steps = values * STEPS_PER_UNIT[name]
    missing = np.isnan(values)
    huge = ~missing & ~(np.abs(steps) < MOST_STEPS)
    kinds = np.full(len(starts), STEPS if name == "energy_millij" else OFFSETS, dtype=np.uint8)
    bitmaps = [b""] * len(starts)
    whole = np.rint(steps if not (missing.any() or huge.any()) else np.where(missing | huge, 0, steps)).astype(np.int64)
    if missing.any() or huge.any():
        ends = np.r_[starts[1:], len(values)]
        gaps = np.add.reduceat(missing, starts, dtype=np.int64)
        kinds[np.logical_or.reduceat(huge, starts)] = BITS
        kinds[gaps == ends - starts] = ABSENT
        for chunk in np.flatnonzero((gaps > 0) | (kinds == BITS)).tolist():
            here = slice(int(starts[chunk]), int(ends[chunk]))
            if kinds[chunk] == BITS:
                whole[here] = values[here].view(np.int64)
            elif kinds[chunk] != ABSENT:
                _fill(whole[here], missing[here])
                bitmaps[chunk] = zstd.compress(np.packbits(missing[here]).tobytes(), column.ZSTD_LEVEL)
    return column.encode(whole, starts, kinds), bitmaps


def _fill(whole: Int64Array, missing: npt.NDArray[np.bool_]) -> None:
    """Give missing places the value before them, so that they cost nothing."""
    read = np.flatnonzero(~missing)
    last = np.searchsorted(read, np.arange(len(whole)), side="right") - 1
    whole[:] = whole[read[np.maximum(last, 0)]]


def _decode(name: str, part: tuple[Packed, list[bytes]], counts: Int64Array, names: Sequence[int]) -> FloatArray:
    packed, bitmaps = part
    stored = column.decode(packed, counts, names=names)
    steps = STEPS_PER_UNIT[name]
    kinds = packed.headers["kind"]
    values = stored.astype(np.float64) if steps == 1.0 else stored / steps
    odd = np.flatnonzero((kinds == BITS) | (kinds == ABSENT) | np.fromiter(map(bool, bitmaps), bool, len(bitmaps)))
    starts = np.cumsum(counts) - counts
    for chunk in odd.tolist():
        here = slice(int(starts[chunk]), int(starts[chunk] + counts[chunk]))
        if kinds[chunk] == ABSENT:
            values[here] = np.nan
        elif kinds[chunk] == BITS:
            values[here] = stored[here].view(np.float64)
        else:
            values[here][_missing(bitmaps[chunk], int(counts[chunk]), names[chunk])] = np.nan
    return values


def _missing(bitmap: bytes, count: int, name: int) -> npt.NDArray[np.bool_]:
    try:
        bits = np.frombuffer(zstd.decompress(bitmap), dtype=np.uint8)
    except (RuntimeError, ValueError) as error:
        raise Unreadable(f"telemetry chunk {name}: its zstd frame does not unpack ({error})") from error
    if len(bits) != (count + 7) // 8:
        raise Unreadable(f"telemetry chunk {name}: its bitmap is not {(count + 7) // 8} bytes long")
    return np.unpackbits(bits, count=count).astype(bool)


def _assemble(counts: Int64Array, columns: list[tuple[Packed, list[bytes]]]) -> list[bytes]:
    headers = np.zeros((len(counts), len(columns)), dtype=COLUMN)
    for position, (packed, bitmaps) in enumerate(columns):
        for field in column.HEADER.names or ():
            headers[field][:, position] = packed.headers[field]
        headers["missing"][:, position] = [len(bitmap) for bitmap in bitmaps]
    bodies = zip(*[both for packed, bitmaps in columns for both in (packed.bodies, bitmaps)], strict=True)
    contents = [header.tobytes() + b"".join(body) for header, body in zip(headers, bodies, strict=True)]
    prefixes = np.zeros(len(counts), dtype=PREFIX)
    prefixes["version"], prefixes["columns"], prefixes["samples"] = FORMAT_VERSION, len(columns), counts
    prefixes["crc"] = [zlib.crc32(content) for content in contents]
    return [prefix.tobytes() + content for prefix, content in zip(prefixes, contents, strict=True)]


def _take_apart(
    texts: Sequence[bytes], width: int, names: Sequence[int]
) -> tuple[Int64Array, list[tuple[Packed, list[bytes]]]]:
    """Return the samples of each chunk, and its columns with their bitmaps."""
    size = PREFIX.itemsize + width * COLUMN.itemsize
    for text, name in zip(texts, names, strict=True):
        if len(text) < size or zlib.crc32(memoryview(text)[PREFIX.itemsize :]) != int.from_bytes(text[6:10], "little"):
            raise Unreadable(f"telemetry chunk {name}: its checksum does not match its {len(text)} bytes")
    heads = np.frombuffer(
        b"".join([text[:size] for text in texts]), dtype=np.dtype([("prefix", PREFIX), ("columns", COLUMN, (width,))])
    )
    counts = heads["prefix"]["samples"].astype(np.int64)
    offsets = np.full(len(texts), size, dtype=np.int64)
    columns = []
    for position in range(width):
        headers = heads["columns"][:, position]
        middle = offsets + headers["length"]
        ends = middle + headers["missing"]
        spans = list(zip(texts, offsets.tolist(), middle.tolist(), ends.tolist(), strict=True))
        bodies = [text[first:last] for text, first, last, _ in spans]
        bitmaps = [text[first:last] for text, _, first, last in spans]
        columns.append((Packed(headers[list(column.HEADER.names or ())], bodies), bitmaps))
        offsets = ends
    return counts, columns
