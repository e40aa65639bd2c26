"""What is packed comes back, whatever it is; what is damaged is named."""

import base64

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numcodecs import Delta, Shuffle, Zstd

from aiobserve.store.codec import column
from aiobserve.store.codec.chunk import (
    FORMAT_VERSION,
    READINGS,
    CorruptChunk,
    Samples,
    UnknownFormat,
    as_kept,
    pack_chunks,
    unpack_chunks,
)

EXTREMES = [-(2**63), 2**63 - 1, 0, -1, 1]
whole_numbers = st.one_of(st.integers(-(2**63), 2**63 - 1), st.sampled_from(EXTREMES), st.integers(-5, 5))
counters = st.one_of(
    st.just(float("nan")), st.integers(0, 2**53).map(float), st.sampled_from([0.0, 1e300, float("inf"), -float("inf")])
)
powers = st.one_of(st.just(float("nan")), st.integers(0, 200_000).map(lambda one: one / 100))


def packed_samples(chunks: list[list[tuple[int, float, float]]]) -> Samples:
    """Return chunks of (instant, counter, power); utilisation is a quarter and memory is never read."""
    rows = [row for chunk in chunks for row in chunk]
    starts = np.cumsum([0, *[len(chunk) for chunk in chunks]])[:-1]
    readings = {
        "energy_millij": np.array([row[1] for row in rows]),
        "power_w": np.array([row[2] for row in rows]),
        "utilisation_ratio": np.full(len(rows), 0.25),
        "memory_mib": np.full(len(rows), np.nan),
    }
    return Samples(starts.astype(np.int64), np.array([row[0] for row in rows], dtype=np.int64), readings)


@given(
    chunks=st.lists(st.lists(whole_numbers, min_size=1, max_size=40), min_size=1, max_size=5),
    kind=st.sampled_from([column.STEPS, column.OFFSETS, column.BITS]),
)
def test_a_column_of_any_whole_numbers_comes_back(chunks: list[list[int]], kind: int) -> None:
    values = np.array([value for chunk in chunks for value in chunk], dtype=np.int64)
    counts = np.array([len(chunk) for chunk in chunks], dtype=np.int64)

    packed = column.encode(values, np.cumsum(counts) - counts, np.full(len(chunks), kind, dtype=np.uint8))

    assert (column.decode(packed, counts, names=range(len(chunks))) == values).all()


@given(st.lists(st.lists(st.tuples(whole_numbers, counters, powers), min_size=1, max_size=30), min_size=1, max_size=4))
def test_samples_come_back_with_gaps_falls_doubles_and_extremes(chunks: list[list[tuple[int, float, float]]]) -> None:
    samples = packed_samples(chunks)

    payloads, details = pack_chunks(samples)
    back = unpack_chunks(payloads, details, columns=READINGS)

    assert (back.starts == samples.starts).all()
    assert (back.at_us == samples.at_us).all()
    for name in READINGS:
        np.testing.assert_array_equal(back.readings[name], samples.readings[name], err_msg=name)


@given(st.floats(0, 2000))
def test_power_is_kept_to_the_hundredth_of_a_watt_and_is_the_same_hot_and_packed(power_w: float) -> None:
    kept = as_kept("power_w", np.array([power_w]))

    payloads, details = pack_chunks(packed_samples([[(0, 1.0, power_w)]]))

    assert abs(kept[0] - power_w) <= 0.005 + 1e-9
    assert unpack_chunks(payloads, details, columns=["power_w"]).readings["power_w"][0] == kept[0]


def test_the_counter_alone_is_read_without_the_details() -> None:
    payloads, _ = pack_chunks(packed_samples([[(0, 5.0, 1.0), (15, 7.0, 1.0)], [(3, 1.0, 1.0)]]))

    back = unpack_chunks(payloads)

    assert back.readings["energy_millij"].tolist() == [5.0, 7.0, 1.0]
    assert list(back.readings) == ["energy_millij"]


def test_noise_of_a_whole_day_takes_less_than_ten_bytes_a_sample() -> None:
    rng = np.random.default_rng(1)
    power = rng.normal(300, 40, 5760)
    at_us = np.rint((np.arange(5760) * 15 + rng.uniform(0, 1, 5760)) * 1e6).astype(np.int64)
    energy = np.cumsum(np.rint(power * 1000 * np.diff(at_us, prepend=0) / 1e6))
    readings = {
        "energy_millij": energy, "power_w": power, "utilisation_ratio": np.round(rng.uniform(0, 1, 5760), 2),
        "memory_mib": np.round(rng.normal(40_000, 500, 5760)),
    }  # fmt: skip

    payloads, details = pack_chunks(Samples(np.zeros(1, np.int64), at_us, readings))

    assert (len(payloads[0]) + len(details[0])) / 5760 < 9.4


def test_a_regular_idle_device_takes_next_to_nothing() -> None:
    at_us = np.arange(5760, dtype=np.int64) * 15_000_000
    still = {name: np.full(5760, 20.0) for name in READINGS} | {"energy_millij": np.arange(5760) * 300_000.0}

    payloads, details = pack_chunks(Samples(np.zeros(1, np.int64), at_us, still))

    assert len(payloads[0]) + len(details[0]) < 300


@given(st.data())
def test_any_damaged_byte_is_noticed_and_the_chunk_is_named(data: st.DataObject) -> None:
    payloads, details = pack_chunks(packed_samples([[(i, i * i * 1.0, 1.5 * i) for i in range(50)]]))
    which = data.draw(st.sampled_from([payloads, details]))
    position = data.draw(st.integers(2, len(which[0]) - 1))
    if data.draw(st.booleans()):
        which[0] = which[0][:position]
    else:
        which[0] = which[0][:position] + bytes([which[0][position] ^ 0x10]) + which[0][position + 1 :]

    with pytest.raises(CorruptChunk, match=r"telemetry chunk 4711: .*restore the row from a backup"):
        unpack_chunks(payloads, details, columns=READINGS, names=[4711])


def test_parts_of_two_chunks_do_not_go_together() -> None:
    payloads, _ = pack_chunks(packed_samples([[(0, 1.0, 1.0)]]))
    _, details = pack_chunks(packed_samples([[(0, 1.0, 1.0), (1, 1.0, 1.0)]]))

    with pytest.raises(CorruptChunk, match="its two parts do not match"):
        unpack_chunks(payloads, details, columns=READINGS)


def test_a_format_of_the_future_is_refused() -> None:
    with pytest.raises(UnknownFormat, match=r"chunk 7 is of format 99; this version reads up to 2: upgrade aiobserve"):
        unpack_chunks([bytes([99]) + b"x"], names=[7])


def test_an_empty_payload_is_corrupt_not_a_crash() -> None:
    with pytest.raises(CorruptChunk, match="telemetry chunk 7 is empty"):
        unpack_chunks([b""], names=[7])


def format_1(at_us: list[int], counter: list[int], power_mw: list[int]) -> bytes:
    """Return what the first version wrote: delta, shuffle and zstd of each column behind its length."""
    missing = np.iinfo(np.int32).min
    parts = []
    for values, dtype in (
        (at_us, "<i8"), (counter, "<i8"), (power_mw, "<i4"), ([2500] * len(at_us), "<i4"), ([missing] * len(at_us), "<i4"),
    ):  # fmt: skip
        delta = Delta(dtype=dtype).encode(np.array(values, dtype=dtype))
        part = bytes(Zstd(level=3).encode(Shuffle(np.dtype(dtype).itemsize).encode(delta)))
        parts.append(len(part).to_bytes(4, "big") + part)
    return bytes([1]) + b"".join(parts)


def test_the_first_format_is_still_read_alone_and_beside_the_second() -> None:
    old = format_1([10, 20, 30], [100, np.iinfo(np.int64).min, 300], [1500, 2500, 3500])
    payloads, details = pack_chunks(packed_samples([[(40, 400.0, 4.5)]]))

    back = unpack_chunks([old, *payloads], [b"", *details], columns=READINGS)

    assert FORMAT_VERSION == 2
    assert back.at_us.tolist() == [10, 20, 30, 40]
    np.testing.assert_array_equal(back.readings["energy_millij"], [100, np.nan, 300, 400])
    assert back.readings["power_w"].tolist() == [1.5, 2.5, 3.5, 4.5]
    assert np.isnan(back.readings["memory_mib"]).all()


def test_a_damaged_chunk_of_the_first_format_is_named() -> None:
    with pytest.raises(CorruptChunk, match="telemetry chunk 5 of format 1"):
        unpack_chunks([format_1([1], [1], [1])[:-3]], names=[5])


# A chunk as the first version wrote it (counter 1000, 16000, 31500, 100; the second power missing), kept as bytes.
KEPT_BYTES = (
    "AQAAACkotS/9ICABAQAAwFAwwOGyEZrk6OFEAAAA/wAAAEsAAAAGAAAAAAAAAAAAABsotS/9ICCVAABg6JiMWAM6PIUAAAD/AQDT"
    "LgkAAAAZKLUv/SAQgQAAXaPkFJRrvNME+wT/AH+A/wAAABkotS/9IBCBAACIxMTwEwkJ2AAAAP8AAAD/AAAAGSi1L/0gEIEAAAAB"
    "AQEAAAAAAAAAAICAAAA="
)


def test_bytes_that_the_first_version_wrote_are_read() -> None:
    back = unpack_chunks([base64.b64decode(KEPT_BYTES)], [b""], columns=READINGS)

    assert np.diff(back.at_us).tolist() == [15_000_000, 15_250_000, 14_750_000]
    assert back.readings["energy_millij"].tolist() == [1000.0, 16000.0, 31500.0, 100.0]
    np.testing.assert_array_equal(back.readings["power_w"], [300.125, np.nan, 310.5, 299.0])
    assert back.readings["utilisation_ratio"].tolist() == [0.5, 0.75, 1.0, 0.0]
