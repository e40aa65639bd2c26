"""The engine against its slow, obvious twin."""

import pandas as pd
import pytest

from aiobserve.attribution.engine import attribute
from aiobserve.attribution.inputs import SiteInputs
from tests.pure.attribution.random_sites import random_site
from tests.twin import twin

MEASURES = (
    "gpu_millis", "energy_millij", "carbon_microg", "embodied_microg", "capacity_microusd", "electricity_microusd",
)  # fmt: skip


def compare(inputs: SiteInputs) -> None:
    charges = attribute(inputs).charges
    window = (charges["window_start_s"] - int(inputs.edge_s[0])) // 900
    ours = charges.assign(window=window).groupby(["window", "kind", "component", "claimant"])[list(MEASURES)].sum()
    theirs = pd.DataFrame.from_dict(twin(inputs), orient="index").reindex(columns=list(MEASURES)).fillna(0)
    theirs.index = pd.MultiIndex.from_tuples(list(theirs.index), names=ours.index.names)
    # Time of a host counts for nobody's GPU-hours.
    theirs.loc[theirs.index.get_level_values("component") != 1, "gpu_millis"] = 0
    ours, theirs = ours[(ours != 0).any(axis=1)], theirs[(theirs != 0).any(axis=1)].sort_index().astype("int64")
    pd.testing.assert_frame_equal(ours[list(MEASURES)], theirs, check_dtype=False, check_index_type=False)


@pytest.mark.parametrize("seed", range(120))
def test_a_small_site_comes_to_the_same_to_the_unit(seed: int) -> None:
    compare(random_site(seed, plain=True))


def test_a_million_samples_come_to_the_same_to_the_unit() -> None:
    # Disorder, doubled readings (a board that is repeated for each of its MIG instances), restarts, silences, jumps,
    # missing and absurd readings: see random_sites.
    inputs = random_site(11, devices_exactly=40, samples=38_000, plain=True)

    assert len(inputs.series.at_us) > 1_000_000
    compare(inputs)
