"""The decimals of an amount, on numbers one can check in the head."""

from decimal import Decimal

from aiobserve.exports.focus import _parts
from aiobserve.reports.amounts import Amounts
from dashboards import formats
from dashboards.overview import _listed, _otherwise

KWH = 3_600_000_000


def test_emissions_are_off_as_far_as_the_energy_is() -> None:
    # 10 kWh +- 0.5 kWh at 400 g: 4 kg +- 0.2 kg.
    amounts = Amounts(energy_millij=10 * KWH, energy_error_millij=KWH // 2, carbon_microg=4_000_000_000)

    assert amounts.energy_error_kwh == Decimal("0.500")
    assert amounts.energy_error_share == Decimal("0.050")
    assert amounts.carbon_error_kg == Decimal("0.200")


def test_nothing_is_off_by_nothing() -> None:
    nothing = Amounts()

    assert (nothing.energy_error_share, nothing.carbon_error_kg, nothing.water_l) == (0, 0, 0)
    assert (_listed(nothing), _otherwise(nothing)) == ("", "")


def test_a_list_price_is_told_only_where_it_differs() -> None:
    assert _listed(Amounts(capacity_microusd=8_000_000, list_microusd=10_000_000)) == "at list price $10.00, 25.0% more"
    assert _listed(Amounts(capacity_microusd=8_000_000, list_microusd=8_000_000)) == ""


def test_other_methods_are_told_as_far_as_they_are_known() -> None:
    amounts = Amounts(carbon_market_microg=3_000_000_000, embodied_microg=500_000_000, water_microl=12_000_000_000)

    assert _otherwise(amounts) == "market-based 3.0 kgCO2e; manufacture 0.5 kgCO2e; water 12.0 m³"
    assert formats.energy(KWH, beside_millij=20_000 * KWH) == "0.001 MWh"
    assert formats.water(9_999_000_000) == "9,999 L"


def test_the_list_cost_of_every_component_is_in_one_part_alone() -> None:
    pool = Amounts(capacity_microusd=72_000_000, electricity_microusd=1_000_000, list_microusd=73_000_000)
    unused = Amounts(capacity_microusd=5_000_000)
    free_host = Amounts(electricity_microusd=2_000_000, list_microusd=2_000_000, energy_millij=KWH)
    rented = Amounts(gpu_millis=3_600_000, capacity_microusd=8, list_microusd=10)

    parts = {
        name: [
            (part.name, part.cost_microusd, part.list_microusd, part.quantity, part.unit) for part in _parts("x", one)
        ]
        for name, one in {"pool": pool, "unused": unused, "free_host": free_host, "rented": rented}.items()
    }

    assert parts == {
        "pool": [
            ("capacity", 72_000_000, 72_000_000, "1", "Days"),
            ("electricity", 1_000_000, 1_000_000, "0.000", "kWh"),
        ],
        "unused": [("capacity", 5_000_000, 0, "1", "Days")],
        "free_host": [("electricity", 2_000_000, 2_000_000, "1.000", "kWh")],
        "rented": [("capacity", 8, 10, "1.00", "GPU-Hours")],
    }
