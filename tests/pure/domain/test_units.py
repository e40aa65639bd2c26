from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from aiobserve.domain import units


def test_a_hundred_watts_for_an_hour_at_ten_cents_is_one_cent() -> None:
    energy_millij = 100 * units.SECONDS_PER_HOUR * units.MILLIJ_PER_J

    assert units.kwh(energy_millij) == Decimal("0.100")
    assert units.usd(10_000) == Decimal("0.01")


def test_a_bill_never_prints_negative_zero() -> None:
    assert str(units.usd(-1)) == "0.00"


@given(st.integers(-(10**15), 10**15))
def test_six_places_of_a_dollar_hold_every_microdollar(cost_microusd: int) -> None:
    assert int(units.usd(cost_microusd, 6) * units.MICROUSD_PER_USD) == cost_microusd
