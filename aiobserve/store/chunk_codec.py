"""Packs the readings of one device into bytes and back: per column delta, byte shuffle, zstd (numcodecs).

Format 1: the version byte, then for each column its packed length (4 bytes, big endian) and its bytes.
Precision kept: microseconds, millijoules, milliwatts, ten-thousandths of utilisation, MiB.
"""

import struct
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from numcodecs import Delta, Shuffle, Zstd

FORMAT_VERSION = 1
# Column name, units per stored integer step, stored type.
COLUMNS = (
    ("energy_millij", 1.0, "<i8"),
    ("power_w", 1e-3, "<i4"),
    ("utilisation_ratio", 1e-4, "<i4"),
    ("memory_mib", 1.0, "<i4"),
)
ZSTD = Zstd(level=3)


class UnknownFormat(ValueError):
    """The payload was written by a version of aiobserve that knows a later format."""


@dataclass(frozen=True)
class Readings:
    """Samples of one device, sorted by time, shape (n,) each; NaN where a reading is missing."""

    at_us: npt.NDArray[np.int64]
    energy_millij: npt.NDArray[np.float64]
    power_w: npt.NDArray[np.float64]
    utilisation_ratio: npt.NDArray[np.float64]
    memory_mib: npt.NDArray[np.float64]

    def slice(self, first: int, last: int) -> "Readings":
        """Return the readings [first, last)."""
        return Readings(*(getattr(self, name)[first:last] for name in ("at_us", *(c[0] for c in COLUMNS))))


def pack(readings: Readings) -> bytes:
    """Return the readings as bytes."""
    parts = [_pack_integers(readings.at_us.astype("<i8"))]
    for name, step, dtype in COLUMNS:
        values = getattr(readings, name)
        missing = np.iinfo(dtype).min
        stored = np.where(np.isnan(values), missing, np.rint(np.nan_to_num(values) / step)).astype(dtype)
        parts.append(_pack_integers(stored))
    return bytes([FORMAT_VERSION]) + b"".join(struct.pack(">I", len(part)) + part for part in parts)


def unpack(payload: bytes) -> Readings:
    """Return the readings that `pack` packed.

    Raises:
        UnknownFormat: the version byte is not one of ours.
    """
    if payload[0] != FORMAT_VERSION:
        raise UnknownFormat(
            f"telemetry chunk of format {payload[0]}; this version reads {FORMAT_VERSION}: upgrade aiobserve"
        )
    offset = 1
    columns: list[npt.NDArray[np.int64]] = []
    for dtype in ("<i8", *(column[2] for column in COLUMNS)):
        (length,) = struct.unpack_from(">I", payload, offset)
        columns.append(_unpack_integers(payload[offset + 4 : offset + 4 + length], dtype))
        offset += 4 + length
    values = [
        np.where(stored == np.iinfo(dtype).min, np.nan, stored * step)
        for stored, (_, step, dtype) in zip(columns[1:], COLUMNS, strict=True)
    ]
    return Readings(columns[0], *values)


def _pack_integers(values: npt.NDArray[np.signedinteger]) -> bytes:
    shuffled = Shuffle(values.itemsize).encode(Delta(dtype=values.dtype).encode(values))
    return bytes(ZSTD.encode(shuffled))


def _unpack_integers(packed: bytes, dtype: str) -> npt.NDArray[np.int64]:
    shuffled = Shuffle(np.dtype(dtype).itemsize).decode(ZSTD.decode(packed))
    return np.asarray(Delta(dtype=dtype).decode(np.frombuffer(shuffled, dtype=dtype)))
