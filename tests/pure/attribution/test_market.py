"""Market-based intensity: contracts first, the residual mix for what they leave."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from aiobserve.attribution.market import EnergyContract, market_intensity

ALWAYS = (-(10**12), 10**12)


def ppa(kwh: float, g_per_kwh: float = 0.0, valid: tuple[int, int] = ALWAYS) -> EnergyContract:
    return EnergyContract("ppa", g_per_kwh, kwh, 0.0, *valid)


def tariff(share_ratio: float, g_per_kwh: float = 0.0) -> EnergyContract:
    return EnergyContract("tariff", g_per_kwh, None, share_ratio, *ALWAYS)


def intensity(*contracts: EnergyContract, used_kwh: float = 10.0, residual: float = 600.0) -> float:
    found = market_intensity(np.zeros(1, np.int64), np.array([used_kwh]), contracts, np.array([residual]))
    return float(found[0])


def test_without_a_contract_all_is_residual() -> None:
    assert intensity() == 600.0


def test_half_covered_by_wind_is_half_the_residual_mix() -> None:
    assert intensity(ppa(5.0)) == 300.0


def test_more_than_is_used_covers_no_more_than_is_used() -> None:
    assert intensity(ppa(50.0, 12.0)) == 12.0


def test_the_first_contract_is_used_up_before_the_next() -> None:
    # 5 kWh at 0, the next 5 at 30: nothing is left for the third, nor for the residual mix.
    assert intensity(ppa(5.0), ppa(20.0, 30.0), ppa(5.0, 900.0)) == 15.0


def test_a_share_is_of_all_that_is_used_not_of_what_is_left() -> None:
    assert intensity(ppa(5.0), tariff(0.25, 40.0)) == (0.25 * 40 + 0.25 * 600)


def test_a_contract_counts_from_its_first_window_to_before_its_end() -> None:
    start_s = np.array([0, 900, 1_800])

    found = market_intensity(start_s, np.full(3, 10.0), (ppa(10.0, valid=(900, 1_800)),), np.full(3, 600.0))

    assert found.tolist() == [600.0, 0.0, 600.0]


def test_a_window_in_which_nothing_is_used_has_the_residual_mix() -> None:
    assert intensity(ppa(5.0), used_kwh=0.0) == 600.0


@given(
    used_kwh=st.floats(0.001, 1e6),
    volumes=st.lists(st.tuples(st.floats(0, 1e6), st.floats(0, 1_000)), max_size=4),
    share=st.floats(0, 1),
    residual=st.floats(0, 1_000),
)
def test_no_more_and_no_less_is_counted_than_was_used(
    used_kwh: float, volumes: list[tuple[float, float]], share: float, residual: float
) -> None:
    contracts = [*(ppa(kwh, g) for kwh, g in volumes), tariff(share, 50.0)]

    found = intensity(*contracts, used_kwh=used_kwh, residual=residual)

    # A mean of the contracts' and the residual intensities lies between them; and if all are the same, so is the mean.
    parts = [residual, 50.0, *(g for _, g in volumes)]
    assert min(parts) - 1e-6 <= found <= max(parts) + 1e-6
    same = intensity(*(ppa(kwh, 70.0) for kwh, _ in volumes), tariff(share, 70.0), used_kwh=used_kwh, residual=70.0)
    assert same == pytest.approx(70.0)
