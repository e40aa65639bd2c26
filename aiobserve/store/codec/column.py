"""One column of many chunks as bytes: steps or offsets, their bytes sorted into planes, the upper planes in zstd.

Noise fills the low planes and cannot be compressed, so they are stored as they are and cost nothing to read; what
regularity there is stands in the upper planes. Encoding and decoding touch samples only in numpy, and chunks one by
one only to cut bytes.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from numcodecs import zstd

Int64Array = npt.NDArray[np.int64]
UInt64Array = npt.NDArray[np.uint64]

ZSTD_LEVEL = 1
# Unpacking a zstd frame takes microseconds however short it is, so in a short chunk it has to save a tenth.
FEW_SAMPLES = 1000
WORTHWHILE = 0.1
# Of random bytes one in 256 equals the one before it; where one in 16 does, there is something to compress.
REPEATS_OF_NOISE = 16
# How a column is stored: nothing is there; differences that never fall; differences of either sign (folded to
# 0, -1, 1, -2 ...); distances from the smallest value; the 64 bits as they are.
ABSENT, RISING, STEPS, OFFSETS, BITS = range(5)
# Powers of ten by which all stored numbers of a chunk may be divisible (instants read in milliseconds, say).
MOST_ZEROS = 6
# The smallest number that needs one byte, two, and so on.
BYTE_EDGES = np.array([1 << 8 * byte for byte in range(8)], dtype=np.uint64)
HEADER = np.dtype(
    [("kind", "u1"), ("width", "u1"), ("plain", "u1"), ("zeros", "u1"), ("length", "<u4"), ("base", "<i8")]
)


class Unreadable(ValueError):
    """Bytes that are not what was written."""


@dataclass(frozen=True)
class Packed:
    """A column of k chunks: headers, shape (k,), and the bytes of each."""

    headers: npt.NDArray[np.void]
    bodies: list[bytes]


def encode(values: Int64Array, starts: Int64Array, kinds: npt.NDArray[np.uint8]) -> Packed:
    """Return the column of chunks that begin at `starts`.

    Args:
        values: whole numbers (for BITS their bit pattern), shape (n,), of all chunks on end.
        starts: index of the first value of each chunk, shape (k,), strictly ascending from 0.
        kinds: ABSENT, STEPS, OFFSETS or BITS for each chunk, shape (k,); STEPS become RISING where none falls.
    """
    counts = np.diff(np.r_[starts, len(values)])
    headers = np.zeros(len(starts), dtype=HEADER)
    kinds = kinds.copy()
    numbers, base = _numbers(values, starts, counts, kinds)
    zeros = _zeros(numbers, starts, counts, kinds)
    top = np.maximum.reduceat(numbers, starts)
    width = (top[:, None] >= BYTE_EDGES).sum(axis=1)
    headers["kind"], headers["width"], headers["zeros"], headers["base"] = kinds, width, zeros, base
    planes = numbers.astype("<u8", copy=False).view(np.uint8).reshape(-1, 8)
    columns = [planes[:, byte].tobytes() for byte in range(int(np.max(width, initial=0)))]
    noisy = _noisy(planes[:, 0], starts, counts)
    spans = zip(starts.tolist(), counts.tolist(), width.tolist(), noisy.tolist(), strict=True)
    packed = [
        _body([column[start : start + count] for column in columns[:wide]], noisy=noise)
        for start, count, wide, noise in spans
    ]
    headers["plain"] = [plain for plain, _ in packed]
    headers["length"] = [len(body) for _, body in packed]
    return Packed(headers, [body for _, body in packed])


def decode(packed: Packed, counts: Int64Array, *, names: Sequence[int]) -> Int64Array:
    """Return the values that `encode` was given, those of all chunks on end; zeros where a column is absent.

    Args:
        counts: samples of each chunk, shape (k,), at least 1.
        names: what each chunk is called in an error.

    Raises:
        Unreadable: a column is not as long as its header says.
    """
    headers = packed.headers
    ends = np.cumsum(counts)
    values = np.zeros(int(ends[-1]) if len(ends) else 0, dtype=np.int64)
    alike = headers["kind"].astype(np.int64) << 24
    alike |= headers["width"].astype(np.int64) << 16 | headers["plain"].astype(np.int64) << 8 | headers["zeros"]
    for key in np.unique(alike):
        chunks = np.flatnonzero(alike == key)
        kind, width, plain, zeros = (int(headers[name][chunks[0]]) for name in ("kind", "width", "plain", "zeros"))
        if kind == ABSENT:
            continue
        count = counts[chunks]
        planes = _planes(packed.bodies, chunks, count, width, plain, names)
        found = _values(planes, kind, zeros, count, headers["base"][chunks])
        if len(chunks) == len(counts):
            return found
        here = np.concatenate([[0], np.cumsum(count)])
        for first, last, end, size in zip(
            here[:-1].tolist(), here[1:].tolist(), ends[chunks].tolist(), count.tolist(), strict=True
        ):
            values[end - size : end] = found[first:last]
    return values


def _numbers(
    values: Int64Array, starts: Int64Array, counts: Int64Array, kinds: npt.NDArray[np.uint8]
) -> tuple[UInt64Array, Int64Array]:
    """Return what is stored of each value, not negative, and the base of each chunk; marks RISING among the kinds."""
    with np.errstate(over="ignore"):
        # Differences wrap around at 64 bits and so does their sum: even extremes come back.
        steps = np.diff(values, prepend=values[:1])
    steps[starts] = 0
    base = np.where(kinds == OFFSETS, np.minimum.reduceat(values, starts), values[starts])
    kinds[(kinds == STEPS) & (np.minimum.reduceat(steps, starts) >= 0)] = RISING
    base[(kinds == BITS) | (kinds == ABSENT)] = 0
    kind = np.repeat(kinds, counts)
    numbers = np.where(kind == RISING, steps, 0)
    if (kinds == STEPS).any():
        numbers = np.where(kind == STEPS, (steps << 1) ^ (steps >> 63), numbers)
    if (kinds == OFFSETS).any():
        numbers = np.where(kind == OFFSETS, values - np.repeat(base, counts), numbers)
    if (kinds == BITS).any():
        numbers = np.where(kind == BITS, values, numbers)
    return numbers.view(np.uint64), base


def _zeros(
    numbers: UInt64Array, starts: Int64Array, counts: Int64Array, kinds: npt.NDArray[np.uint8]
) -> npt.NDArray[np.uint8]:
    """Divide the numbers of each chunk by the largest power of ten that divides them all; return the powers."""
    zeros = np.zeros(len(starts), dtype=np.uint8)
    candidates = (kinds == RISING) | (kinds == OFFSETS)
    # Whoever is divisible by ten is so in its first numbers: nearly every chunk is settled by looking at those.
    for ahead in range(1, 4):
        probe = np.minimum(starts + np.minimum(ahead, counts - 1), len(numbers) - 1)
        candidates &= numbers[probe] % np.uint64(10) == 0
    ends = starts + counts
    for chunk in np.flatnonzero(candidates).tolist():
        part = numbers[starts[chunk] : ends[chunk]]
        while zeros[chunk] < MOST_ZEROS and part.any() and not (part % np.uint64(10)).any():
            part //= np.uint64(10)
            zeros[chunk] += 1
    return zeros


def _noisy(lowest: npt.NDArray[np.uint8], starts: Int64Array, counts: Int64Array) -> npt.NDArray[np.bool_]:
    """Return of each chunk whether its lowest bytes hardly ever repeat: noise, which no compressor helps."""
    repeats = np.add.reduceat(np.r_[False, lowest[1:] == lowest[:-1]], starts, dtype=np.int64)
    return repeats * REPEATS_OF_NOISE < counts


def _body(planes: list[bytes], *, noisy: bool) -> tuple[int, bytes]:
    """Return how many planes are stored plain, and the bytes: those planes, then the rest in zstd."""
    best = (len(planes), b"".join(planes))
    limit = len(best[1]) * (1 - WORTHWHILE) if planes and len(planes[0]) < FEW_SAMPLES else len(best[1])
    for plain in {len(planes) - 1, len(planes) - 1 if noisy else 0} if planes else ():
        packed = b"".join(planes[:plain]) + zstd.compress(b"".join(planes[plain:]), ZSTD_LEVEL)
        if len(packed) < limit:
            best, limit = (plain, packed), len(packed)
    return best


def _planes(
    bodies: Sequence[bytes], chunks: Int64Array, counts: Int64Array, width: int, plain: int, names: Sequence[int]
) -> list[bytes]:
    """Return each byte plane of the chunks, all chunks on end."""
    cut = list(zip((bodies[chunk] for chunk in chunks.tolist()), counts.tolist(), chunks.tolist(), strict=True))
    if plain == width:
        for body, count, chunk in cut:
            if len(body) != width * count:
                raise Unreadable(f"telemetry chunk {names[chunk]}: a column is not {width} x {count} bytes long")
    upper = [
        _upper(body[plain * count :], (width - plain) * count, names[chunk])
        for body, count, chunk in cut
        if plain < width
    ]
    return [b"".join([body[byte * count : (byte + 1) * count] for body, count, _ in cut]) for byte in range(plain)] + [
        b"".join([part[byte * count : (byte + 1) * count] for part, (_, count, _) in zip(upper, cut, strict=True)])
        for byte in range(width - plain)
    ]


def _upper(frame: bytes, length: int, name: int) -> bytes:
    try:
        found = bytes(zstd.decompress(frame))
    except (RuntimeError, ValueError) as error:
        raise Unreadable(f"telemetry chunk {name}: its zstd frame does not unpack ({error})") from error
    if len(found) != length:
        raise Unreadable(f"telemetry chunk {name}: a zstd frame holds {len(found)} bytes, not {length}")
    return found


def _values(planes: list[bytes], kind: int, zeros: int, counts: Int64Array, base: Int64Array) -> Int64Array:
    total = int(counts.sum())
    size = next(one for one in (1, 2, 4, 8) if one >= len(planes))
    table = np.zeros((total, size), dtype=np.uint8)
    for byte, plane in enumerate(planes):
        table[:, byte] = np.frombuffer(plane, dtype=np.uint8)
    found = table.view(f"<u{size}").ravel().astype(np.int64)
    if zeros:
        found *= 10**zeros
    if kind == BITS:
        return found
    if kind == OFFSETS:
        found += np.repeat(base, counts)
        return found
    if kind == STEPS:
        unsigned = found.view(np.uint64)
        found = (unsigned >> np.uint64(1)).view(np.int64) ^ -(found & 1)
    # One running sum over all chunks: the first step of each leads from where the last one ended to its own base.
    starts = np.cumsum(counts) - counts
    found[starts] = base
    with np.errstate(over="ignore"):
        found[starts[1:]] -= np.add.reduceat(found, starts)[:-1]
        np.cumsum(found, out=found)
    return found
