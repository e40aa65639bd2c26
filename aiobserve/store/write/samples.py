"""Writes telemetry of known devices and marks the days that it changes."""

from datetime import datetime, timedelta

import pandas as pd

from aiobserve.domain.window import Span
from aiobserve.store.write.fleet import device_sites, map_known
from aiobserve.store.write.telemetry import write_telemetry
from aiobserve.store.write.watermark import want_again, want_days


def write_samples(organisation_id: int, telemetry: pd.DataFrame, *, hot_from_at: datetime) -> None:
    """Write samples; the days they touch become due, and so does the day before them.

    The last window of a day is known only when a sample after midnight is there.
    """
    if telemetry.empty:
        return
    devices = device_sites(organisation_id)
    device_ids = {uid: pair[0] for uid, pair in devices.items()}
    map_known(telemetry["device_uid"].drop_duplicates(), device_ids, what="device")
    write_telemetry(telemetry, device_ids, hot_from_at=hot_from_at)
    sites = telemetry["device_uid"].map({uid: pair[1] for uid, pair in devices.items()})
    for site_id, at in telemetry["at"].groupby(sites):
        first_at, last_at = at.min().to_pydatetime(), at.max().to_pydatetime()
        want_days(int(str(site_id)), Span(first_at, last_at + timedelta(microseconds=1)).days())
        want_again([int(str(site_id))], first_at - timedelta(days=1), first_at - timedelta(days=1))
