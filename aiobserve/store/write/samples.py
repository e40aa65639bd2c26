"""Writes telemetry of known devices and marks the windows that it changes."""

from datetime import UTC, datetime, timedelta

import numpy as np
import pandas as pd

from aiobserve.domain.reason import Reason
from aiobserve.domain.window import WINDOW, Span
from aiobserve.store.write.fleet import device_sites, map_known
from aiobserve.store.write.telemetry import microseconds, write_telemetry
from aiobserve.store.write.watermark import want_again, want_spans

EPOCH_AT = datetime.fromtimestamp(0, UTC)


def write_samples(organisation_id: int, telemetry: pd.DataFrame, *, hot_from_at: datetime) -> None:
    """Write samples; the windows they touch become due, and so does one more on either side.

    The energy at a window's edge is known only when there is a sample on either side of it. Where the silence was
    longer than a window, attribution finds how far the new samples reach (`pipeline.reach`).
    """
    if telemetry.empty:
        return
    devices = device_sites(organisation_id)
    device_ids = {uid: pair[0] for uid, pair in devices.items()}
    codes, names = pd.factorize(telemetry["device_uid"])
    map_known(pd.Series(names), device_ids, what="device")
    write_telemetry(telemetry, device_ids, hot_from_at=hot_from_at)
    sites = np.array([devices[str(name)][1] for name in names], dtype=np.int64)[codes]
    at_us = microseconds(telemetry["at"])
    for site_id in np.unique(sites).tolist():
        of_site = at_us[sites == site_id]
        first_at, last_at = (EPOCH_AT + timedelta(microseconds=int(at)) for at in (of_site.min(), of_site.max()))
        want_spans(site_id, [Span(first_at, last_at)], reason=Reason.TELEMETRY)
        # The neighbours' days, where they exist: a day without telemetry of its own is not made by that of the next.
        want_again([site_id], first_at - WINDOW, first_at, reason=Reason.TELEMETRY)
        want_again([site_id], last_at, last_at + WINDOW, reason=Reason.TELEMETRY)
