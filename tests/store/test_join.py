"""Pieces of telemetry become one series a device, whatever their order, overlap or repetition."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from aiobserve.store.read.join import Pieces, joined, trimmed

DEVICES = 4
# Pieces in order of priority: device, instants (sorted in a chunk, in any order in hot rows).
pieces_of = st.lists(
    st.tuples(st.integers(0, DEVICES - 1), st.lists(st.integers(0, 60), min_size=1, max_size=8)), max_size=8
)


def made(found: list[tuple[int, list[int]]]) -> Pieces:
    """Return pieces whose reading tells them apart: piece x 1000 + position; every third is missing."""
    readings = [
        np.nan if (i + j) % 3 == 0 else i * 1000.0 + j for i, (_, at) in enumerate(found) for j in range(len(at))
    ]
    return Pieces(
        np.array([device for device, _ in found], dtype=np.int64),
        np.arange(len(found)),
        np.array([len(at) for _, at in found], dtype=np.int64),
        np.array([one for _, at in found for one in at], dtype=np.int64),
        {"energy_millij": np.array(readings)},
    )


def plainly(found: list[tuple[int, list[int]]]) -> list[list[tuple[int, float]]]:
    """Return what `joined` must: for each device the first reading at each instant, in order of time."""
    values = iter(made(found).readings["energy_millij"].tolist())
    devices: list[dict[int, float]] = [{} for _ in range(DEVICES)]
    for device, instants in found:
        for at in instants:
            devices[device].setdefault(at, next(values)) if at not in devices[device] else next(values)
    return [sorted(one.items()) for one in devices]


def listed(series: object) -> list[list[tuple[int, float]]]:
    offsets, at_us, energy = series.offsets, series.at_us, series.readings["energy_millij"]  # type: ignore[attr-defined]
    return [
        list(zip(at_us[first:last].tolist(), energy[first:last].tolist(), strict=True))
        for first, last in zip(offsets[:-1], offsets[1:], strict=True)
    ]


@given(pieces_of)
def test_the_first_sample_of_each_device_and_instant_is_kept_in_order(found: list[tuple[int, list[int]]]) -> None:
    assert repr(listed(joined(made(found), DEVICES))) == repr(plainly(found))


@given(pieces_of, st.integers(0, 60), st.integers(0, 30), st.integers(0, 20))
def test_the_nearest_reading_on_either_side_is_kept_and_nothing_beyond_it(
    found: list[tuple[int, list[int]]], start: int, length: int, margin: int
) -> None:
    end = start + length

    cut = trimmed(joined(made(found), DEVICES), (start, end), at_most_us=(start - margin, end + margin))

    for kept, samples in zip(listed(cut), plainly(found), strict=True):
        read = [at for at, value in samples if value == value]
        before = [at for at in read if start - margin <= at < start]
        after = [at for at in read if end <= at < end + margin]
        first, last = max(before, default=start), min(after, default=end - 1)
        assert repr(kept) == repr([one for one in samples if first <= one[0] <= last])


def test_pieces_that_follow_each_other_are_not_copied() -> None:
    pieces = made([(0, [1, 2]), (0, [3]), (2, [1, 5])])

    assert joined(pieces, DEVICES).at_us is pieces.at_us
