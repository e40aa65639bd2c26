"""Keeps what idle power each device was seen to draw on a day; the days after it take it as their baseline."""

from datetime import timedelta

import numpy as np
import numpy.typing as npt
import pandas as pd

from aiobserve.attribution.baseline import observed_idle_w
from aiobserve.attribution.engine import Attribution
from aiobserve.domain.reason import Reason
from aiobserve.domain.window import Span, utc_day
from aiobserve.inputs.site import idle_power
from aiobserve.store.read.terms import KEEP_OBSERVATIONS
from aiobserve.store.write.fleet import lock_idle_observations, replace_idle_observations
from aiobserve.store.write.watermark import want_days, want_done_again


def observe_idle(
    site_id: int, span: Span, devices: pd.DataFrame, attribution: Attribution, used_w: npt.NDArray[np.float64]
) -> None:
    """Keep the idle power seen on a whole day, in the caller's transaction, the last thing before it commits.

    Days that were attributed with another baseline become due again: this one, when somebody has observed an earlier
    day since `used_w` was read, and later ones that are done. Whoever works on a later day now asks the same after us,
    since one at a time gets here for a site.
    """
    day = span.start_at.date()
    lock_idle_observations(site_id)
    if not np.array_equal(idle_power(site_id, devices, span), used_w):
        want_days(site_id, [day], reason=Reason.BASELINE)
    if span != utc_day(day):
        return
    idle_w, seconds = observed_idle_w(attribution.measured)
    seen = np.flatnonzero(~np.isnan(idle_w))
    rows = pd.DataFrame(
        {"device_id": devices["device_id"].to_numpy()[seen], "idle_w": idle_w[seen], "seconds": seconds[seen]}
    )
    last_day = replace_idle_observations(site_id, day, rows, keep_days=KEEP_OBSERVATIONS.days)
    if last_day is not None:
        want_done_again(site_id, day + timedelta(days=1), last_day, reason=Reason.BASELINE)
