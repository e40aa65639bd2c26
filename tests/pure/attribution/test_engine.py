"""Conservation over random sites, and small ones that can be checked in the head."""

from aiobserve.attribution.engine import attribute
from aiobserve.attribution.inputs import SiteInputs
from aiobserve.domain.account import MEASURES, Account
from aiobserve.domain.quality import Quality
from tests.pure.attribution.sites import SPAN_S, site, steady


def by_kind(inputs: SiteInputs) -> dict[Account, dict[str, int]]:
    charges = attribute(inputs).charges
    return {Account(kind): rows[list(MEASURES)].sum().to_dict() for kind, rows in charges.groupby("kind")}


def test_a_busy_gpu_pays_for_all_that_it_draws() -> None:
    charged = by_kind(site([steady(100.0)], [(0, 7, 0, SPAN_S, 1000)]))

    assert {name: amount for name, amount in charged[Account.JOB].items() if amount} == {
        "gpu_millis": 3_600_000, "energy_millij": 360_000_000, "energy_error_millij": 18_000_000,
        "carbon_microg": 50_000_000, "carbon_market_microg": 50_000_000,
        "capacity_microusd": 2_000_000, "electricity_microusd": 10_000, "list_microusd": 2_010_000,
    }  # fmt: skip
    assert charged[Account.OVERHEAD]["energy_millij"] == 72_000_000


def test_an_allocated_idle_gpu_pays_its_idle_power_and_its_rent() -> None:
    charged = by_kind(site([steady(20.0)], [(0, 7, 0, SPAN_S, 1000)]))

    assert charged[Account.JOB]["energy_millij"] == 72_000_000
    assert charged[Account.JOB]["capacity_microusd"] == 2_000_000
    assert Account.IDLE not in charged


def test_what_nobody_held_is_idle() -> None:
    charged = by_kind(site([steady(20.0)], []))

    assert charged[Account.IDLE]["gpu_millis"] == 3_600_000
    assert charged[Account.IDLE]["energy_millij"] == 72_000_000
    assert Account.UNATTRIBUTED not in charged


def test_power_that_nobody_can_be_found_for_is_unattributed() -> None:
    charged = by_kind(site([steady(100.0)], []))

    assert charged[Account.UNATTRIBUTED]["energy_millij"] == 360_000_000 - 72_000_000
    assert charged[Account.UNATTRIBUTED]["capacity_microusd"] == 0


def test_four_quarter_slices_make_exactly_one_gpu_hour() -> None:
    charges = attribute(site([steady(100.0)], [(0, j, 0, SPAN_S, 250) for j in range(4)])).charges

    jobs = charges[charges["kind"] == Account.JOB].groupby("claimant")[list(MEASURES)].sum()
    assert jobs["gpu_millis"].tolist() == [900_000] * 4
    assert jobs["energy_millij"].sum() == 360_000_000
    assert (charges["kind"] != Account.IDLE).all()


def test_an_overbooked_gpu_is_still_one_gpu() -> None:
    charged = by_kind(site([steady(100.0)], [(0, 1, 0, SPAN_S, 1000), (0, 2, 0, SPAN_S, 1000)]))

    assert charged[Account.JOB]["gpu_millis"] == 3_600_000
    assert charged[Account.JOB]["capacity_microusd"] == 2_000_000


def test_electricity_that_is_in_the_rent_is_not_charged_twice() -> None:
    charged = by_kind(site([steady(100.0)], [(0, 7, 0, SPAN_S, 1000)], included=True))

    assert charged[Account.JOB]["electricity_microusd"] == 0
    assert charged[Account.OVERHEAD]["electricity_microusd"] == 0
    assert charged[Account.JOB]["carbon_microg"] == 50_000_000


def test_a_negative_price_is_passed_on() -> None:
    charged = by_kind(site([steady(100.0)], [(0, 7, 0, SPAN_S, 1000)], usd_per_mwh=-100.0))

    assert charged[Account.JOB]["electricity_microusd"] == -10_000


def test_a_pool_without_telemetry_is_modelled_and_marked_as_estimated() -> None:
    attribution = attribute(site([None], [(0, 7, 0, SPAN_S, 2000)], share_millis=4000))

    jobs = attribution.charges[attribution.charges["kind"] == Account.JOB]
    assert jobs["energy_millij"].sum() == 2 * 360_000_000
    assert set(jobs["energy_quality"]) == {Quality.ESTIMATED}


def test_four_gpus_that_are_metered_as_one_may_draw_what_four_may() -> None:
    # 2,400 W of a pool of four that are rated 700 W each.
    attribution = attribute(site([steady(2_400.0)], [(0, 7, 0, SPAN_S, 4000)], share_millis=4000))

    jobs = attribution.charges[attribution.charges["kind"] == Account.JOB]
    assert jobs["energy_millij"].sum() == 2_400 * 3_600_000
    assert set(jobs["energy_quality"]) == {Quality.MEASURED}
