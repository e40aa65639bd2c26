"""Splitting side by side comes to the same as splitting group by group."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from aiobserve.attribution.batches import Batch, split_columns
from aiobserve.attribution.split import CannotSplit, split_exactly


@given(
    size=st.integers(1, 12),
    seed=st.integers(0, 2**32),
    largest=st.sampled_from([3, 1_000, 2**40]),
    total=st.sampled_from([5, 10**6, 2**52]),
)
def test_every_column_is_split_as_by_itself(size: int, seed: int, largest: int, total: int) -> None:
    rng = np.random.default_rng(seed)
    weights = rng.integers(0, largest, (size, 6), endpoint=True)
    weights[0] += weights.sum(axis=0) == 0
    totals = rng.integers(-total, total, (3, 6), endpoint=True)

    parts = split_columns(totals, weights)

    for one in range(3):
        for column in range(6):
            assert parts[one, :, column].tolist() == split_exactly(
                int(totals[one, column]), weights[:, column].tolist()
            )


def test_a_column_without_weight_splits_nothing_and_refuses_anything_else() -> None:
    weights = np.array([[0, 1], [0, 1]])

    assert split_columns(np.array([[0, 3]]), weights).tolist() == [[[0, 2], [0, 1]]]
    with pytest.raises(CannotSplit, match=r"amount of 7 has no weight .*group 0"):
        split_columns(np.array([[0, 3], [7, 3]]), weights)


def test_a_batch_is_a_matrix_of_places_by_groups() -> None:
    batch = Batch(np.array([4, 9, 11]), size=2, start=1)

    assert batch.matrix(np.arange(10)).tolist() == [[1, 2, 3], [4, 5, 6]]
