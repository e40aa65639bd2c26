"""Keeps what idle power each device was seen to draw on a day; the days after it take it as their baseline."""

from datetime import date, timedelta

import numpy as np
import pandas as pd

from aiobserve.attribution.baseline import observed_idle_w
from aiobserve.attribution.engine import Attribution
from aiobserve.domain.reason import Reason
from aiobserve.store.read.terms import KEEP_OBSERVATIONS
from aiobserve.store.write.fleet import write_idle_observations
from aiobserve.store.write.watermark import want_done_again


def observe_idle(site_id: int, day: date, devices: pd.DataFrame, attribution: Attribution) -> None:
    """Keep the idle power seen on a whole day, in the caller's transaction.

    Later days that were attributed without it become due again: attributing days in order, there are none.
    """
    idle_w, seconds = observed_idle_w(attribution.measured)
    seen = np.flatnonzero(~np.isnan(idle_w))
    rows = pd.DataFrame(
        {"device_id": devices["device_id"].to_numpy()[seen], "idle_w": idle_w[seen], "seconds": seconds[seen]}
    )
    if write_idle_observations(day, rows):
        want_done_again(site_id, day + timedelta(days=1), day + KEEP_OBSERVATIONS, reason=Reason.BASELINE)
