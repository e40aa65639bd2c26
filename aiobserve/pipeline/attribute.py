"""Attributes a site-day: reads its inputs, runs the engine, posts the charges, moves the watermark; all or nothing."""

from dataclasses import dataclass
from datetime import date, datetime

import pandas as pd
from django.db import transaction

from aiobserve.attribution.engine import METHOD_VERSION, Attribution, attribute
from aiobserve.attribution.price import RateMissing
from aiobserve.attribution.token_prices import TokenPriceMissing
from aiobserve.domain.account import Account
from aiobserve.domain.frames import CHARGES
from aiobserve.domain.identity import digest
from aiobserve.domain.signal import SignalMissing
from aiobserve.domain.window import Span, utc_day, window_floor
from aiobserve.inputs.site import devices_in, edges_of, holders, site_inputs
from aiobserve.ledger.post import postings
from aiobserve.pipeline.observe import observe_idle
from aiobserve.pipeline.token_charges import NO_METERED, with_tokens
from aiobserve.store.read import fleet
from aiobserve.store.write.ledger import post_day, standing_batch
from aiobserve.store.write.watermark import block_day, claim_day, finish_day

NOTHING = Attribution(CHARGES.empty(), NO_METERED, ())


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
    except (SignalMissing, RateMissing, TokenPriceMissing) as error:
        block_day(site_id, day, reason=str(error))
        return DayAttributed(site_id, day, blocked_reason=str(error))


def _attribute(site_id: int, day: date, until_at: datetime) -> DayAttributed:
    site = fleet.site(site_id)
    whole = utc_day(day)
    span = Span(whole.start_at, max(whole.start_at, min(whole.end_at, window_floor(until_at))))
    if not span.duration_s:
        return DayAttributed(site_id, day)
    devices = devices_in(site_id, span)
    held = holders(site, devices, span)
    # A provider of tokens is a site without devices.
    of_devices = NOTHING if devices.empty else attribute(site_inputs(site, devices, held, span))
    found = with_tokens(site, day, edges_of(span), of_devices, held.claimed)
    if found.attribution.charges.empty and not standing_batch(site_id, day):
        return DayAttributed(site_id, day)
    rows = _with_keys(postings(found.attribution.charges, found.attribution.metered), found.claimants)
    done = post_day(
        site.organisation_id,
        site_id,
        day=day,
        postings=rows,
        input_digest=_digest(rows),
        method_version=METHOD_VERSION,
    )
    if span == whole:
        observe_idle(site_id, day, devices, of_devices)
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
