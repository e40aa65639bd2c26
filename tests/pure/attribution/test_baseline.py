"""The idle power of a device: as it was seen, else as its kind was, else nominal."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from aiobserve.attribution.baseline import baseline_w, observed_idle_w
from aiobserve.attribution.engine import attribute
from tests.pure.attribution.sites import SPAN_S, devices, site, steady

NAN = float("nan")


def kinds(*names: str) -> np.ndarray:
    return np.array(names, dtype=object)


def test_a_device_that_nobody_held_for_an_hour_shows_its_idle_power() -> None:
    idle_w, seconds = observed_idle_w(attribute(site([steady(63.0)], [])).measured)

    assert idle_w.tolist() == [63.0]
    assert seconds.tolist() == [3_600]


def test_time_that_somebody_held_does_not_count_and_less_than_an_hour_says_nothing() -> None:
    idle_w, seconds = observed_idle_w(attribute(site([steady(63.0)], [(0, 1, 1_800, 1_801, 1)])).measured)

    assert np.isnan(idle_w).tolist() == [True]
    assert seconds.tolist() == [3_599]


def test_a_gpu_that_works_for_nobody_shows_no_idle_power() -> None:
    """240 W of 700 W is more than a third: somebody uses it, and tomorrow that is `unattributed` again, not its baseline."""
    idle_w, seconds = observed_idle_w(attribute(site([steady(240.0), steady(230.0)], [])).measured)

    assert np.isnan(idle_w).tolist() == [True, False]
    assert seconds.tolist() == [0, 3_600]


def test_modelled_power_is_no_observation() -> None:
    idle_w, _ = observed_idle_w(attribute(site([None], [])).measured)

    assert np.isnan(idle_w).tolist() == [True]


def test_a_pool_of_gpus_is_seen_by_gpu() -> None:
    idle_w, _ = observed_idle_w(attribute(site([steady(240.0)], [], share_millis=4_000)).measured)

    assert idle_w.tolist() == [60.0]


def test_each_device_is_seen_by_itself_in_order() -> None:
    idle_w, _ = observed_idle_w(
        attribute(site([steady(30.0), steady(300.0), steady(50.0)], [(1, 1, 0, SPAN_S, 1000)])).measured
    )

    assert idle_w[[0, 2]].tolist() == [30.0, 50.0]
    assert np.isnan(idle_w[1])


def test_a_device_takes_its_own_observation_then_that_of_its_kind_then_the_nominal() -> None:
    own_w = np.array([50.0, 54.0, 80.0, NAN, NAN])

    found = baseline_w(own_w, kinds("A100", "A100", "A100", "A100", "H100"), np.array([40.0, 40.0, 40.0, 40.0, 70.0]))

    assert found.tolist() == [50.0, 54.0, 80.0, 54.0, 70.0]


@given(own=st.lists(st.one_of(st.just(NAN), st.floats(1, 100)), min_size=1, max_size=8), nominal=st.floats(101, 200))
def test_every_device_has_a_baseline_between_those_seen(own: list[float], nominal: float) -> None:
    own_w = np.array(own)
    seen = own_w[~np.isnan(own_w)]

    found = baseline_w(own_w, kinds(*["A100"] * len(own)), np.full(len(own), nominal))

    assert (found[~np.isnan(own_w)] == seen).all()
    expected = (seen.min(), seen.max()) if seen.size else (nominal, nominal)
    assert ((found >= expected[0]) & (found <= expected[1])).all()


def test_a_baseline_above_what_was_drawn_takes_all_of_it_and_no_more() -> None:
    charges = attribute(site([steady(15.0)], [(0, 1, 0, SPAN_S, 500)], devices=devices(1))).charges

    # 20 W idle against 15 W drawn: everything is baseline, half of it held, half idle, nothing negative.
    assert charges[charges["kind"] < 3].groupby("kind")["energy_millij"].sum().tolist() == [27_000_000, 27_000_000]
