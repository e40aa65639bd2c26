"""The price of a GPU-hour by window, from dated prices."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aiobserve.attribution.price import RateMissing, WindowPrice, price_in_windows
from aiobserve.domain.quality import Quality

EDGE_S = np.array([0, 900, 1_800])
EVER = 10**9


def price(usd: float, **more: Any) -> dict[str, Any]:
    """Return a price of an A100 for all sites and contracts and all time; `more` replaces any column."""
    row = {
        "sku": "A100", "contract": "", "usd_per_gpu_hour": usd, "list_usd_per_gpu_hour": np.nan, "quality": 1,
        "includes_electricity": False, "of_site": False, "valid_from_s": -EVER, "valid_to_s": EVER,
    }  # fmt: skip
    return row | more


def found(*rows: dict[str, Any], contract: str = "", sku: str = "A100") -> WindowPrice:
    known = {name: np.array([row[name] for row in rows]) for name in price(0.0)}
    return price_in_windows(known, sku=sku, contract=contract, site="lab", edge_s=EDGE_S)


def test_spot_prices_that_change_inside_a_window_count_for_their_seconds() -> None:
    # 300 s at 3 USD and 600 s at 6 USD are 5 USD on average.
    spot = found(price(3.0, valid_to_s=300), price(6.0, valid_from_s=300))

    assert spot.usd_per_gpu_hour.tolist() == [5.0, 6.0]
    assert spot.list_usd_per_gpu_hour.tolist() == [5.0, 6.0]


def test_a_later_price_goes_before_an_earlier_one() -> None:
    assert found(price(9.0, valid_from_s=900), price(2.0)).usd_per_gpu_hour.tolist() == [2.0, 9.0]


def test_a_sites_own_price_goes_before_one_for_all_even_a_later_one() -> None:
    prices = found(price(1.0, of_site=True), price(2.0, valid_from_s=0))

    assert prices.usd_per_gpu_hour.tolist() == [1.0, 1.0]


def test_a_contracts_price_goes_before_a_sites() -> None:
    known = (price(1.0, contract="reserved"), price(2.0, of_site=True))

    assert found(*known, contract="reserved").usd_per_gpu_hour.tolist() == [1.0, 1.0]
    assert found(*known).usd_per_gpu_hour.tolist() == [2.0, 2.0]


def test_a_contract_without_a_price_of_its_own_pays_the_ordinary_one() -> None:
    assert found(price(2.0), price(1.0, contract="spot"), contract="reserved").usd_per_gpu_hour.tolist() == [2.0, 2.0]


def test_the_list_price_is_kept_beside_the_effective_one() -> None:
    prices = found(price(3.0, list_usd_per_gpu_hour=10.0))

    assert prices.usd_per_gpu_hour.tolist() == [3.0, 3.0]
    assert prices.list_usd_per_gpu_hour.tolist() == [10.0, 10.0]


def test_the_worst_quality_in_a_window_counts_and_electricity_as_at_its_start() -> None:
    prices = found(price(3.0, valid_to_s=1_000, includes_electricity=True), price(3.0, valid_from_s=1_000, quality=3))

    assert prices.quality.tolist() == [Quality.MEASURED, Quality.ASSUMED]
    assert prices.includes_electricity.tolist() == [True, True]


def test_one_price_is_not_touched_by_rounding() -> None:
    assert found(price(0.1)).usd_per_gpu_hour.tolist() == [0.1, 0.1]


@pytest.mark.parametrize(
    ("contract", "message"),
    [
        ("", "no price per GPU-hour for A100 at lab from 1970-01-01T00:16:40"),
        ("spot", "for A100 under contract spot at lab from 1970-01-01T00:16:40"),
    ],
)
def test_a_missing_price_names_kind_contract_site_and_instant(contract: str, message: str) -> None:
    with pytest.raises(RateMissing, match=message):
        found(price(2.0, valid_to_s=1_000), price(2.0, sku="H100"), price(2.0, contract="other"), contract=contract)


def test_no_price_at_all_is_missing_from_the_first_window_on() -> None:
    with pytest.raises(RateMissing, match="for H100 at lab from 1970-01-01T00:00:00"):
        found(price(2.0), sku="H100")


@settings(max_examples=50, deadline=None)
@given(
    changes=st.lists(st.tuples(st.integers(0, 1_800), st.integers(0, 100)), max_size=6, unique_by=lambda one: one[0])
)
def test_the_mean_over_all_windows_is_the_mean_over_time(changes: list[tuple[int, int]]) -> None:
    prices = found(price(7.0), *(price(float(usd), valid_from_s=at_s) for at_s, usd in changes))

    by_second = np.full(1_800, 7.0)
    for at_s, usd in sorted(changes):
        by_second[at_s:] = usd
    assert prices.usd_per_gpu_hour.mean() == pytest.approx(by_second.mean())
