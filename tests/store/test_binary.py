"""Frames as rows of PostgreSQL's binary COPY, as they are read back."""

from typing import Any

import numpy as np
import pandas as pd
import pytest
from django.db import connection
from hypothesis import given, settings
from hypothesis import strategies as st

from aiobserve.store.columns import as_columns, read_rows
from aiobserve.store.write.copy import copy_frame

pytestmark = pytest.mark.django_db

COLUMNS = {"number": "int8", "name": "varchar", "share": "float8", "note": "varchar", "seen_at": "timestamptz"}
TEXTS = st.none() | st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=5)
ROWS = st.lists(st.tuples(TEXTS, st.none() | st.floats(allow_nan=False), TEXTS), max_size=20)


def copied(rows: list[tuple[Any, ...]]) -> list[tuple[Any, ...]]:
    """Return the rows as they are read back in the order in which they were copied."""
    at = pd.Timestamp("2026-08-08T00:00:00.000001Z")
    frame = pd.DataFrame([(place, *row, at) for place, row in enumerate(rows)], columns=list(COLUMNS))
    frame["share"] = frame["share"].astype("float64")
    with connection.cursor() as cursor:
        cursor.execute("DROP TABLE IF EXISTS copied")
        cursor.execute(
            "CREATE TEMPORARY TABLE copied (number int8, name varchar, share float8, note varchar, seen_at timestamptz)"
        )
    copy_frame("copied", COLUMNS, frame)
    found = read_rows("SELECT number, name, share, note, seen_at FROM copied ORDER BY ctid", [])
    assert [row[0] for row in found] == list(range(len(rows)))
    assert all(row[-1] == at.to_pydatetime() for row in found)
    return [row[1:-1] for row in found]


@settings(max_examples=40, deadline=None)
@given(ROWS)
def test_texts_of_any_length_numbers_and_gaps_come_back_in_order(rows: list[tuple[Any, ...]]) -> None:
    assert copied(rows) == rows


def test_a_text_is_as_long_as_its_bytes() -> None:
    assert copied([("naïve", 1.0, ""), (None, None, "日本"), ("x", 2.0, None)]) == [
        ("naïve", 1.0, ""), (None, None, "日本"), ("x", 2.0, None),
    ]  # fmt: skip


def test_no_rows_have_columns_of_their_types_and_null_is_nan() -> None:
    types = {"pk": np.int64, "usd": np.float64}

    assert [values.dtype for values in as_columns([], types).values()] == [np.int64, np.float64]
    assert np.isnan(as_columns([(1, None)], types)["usd"]).tolist() == [True]
