import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from aiobserve.attribution.batches import split_columns
from aiobserve.attribution.split import CannotSplit, split_exactly, split_groups

WEIGHTS = st.lists(st.integers(0, 10**12), min_size=1, max_size=40).filter(any)


@given(total=st.integers(-(2**52), 2**52), weights=WEIGHTS)
def test_every_unit_is_given_exactly_once(total: int, weights: list[int]) -> None:
    parts = split_exactly(total, weights)

    assert sum(parts) == total


@given(total=st.integers(0, 2**52), weights=WEIGHTS)
def test_each_part_is_its_quota_rounded_down_or_up(total: int, weights: list[int]) -> None:
    parts = split_exactly(total, weights)

    whole = sum(weights)
    for part, weight in zip(parts, weights, strict=True):
        assert total * weight // whole <= part <= -(-total * weight // whole)


@given(total=st.integers(0, 2**52), weights=WEIGHTS)
def test_a_negative_amount_is_split_like_its_magnitude(total: int, weights: list[int]) -> None:
    assert split_exactly(-total, weights) == [-part for part in split_exactly(total, weights)]


def test_the_unit_that_is_left_goes_to_the_largest_remainder_then_to_the_first() -> None:
    assert split_exactly(10, [1, 1, 1]) == [4, 3, 3]
    assert split_exactly(100, [1, 2, 3]) == [17, 33, 50]


def test_four_quarters_of_a_gpu_hour_make_exactly_one() -> None:
    assert split_exactly(3_600_001, [250, 250, 250, 250]) == [900_001, 900_000, 900_000, 900_000]


def test_an_amount_without_any_weight_is_refused() -> None:
    with pytest.raises(CannotSplit, match="no weight"):
        split_exactly(5, [0, 0])


def test_an_amount_too_large_to_split_exactly_is_refused() -> None:
    with pytest.raises(CannotSplit, match="2\\*\\*52"):
        split_exactly(2**52 + 1, [1, 2])


@pytest.mark.parametrize("weights", [[2**62, 2**62], [2**62] * 4, [2**62] * 4 + [1], [2**52] * 4096, [2**63 - 1]])
def test_weights_whose_sum_wraps_around_are_called_too_large_and_not_nought(weights: list[int]) -> None:
    """In 64 bits the first sum is negative, the second nought and the third one."""
    with pytest.raises(CannotSplit, match=r"sum of weights \d+ exceeds 2\*\*52"):
        split_exactly(5, weights)
    with pytest.raises(CannotSplit, match=r"sum of weights \d+ exceeds 2\*\*52"):
        split_columns(np.array([[5]]), np.array(weights)[:, None])


def test_many_groups_of_weights_that_only_together_would_wrap_around_are_split() -> None:
    parts = split_groups(np.full(3000, 3), np.arange(3000), np.full(3000, 2**52))

    assert parts.tolist() == [3] * 3000
