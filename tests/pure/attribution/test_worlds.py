"""Random worlds: nothing is lost, nothing is negative, nothing depends on the order of arrival or on a filter.

AIOBSERVE_WORLDS sets how many (`make worlds` takes 20,000).
"""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from aiobserve.attribution.engine import Attribution, attribute
from aiobserve.attribution.inputs import SiteInputs
from aiobserve.domain.account import CHARGED, MEASURES, Account
from aiobserve.ledger.post import postings
from tests.examples import WORLDS
from tests.pure.attribution.random_sites import random_site, shuffled

SEEDS = st.integers(0, 2**48)
# Everything but money, which is negative when the price of electricity is.
QUANTITIES = tuple(name for name in MEASURES if not name.endswith("_microusd"))


def matrix(found: Attribution) -> np.ndarray:
    return found.charges[list(MEASURES)].to_numpy()


@settings(max_examples=WORLDS, deadline=None)
@given(seed=SEEDS)
def test_parts_idle_overhead_and_unattributed_sum_to_the_total(seed: int) -> None:
    inputs = random_site(seed)
    found = attribute(inputs)
    amounts = matrix(found)
    window = ((found.charges["window_start_s"] - inputs.edge_s[0]) // 900).to_numpy()

    by_window = np.zeros((len(inputs.edge_s) - 1, len(MEASURES)), dtype=np.int64)
    np.add.at(by_window, window, amounts)
    metered = np.zeros_like(by_window)
    metered[((found.metered["window_start_s"] - inputs.edge_s[0]) // 900).to_numpy()] = found.metered[list(MEASURES)]
    assert (by_window == metered).all()
    assert (found.charges[list(QUANTITIES)].to_numpy() >= 0).all()
    # Any filter splits the total into what it keeps and what it leaves.
    kind = found.charges["kind"].to_numpy()
    kept = np.random.default_rng(seed).random(len(kind)) < 0.5
    assert (amounts[kept].sum(axis=0) + amounts[~kept].sum(axis=0) == metered.sum(axis=0)).all()
    assert (sum(amounts[kind == account].sum(axis=0) for account in CHARGED) == metered.sum(axis=0)).all()
    assert (idle_gpu_millis(inputs, found) <= metered[:, MEASURES.index("gpu_millis")]).all()


def idle_gpu_millis(inputs: SiteInputs, found: Attribution) -> np.ndarray:
    idle = found.charges[found.charges["kind"] == Account.IDLE]
    window = ((idle["window_start_s"] - inputs.edge_s[0]) // 900).to_numpy()
    return np.bincount(window, weights=idle["gpu_millis"], minlength=len(inputs.edge_s) - 1)


@settings(max_examples=max(WORLDS // 4, 50), deadline=None)
@given(seed=SEEDS)
def test_the_order_of_arrival_changes_nothing(seed: int) -> None:
    inputs = random_site(seed)
    keys = [name for name in attribute(inputs).charges.columns if name not in MEASURES]

    once = attribute(inputs).charges.sort_values(keys, ignore_index=True)
    again = attribute(shuffled(inputs, seed)).charges.sort_values(keys, ignore_index=True)

    assert again.equals(once)


@settings(max_examples=50, deadline=None)
@given(seed=SEEDS)
def test_both_sides_of_the_entry_balance(seed: int) -> None:
    found = attribute(random_site(seed))

    both = postings(found.charges, found.metered)

    assert (both.groupby("window_start_s")[list(MEASURES)].sum() == 0).all().all()
