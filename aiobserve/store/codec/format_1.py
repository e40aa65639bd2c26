"""The first format of a packed chunk, which is read and no longer written: per column delta, byte shuffle, zstd.

The version byte, then for each column its packed length (4 bytes, big endian) and its bytes.
"""

import struct

import numpy as np
import numpy.typing as npt
from numcodecs import Delta, Shuffle, Zstd

VERSION = 1
# Stored type of instant, counter, power, utilisation and memory, and steps per unit of the last four.
TYPES = ("<i8", "<i8", "<i4", "<i4", "<i4")
STEPS_PER_UNIT = (1.0, 1000.0, 10_000.0, 1.0)


def unpack_1(payload: bytes) -> tuple[npt.NDArray[np.int64], list[npt.NDArray[np.float64]]]:
    """Return instants and the four columns of a payload.

    Raises:
        ValueError, RuntimeError, struct.error: the bytes are not what was written.
    """
    offset = 1
    columns: list[npt.NDArray[np.int64]] = []
    for dtype in TYPES:
        (length,) = struct.unpack_from(">I", payload, offset)
        columns.append(_integers(payload[offset + 4 : offset + 4 + length], dtype))
        offset += 4 + length
    values = [
        np.where(stored == np.iinfo(dtype).min, np.nan, stored / steps)
        for stored, dtype, steps in zip(columns[1:], TYPES[1:], STEPS_PER_UNIT, strict=True)
    ]
    return columns[0], values


def _integers(packed: bytes, dtype: str) -> npt.NDArray[np.int64]:
    shuffled = Shuffle(np.dtype(dtype).itemsize).decode(Zstd().decode(packed))
    return np.asarray(Delta(dtype=dtype).decode(np.frombuffer(shuffled, dtype=dtype)))
