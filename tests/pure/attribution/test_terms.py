"""What a site declares, through the engine: pools, PUE, contracts, commitments, embodied, water, list price, kept devices, hosts."""

from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
from hypothesis import given, settings
from hypothesis import strategies as st

from aiobserve.attribution.engine import attribute
from aiobserve.attribution.inputs import Pool, SiteInputs
from aiobserve.attribution.market import EnergyContract
from aiobserve.attribution.overhead import facility_overhead, pool_overhead, unused_commitment
from aiobserve.domain.account import MEASURES, Account, Component
from aiobserve.domain.quality import Quality
from tests.pure.attribution.sites import SPAN_S, WINDOWS, devices, signal, site, steady

HOUR = (0, SPAN_S)


def pool(power_w: float, usd_per_hour: float = 0.0, **more: Any) -> Pool:
    made = Pool(
        7, Component.NETWORK, np.full(WINDOWS, power_w), np.full(WINDOWS, Quality.ESTIMATED, np.int8),
        np.full(WINDOWS, usd_per_hour), False,
    )  # fmt: skip
    return replace(made, **more)


def amounts(inputs: SiteInputs) -> dict[tuple[Account, Component], dict[str, int]]:
    """Return what is not zero by account and component, and see that all of it sums to what was metered."""
    found = attribute(inputs)
    assert (found.charges[list(MEASURES)].sum() == found.metered[list(MEASURES)].sum()).all()
    sums = found.charges.groupby(["kind", "component"])[list(MEASURES)].sum()
    return {
        (Account(kind), Component(component)): {name: int(amount) for name, amount in row.items() if amount}
        for (kind, component), row in sums.iterrows()
    }


def test_a_pool_is_overhead_with_its_cost_electricity_and_carbon() -> None:
    # 50 W for an hour: 0.05 kWh, 25 g, half a cent; and 3 USD besides. Facility: a fifth of 150 W.
    found = amounts(site([steady(100.0)], [(0, 1, *HOUR, 1000)], pools=(pool(50.0, 3.0),)))

    assert found[(Account.OVERHEAD, Component.NETWORK)] == {
        "energy_millij": 180_000_000, "energy_error_millij": 90_000_000, "carbon_microg": 25_000_000,
        "carbon_market_microg": 25_000_000, "capacity_microusd": 3_000_000, "electricity_microusd": 5_000,
        "list_microusd": 3_005_000,
    }  # fmt: skip
    assert found[(Account.OVERHEAD, Component.FACILITY)]["energy_millij"] == 108_000_000


def test_a_metered_pool_has_no_band_and_its_id_stands_on_it() -> None:
    metered = pool(50.0, power_quality=np.full(WINDOWS, Quality.MEASURED, np.int8))

    charges = attribute(site([], [], pools=(metered,))).charges

    assert set(charges[charges["component"] == Component.NETWORK]["pool_id"]) == {7}
    assert set(charges[charges["component"] == Component.FACILITY]["pool_id"]) == {-1}
    assert (charges["energy_error_millij"] == 0).all()


def test_a_pool_that_includes_electricity_buys_none_and_still_emits() -> None:
    found = amounts(site([], [], pools=(pool(50.0, 3.0, includes_electricity=True),)))

    assert "electricity_microusd" not in found[(Account.OVERHEAD, Component.NETWORK)]
    assert "electricity_microusd" not in found[(Account.OVERHEAD, Component.FACILITY)]
    assert found[(Account.OVERHEAD, Component.NETWORK)]["carbon_microg"] == 25_000_000


def test_the_facility_draws_its_part_of_every_window() -> None:
    line = facility_overhead(
        np.array([1_000, 2_000]), np.array([100, 0]), np.array([1_000, 0]), np.array([1.5, 1.1]), np.ones(2, np.int8)
    )

    assert (line.energy_millij.tolist(), line.error_millij.tolist(), line.paid_millij.tolist()) == (
        [500, 200],
        [50, 0],
        [500, 0],
    )


def test_a_pool_line_is_whole_millijoules_and_microdollars_a_window() -> None:
    line = pool_overhead(pool(0.1, 0.000_002))

    assert line.energy_millij.tolist() == [90_000] * WINDOWS
    # Half a microdollar a window rounds to even.
    assert line.capacity_microusd.tolist() == [0] * WINDOWS


def test_unused_commitments_idle_and_have_no_list_price() -> None:
    found = amounts(site([], [], unused_commitment_usd=np.array([1.0, 0.0, 0.5, 0.0])))

    assert found[(Account.IDLE, Component.COMMITMENT)] == {"capacity_microusd": 1_500_000}
    assert unused_commitment(np.array([0.25])).capacity_microusd.tolist() == [250_000]


def test_a_contract_lowers_the_market_based_figure_and_not_the_location_based_one() -> None:
    # The site uses 0.12 kWh in the hour, 0.03 a window; 0.015 kWh a window are wind, the rest residual mix.
    wind = EnergyContract("ppa", 0.0, 0.015, 0.0, -(10**9), 10**9)

    found = amounts(site([steady(100.0)], [(0, 1, *HOUR, 1000)], contracts=(wind,), residual_g_per_kwh=signal(800.0)))[
        (Account.JOB, Component.GPU)
    ]

    assert found["carbon_microg"] == 50_000_000
    assert found["carbon_market_microg"] == 40_000_000


def test_embodied_carbon_goes_by_time_held_idle_time_included() -> None:
    made = devices(1, embodied_g_per_gpu_hour=np.array([20.0]))

    found = amounts(site([steady(100.0)], [(0, 1, *HOUR, 250)], devices=made))

    assert found[(Account.JOB, Component.GPU)]["embodied_microg"] == 5_000_000
    assert found[(Account.IDLE, Component.GPU)]["embodied_microg"] == 15_000_000


def test_water_follows_energy_and_is_none_where_no_factor_is_known() -> None:
    held = [(0, 1, *HOUR, 1000)]

    found = amounts(site([steady(100.0)], held, water_l_per_kwh=signal(1.8)))

    assert found[(Account.JOB, Component.GPU)]["water_microl"] == 180_000
    assert found[(Account.OVERHEAD, Component.FACILITY)]["water_microl"] == 36_000
    assert "water_microl" not in amounts(site([steady(100.0)], held))[(Account.JOB, Component.GPU)]


def test_list_cost_is_kept_beside_what_is_paid() -> None:
    made = devices(1, list_usd_per_gpu_hour=np.full((1, WINDOWS), 5.0))

    found = amounts(site([steady(100.0)], [(0, 1, *HOUR, 1000)], devices=made))[(Account.JOB, Component.GPU)]

    assert found["capacity_microusd"] == 2_000_000
    assert found["list_microusd"] == 5_000_000 + 10_000


def by_claimant(charges: pd.DataFrame, kind: Account, measure: str) -> dict[int, int]:
    sums = charges[charges["kind"] == kind].groupby("claimant")[measure].sum()
    return {int(claimant): int(amount) for claimant, amount in sums.items()}


def test_idle_time_of_a_kept_device_is_its_keepers() -> None:
    # Kept for claimant 9 in the first half hour; then it idles for nobody. Job 1 holds a quarter throughout.
    kept = devices(1, kept_for=np.array([[9, 9, -1, -1]]))

    charges = attribute(site([steady(20.0)], [(0, 1, *HOUR, 250)], devices=kept)).charges

    assert by_claimant(charges, Account.IDLE, "gpu_millis") == {9: 1_350_000, -1: 1_350_000}
    assert by_claimant(charges, Account.IDLE, "capacity_microusd") == {9: 750_000, -1: 750_000}
    assert by_claimant(charges, Account.JOB, "gpu_millis") == {1: 900_000}


def test_power_that_nobody_can_be_found_for_is_not_the_keepers() -> None:
    kept = devices(1, kept_for=np.full((1, WINDOWS), 9))

    charges = attribute(site([steady(100.0)], [], devices=kept)).charges

    assert by_claimant(charges, Account.IDLE, "energy_millij") == {9: 72_000_000}
    assert by_claimant(charges, Account.UNATTRIBUTED, "energy_millij") == {-1: 288_000_000}


def test_a_host_is_borne_by_whoever_holds_its_gpus_and_is_no_gpu_time() -> None:
    # Two GPUs and their server, which draws 200 W besides them, 100 W of it for being on. Job 1 holds one GPU.
    made = devices(
        3, component=np.array([Component.GPU, Component.GPU, Component.HOST], np.int8),
        share_millis=np.array([1000, 1000, 2000]), idle_w=np.array([20.0, 20.0, 50.0]),
        usd_per_gpu_hour=np.repeat([[2.0], [2.0], [0.0]], WINDOWS, axis=1),
        list_usd_per_gpu_hour=np.repeat([[2.0], [2.0], [0.0]], WINDOWS, axis=1),
    )  # fmt: skip

    found = amounts(
        site([steady(100.0), steady(20.0), steady(200.0)], [(0, 1, *HOUR, 1000), (2, 1, *HOUR, 1000)], devices=made)
    )

    assert found[(Account.JOB, Component.HOST)]["energy_millij"] == (50 + 100) * 3_600_000
    assert found[(Account.IDLE, Component.HOST)]["energy_millij"] == 50 * 3_600_000
    assert "gpu_millis" not in found[(Account.JOB, Component.HOST)]
    assert "capacity_microusd" not in found[(Account.JOB, Component.HOST)]
    assert found[(Account.JOB, Component.GPU)]["gpu_millis"] == 3_600_000


@settings(max_examples=60, deadline=None)
@given(
    power_w=st.floats(0, 1e5), usd=st.floats(0, 1e4), pue=st.floats(1, 3), unused=st.floats(0, 1e4),
    included=st.booleans(), watts=st.integers(0, 700),
)  # fmt: skip
def test_whatever_is_declared_the_site_is_devices_pools_and_facility(
    power_w: float, usd: float, pue: float, unused: float, included: bool, watts: int
) -> None:
    declared = pool(power_w, usd, includes_electricity=included)
    inputs = site(
        [steady(float(watts))], [(0, 1, *HOUR, 500)], pue=pue, pools=(declared,),
        unused_commitment_usd=np.full(WINDOWS, unused),
    )  # fmt: skip

    found = amounts(inputs)

    line = pool_overhead(declared)
    it_millij = watts * 900_000 + int(line.energy_millij[0])
    facility = found.get((Account.OVERHEAD, Component.FACILITY), {}).get("energy_millij", 0)
    assert facility == WINDOWS * round(it_millij * (pue - 1))
    total = sum(row.get("energy_millij", 0) for row in found.values())
    assert total == WINDOWS * it_millij + facility
    spent = sum(row.get("capacity_microusd", 0) for row in found.values())
    assert spent == 2_000_000 + WINDOWS * (round(usd * 250_000) + round(unused * 1_000_000))
