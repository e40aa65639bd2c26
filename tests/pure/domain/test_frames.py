import pandas as pd
import pytest

from aiobserve.domain.frames import ACCOUNTS
from aiobserve.domain.schema import BadFrame


def test_a_missing_column_is_named_with_those_that_are_there() -> None:
    with pytest.raises(BadFrame, match="missing column team.*found account"):
        ACCOUNTS.check(pd.DataFrame({"account": ["a"], "project": ["p"]}))


def test_a_missing_value_is_refused_where_none_may_be() -> None:
    frame = pd.DataFrame(
        {
            "account": ["a"],
            "team": [None],
            "project": ["p"],
            "valid_from_at": [pd.Timestamp(0, tz="UTC")],
            "valid_to_at": [pd.NaT],
        }
    )

    with pytest.raises(BadFrame, match="accounts.team: 1 missing"):
        ACCOUNTS.check(frame)


def test_a_naive_instant_is_refused() -> None:
    frame = pd.DataFrame(
        {"account": ["a"], "team": ["t"], "project": ["p"], "valid_from_at": [pd.Timestamp(0)], "valid_to_at": [pd.NaT]}
    )

    with pytest.raises(BadFrame, match="valid_from_at"):
        ACCOUNTS.check(frame)
