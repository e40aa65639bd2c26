"""What an hour of an owned GPU costs."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aiobserve.domain.owned import BadTerms, OwnedGpu

HOURS_PER_YEAR = 8_760
# 35,040 USD over four years of 8,760 hours: a dollar an hour.
PLAIN = OwnedGpu(capex_usd=35_040, residual_usd=0, life_years=4)


def test_depreciation_is_even_over_the_life() -> None:
    assert PLAIN.usd_per_offered_hour() == 1.0


def test_what_it_will_fetch_is_not_depreciated() -> None:
    assert replace(PLAIN, residual_usd=17_520).usd_per_offered_hour() == 0.5


def test_running_costs_come_on_top() -> None:
    assert replace(PLAIN, running_usd_per_year=4_380).usd_per_offered_hour() == 1.5


def test_a_used_hour_bears_idle_time_up_to_the_floor() -> None:
    assert replace(PLAIN, utilisation_floor=0.8).usd_per_used_hour() == 1.25


@pytest.mark.parametrize(
    ("terms", "message"),
    [
        (replace(PLAIN, life_years=0), "a life of 0 years; give more than 0"),
        (replace(PLAIN, residual_usd=40_000), "a residual of 40000 USD of 35040 USD; give 0 to the cost"),
        (replace(PLAIN, residual_usd=-1), "a residual of -1 USD"),
        (replace(PLAIN, utilisation_floor=0.0), "a utilisation floor of 0.0; give more than 0 and at most 1"),
        (replace(PLAIN, utilisation_floor=1.1), "a utilisation floor of 1.1"),
    ],
)
def test_terms_that_give_no_price_are_refused_by_name(terms: OwnedGpu, message: str) -> None:
    with pytest.raises(BadTerms, match=message):
        terms.usd_per_used_hour()


@given(capex=st.floats(0, 1e6), fetched=st.floats(0, 1), life=st.floats(0.5, 20), running=st.floats(0, 1e5))
def test_the_price_of_all_hours_and_the_residual_are_what_was_spent(
    capex: float, fetched: float, life: float, running: float
) -> None:
    terms = OwnedGpu(capex, capex * fetched, life, running)

    earned = terms.usd_per_offered_hour() * life * HOURS_PER_YEAR + terms.residual_usd

    assert earned == pytest.approx(capex + running * life, abs=1e-6)
