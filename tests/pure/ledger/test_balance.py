import pandas as pd
import pytest

from aiobserve.domain.account import MEASURES, Account, Component
from aiobserve.ledger.balance import Unbalanced
from aiobserve.ledger.post import postings

QUALITIES = {"energy_quality": 1, "carbon_quality": 1, "cost_quality": 1}


def charges(**amounts: int) -> pd.DataFrame:
    row = {
        "window_start_s": 900,
        "kind": int(Account.JOB),
        "component": int(Component.GPU),
        "claimant": 0,
        "pool_id": -1,
        **QUALITIES,
        **dict.fromkeys(MEASURES, 0),
        **amounts,
    }
    return pd.DataFrame([row])


def metered(**amounts: int) -> pd.DataFrame:
    return pd.DataFrame([{"window_start_s": 900, **dict.fromkeys(MEASURES, 0), **amounts}])


def test_what_is_charged_stands_against_what_was_metered() -> None:
    both = postings(charges(energy_millij=7), metered(energy_millij=7))

    assert dict(zip(both["account"], both["energy_millij"], strict=True)) == {Account.JOB: 7, Account.METERED: -7}


def test_a_window_that_is_off_by_one_unit_is_not_posted() -> None:
    with pytest.raises(Unbalanced, match="the first is 900"):
        postings(charges(energy_millij=7), metered(energy_millij=8))


def test_something_metered_that_nobody_was_charged_is_not_posted() -> None:
    with pytest.raises(Unbalanced):
        postings(charges(energy_millij=7).iloc[:0], metered(energy_millij=7))
