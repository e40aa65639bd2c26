"""Committed capacity: the used part at its own price, the rest at the ordinary one, and what nobody used."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from aiobserve.attribution.commitment import Committed, blended

WINDOW_MILLIS = 900_000
BOTH = np.array([True, True])


def committed(gpus: float, usd: float, devices: np.ndarray = BOTH, *, until_s: int = 900) -> Committed:
    return Committed(gpus, usd, devices, 0, until_s)


def one_window(
    commitments: list[Committed], *, offered: tuple[int, ...] = (WINDOW_MILLIS, WINDOW_MILLIS), ordinary: float = 4.0
) -> tuple[list[float], float]:
    """Return the price of each device and the unused money of a quarter of an hour."""
    shape = (len(offered), 1)
    prices, unused = blended(
        np.full(shape, ordinary), np.array(offered).reshape(shape), np.zeros(1, np.int64), commitments
    )
    return prices[:, 0].tolist(), float(unused[0])


def test_two_gpus_of_two_committed_ones_cost_the_committed_price() -> None:
    assert one_window([committed(2, 1.0)]) == ([1.0, 1.0], 0.0)


def test_what_runs_beyond_the_commitment_is_blended_in_at_the_ordinary_price() -> None:
    assert one_window([committed(1, 2.0)]) == ([3.0, 3.0], 0.0)


def test_what_nobody_used_is_left_over_as_money() -> None:
    # Four committed, two there: two GPUs for a quarter of an hour at 1 USD.
    assert one_window([committed(4, 1.0)]) == ([1.0, 1.0], 0.5)


def test_a_commitment_without_a_device_is_unused_altogether() -> None:
    assert one_window([committed(4, 1.0)], offered=(0, 0)) == ([4.0, 4.0], 1.0)


def test_a_second_commitment_covers_what_the_first_left() -> None:
    # One GPU at 1 USD and one at 3 USD: 2 USD each on average, and nothing at the ordinary price.
    assert one_window([committed(1, 1.0), committed(1, 3.0)], ordinary=10.0) == ([2.0, 2.0], 0.0)


def test_a_commitment_covers_its_own_devices_only() -> None:
    assert one_window([committed(1, 1.0, np.array([True, False]))]) == ([1.0, 4.0], 0.0)


def test_a_commitment_that_has_ended_neither_rebates_nor_costs() -> None:
    assert one_window([committed(1, 1.0, until_s=0)]) == ([4.0, 4.0], 0.0)


@given(
    gpus=st.lists(st.floats(0, 5), max_size=4),
    usd=st.lists(st.floats(0, 10), min_size=4, max_size=4),
    offered=st.lists(st.integers(0, 8 * WINDOW_MILLIS), min_size=3, max_size=3),
    ordinary=st.floats(0, 10),
    mask=st.lists(st.lists(st.booleans(), min_size=3, max_size=3), min_size=4, max_size=4),
)
def test_paid_and_unused_are_what_was_committed_and_what_ran_beyond_it(
    gpus: list[float], usd: list[float], offered: list[int], ordinary: float, mask: list[list[bool]]
) -> None:
    commitments = [committed(count, price, np.array(here)) for count, price, here in zip(gpus, usd, mask, strict=False)]

    prices, unused = one_window(commitments, offered=tuple(offered), ordinary=ordinary)

    # What is left to pay at the ordinary price once every commitment took what it could, device by device.
    left = [float(millis) for millis in offered]
    committed_usd = 0.0
    for one in commitments:
        there = sum(millis for millis, here in zip(left, one.devices, strict=True) if here)
        taken = min(one.gpus * WINDOW_MILLIS, there)
        left = [m * (1 - taken / there) if here and there else m for m, here in zip(left, one.devices, strict=True)]
        committed_usd += one.gpus / 4 * one.usd_per_gpu_hour
    paid = sum(price * millis / 3_600_000 for price, millis in zip(prices, offered, strict=True))
    assert paid + unused == pytest.approx(committed_usd + sum(left) / 3_600_000 * ordinary, abs=1e-9)
    assert unused >= 0
