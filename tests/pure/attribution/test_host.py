"""A meter that reads several GPUs, or a host, at once reads more watts than one GPU is rated for."""

import numpy as np

from aiobserve.attribution.engine import attribute
from aiobserve.domain.quality import Quality
from tests.pure.attribution.sites import SPAN_S, site, steady


def test_the_reading_of_eight_gpus_is_held_against_the_rating_of_eight() -> None:
    # 4,000 W for an hour, by a counter of eight GPUs of 700 W each.
    charges = attribute(site([steady(4000)], [(0, 0, 0, SPAN_S, 8000)], share_millis=8000)).charges

    of_devices = charges[charges["pool_id"].eq(-1) & charges["claimant"].eq(0)]
    assert of_devices["energy_millij"].sum() == 4000 * 3_600_000
    assert set(of_devices["energy_quality"]) == {Quality.MEASURED}


def test_what_eight_gpus_cannot_draw_is_still_not_believed() -> None:
    charges = attribute(site([steady(8 * 700 * 2)], [(0, 0, 0, SPAN_S, 8000)], share_millis=8000)).charges

    of_devices = charges[charges["claimant"].eq(0)]
    assert np.all(of_devices["energy_quality"] != Quality.MEASURED)
