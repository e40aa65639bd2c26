"""Attributes a site-day: reads its inputs, runs the engine, posts the charges, moves the watermark; all or nothing."""

from dataclasses import dataclass
from datetime import date, datetime

import pandas as pd
from django.db import transaction

from aiobserve.attribution.engine import METHOD_VERSION, attribute
from aiobserve.attribution.price import RateMissing
from aiobserve.domain.account import Account
from aiobserve.domain.identity import digest
from aiobserve.domain.signal import SignalMissing
from aiobserve.domain.window import Span, utc_day, window_floor
from aiobserve.inputs.site import devices_in, holders, site_inputs
from aiobserve.ledger.post import postings
from aiobserve.pipeline.observe import observe_idle
from aiobserve.store.read import fleet
from aiobserve.store.write.ledger import post_day
from aiobserve.store.write.watermark import block_day, claim_day, finish_day


@dataclass(frozen=True)
class DayAttributed:
    """What became of a site-day: rows posted and reversed, or why it has to wait."""

    site_id: int
    day: date
    posted: int = 0
    reversed: int = 0
    blocked_reason: str = ""


def attribute_day(site_id: int, day: date, *, until_at: datetime) -> DayAttributed | None:
    """Attribute the windows of a UTC day that ended by `until_at`; None when the day is not due or is taken.

    Everything happens in one transaction under the lock of the day's watermark, so a process that is killed
    leaves no trace and the day is found again.
    """
    try:
        with transaction.atomic():
            watermark = claim_day(site_id, day)
            if watermark is None:
                return None
            result = _attribute(site_id, day, until_at)
            finish_day(watermark)
            return result
    except (SignalMissing, RateMissing) as error:
        block_day(site_id, day, reason=str(error))
        return DayAttributed(site_id, day, blocked_reason=str(error))


def _attribute(site_id: int, day: date, until_at: datetime) -> DayAttributed:
    site = fleet.site(site_id)
    whole = utc_day(day)
    span = Span(whole.start_at, max(whole.start_at, min(whole.end_at, window_floor(until_at))))
    devices = devices_in(site_id, span)
    if devices.empty or not span.duration_s:
        return DayAttributed(site_id, day)
    held = holders(site, devices, span)
    attribution = attribute(site_inputs(site, devices, held, span))
    rows = _with_keys(postings(attribution.charges, attribution.metered), held.claimed.claimants)
    done = post_day(
        site.organisation_id,
        site_id,
        day=day,
        postings=rows,
        input_digest=_digest(rows),
        method_version=METHOD_VERSION,
    )
    if span == whole:
        observe_idle(site_id, day, devices, attribution)
    return DayAttributed(site_id, day, posted=done.posted, reversed=done.reversed)


def _with_keys(rows: pd.DataFrame, claimants: pd.DataFrame) -> pd.DataFrame:
    """Replace claimant numbers by what they stand for; a job that no team answers for is unattributed."""
    keys = claimants.reindex(rows["claimant"]).reset_index(drop=True).astype("Int64")
    rows = pd.concat([rows.reset_index(drop=True), keys], axis=1)
    nobody = (rows["account"] == Account.JOB) & rows["team_id"].isna()
    rows["account"] = rows["account"].mask(nobody, int(Account.UNATTRIBUTED))
    rows["window_start_at"] = pd.to_datetime(rows.pop("window_start_s"), unit="s", utc=True)
    rows["pool_id"] = rows["pool_id"].astype("Int64").replace(-1, pd.NA)
    return rows.drop(columns="claimant")


def _digest(rows: pd.DataFrame) -> str:
    """Return what the day comes to, so that a second run that comes to the same posts nothing."""
    return digest(str(METHOD_VERSION), pd.util.hash_pandas_object(rows, index=False).to_numpy().tobytes())
