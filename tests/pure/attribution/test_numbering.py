"""Numbering rows by keys and joining on them, against pandas."""

import numpy as np
import pandas as pd
from hypothesis import given
from hypothesis import strategies as st

from aiobserve.attribution.numbering import matched, numbered

keys = st.lists(st.tuples(st.integers(0, 3), st.integers(-2, 2)), max_size=12)


def columns(rows: list[tuple[int, int]]) -> list[np.ndarray]:
    return list(np.array(rows, dtype=np.int64).reshape(-1, 2).T)


def test_missing_values_are_equal_and_come_last() -> None:
    number, first = numbered([np.array([np.nan, 7.0, np.nan]), np.array([1, 1, 1])])

    assert number.tolist() == [1, 0, 1]
    assert first.tolist() == [1, 0]


def test_a_row_without_a_match_stays_with_none() -> None:
    row, match = matched([np.array([5, 6])], [np.array([6, 4, 6])])

    assert row.tolist() == [0, 1, 1]
    assert match.tolist() == [-1, 0, 2]


@given(keys)
def test_numbers_are_those_of_a_sorted_grouping(rows: list[tuple[int, int]]) -> None:
    number, first = numbered(columns(rows))

    frame = pd.DataFrame(rows, columns=["a", "b"])
    assert number.tolist() == frame.groupby(["a", "b"], sort=True).ngroup().tolist()
    assert first.tolist() == [number.tolist().index(one) for one in range(len(first))]


@given(keys, keys)
def test_a_join_is_that_of_pandas(left: list[tuple[int, int]], right: list[tuple[int, int]]) -> None:
    row, match = matched(columns(left), columns(right))

    one, other = (pd.DataFrame(rows, columns=["a", "b"]).assign(at=range(len(rows))) for rows in (left, right))
    joined = one.merge(other, on=["a", "b"], how="left", suffixes=("", "_right"))
    assert row.tolist() == joined["at"].tolist()
    assert match.tolist() == joined["at_right"].fillna(-1).tolist()
