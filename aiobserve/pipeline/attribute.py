"""Attributes a site-day, or the part of it that changed: runs the engine, posts the charges, moves the watermark.

All or nothing, in one transaction. What the engine needs is read by `inputs.site`.
"""

from dataclasses import dataclass
from datetime import date, datetime

import numpy as np
import numpy.typing as npt
import pandas as pd
from django.db import transaction

from aiobserve.attribution.claimants import KEYS
from aiobserve.attribution.engine import METHOD_VERSION, Attribution, attribute
from aiobserve.attribution.price import RateMissing
from aiobserve.attribution.token_prices import TokenPriceMissing
from aiobserve.domain.account import Account
from aiobserve.domain.frames import CHARGES
from aiobserve.domain.reason import Reason, joined
from aiobserve.domain.signal import SignalMissing
from aiobserve.domain.window import Span, utc_day, window_ceiling, window_floor
from aiobserve.inputs.site import devices_in, edges_of, holders, site_inputs
from aiobserve.ledger.post import postings
from aiobserve.pipeline.observe import observe_idle
from aiobserve.pipeline.post import post_windows
from aiobserve.pipeline.reach import reach
from aiobserve.pipeline.token_charges import NO_METERED, with_tokens
from aiobserve.store.read import fleet
from aiobserve.store.read.tokens import any_tokens
from aiobserve.store.write.ledger import Books
from aiobserve.store.write.watermark import DueDay, NeighbourBusy, block_day, claim_day, finish_day, want_neighbour

NOTHING = Attribution(CHARGES.empty(), NO_METERED, ())


@dataclass(frozen=True)
class DayAttributed:
    """What became of a site-day: postings and windows posted and reversed, or why it has to wait."""

    site_id: int
    day: date
    posted: int = 0
    reversed: int = 0
    windows: int = 0
    windows_reversed: int = 0
    blocked_reason: str = ""


def attribute_day(site_id: int, day: date, *, until_at: datetime) -> DayAttributed | None:
    """Attribute what changed of a UTC day, in windows that ended by `until_at`; None when it is not due or is taken.

    Everything happens in one transaction under the lock of the day's watermark, so a process that is killed
    leaves no trace and the day is found again.
    """
    try:
        with transaction.atomic():
            due = claim_day(site_id, day)
            if due is None:
                return None
            result = _attribute(due, until_at)
            finish_day(due, until_at=min(utc_day(day).end_at, window_floor(until_at)))
            return result
    except NeighbourBusy:
        return None
    except (SignalMissing, RateMissing, TokenPriceMissing) as error:
        block_day(site_id, day, reason=str(error))
        return DayAttributed(site_id, day, blocked_reason=str(error))


def _attribute(due: DueDay, until_at: datetime) -> DayAttributed:
    site = fleet.site(due.site_id)
    whole = utc_day(due.day)
    ended = Span(whole.start_at, max(whole.start_at, min(whole.end_at, window_floor(until_at))))
    # How a server's work is weighed, and what a device draws when it idles, is found from the whole of a day. While a day
    # grows, only what is new of it is worked out. What comes to the same is not posted again either way.
    dirty = ended if ended == whole or any_tokens(site.pk, whole) else _windows_due(due, ended)
    if not dirty.duration_s:
        return DayAttributed(site.pk, due.day)
    worked = _attributed(site, dirty, ended, reaches=Reason.TELEMETRY in due.reasons)
    books = Books(site.organisation_id, site.pk, due.day, joined(set(due.reasons)), METHOD_VERSION)
    done = post_windows(books, worked.span, worked.postings, present_at=until_at)
    if worked.idle_w is not None:
        observe_idle(site.pk, worked.span, worked.devices, worked.attribution, worked.idle_w)
    return DayAttributed(
        site.pk,
        due.day,
        posted=done.posted,
        reversed=done.reversed,
        windows=done.windows_posted,
        windows_reversed=done.windows_reversed,
    )


def _windows_due(due: DueDay, ended: Span) -> Span:
    """Return the windows to work out: those that changed, and those that have ended since the last time."""
    new_from_at = due.done_until_at or ended.start_at
    first_at, last_at = due.dirty.start_at, due.dirty.end_at
    if new_from_at < ended.end_at:
        first_at, last_at = min(first_at, new_from_at), max(last_at, ended.end_at)
    first_at = window_floor(min(first_at, ended.end_at))
    return Span(first_at, max(first_at, min(window_ceiling(last_at), ended.end_at)))


@dataclass(frozen=True)
class Worked:
    """What the windows of a span come to: postings, and what they were reckoned from.

    Attributes:
        idle_w: the idle power that was taken for each device, shape (d,); None for a site without devices.
    """

    span: Span
    postings: pd.DataFrame
    devices: pd.DataFrame
    attribution: Attribution
    idle_w: npt.NDArray[np.float64] | None


def _attributed(site: fleet.SiteRow, dirty: Span, ended: Span, *, reaches: bool) -> Worked:
    """Return what the windows that changed come to.

    New telemetry that ends or begins a silence decides its energy: then the span is wider than what was marked, and
    what of it lies on another day becomes due there.
    """
    devices = devices_in(site.pk, dirty)
    held = holders(site, devices, dirty)
    day = utc_day(dirty.start_at.date())
    # A provider of tokens is a site without devices.
    of_devices, idle_w = NOTHING, None
    if len(devices):
        inputs = site_inputs(site, devices, held, dirty)
        if reaches:
            within = _reached(site.pk, reach(inputs.series, dirty), day, ended)
            if within != dirty:
                return _attributed(site, within, ended, reaches=False)
        of_devices, idle_w = attribute(inputs), inputs.devices.idle_w
    found = with_tokens(site, day.start_at.date(), edges_of(dirty), of_devices, held.claimed)
    rows = _with_keys(postings(found.attribution.charges, found.attribution.metered), found.claimants)
    return Worked(dirty, rows, devices, of_devices, idle_w)


def _reached(site_id: int, reached: Span, day: Span, ended: Span) -> Span:
    """Return what of a reach lies on the day; what lies on another becomes due there."""
    if reached.start_at < day.start_at:
        want_neighbour(site_id, Span(reached.start_at, day.start_at))
    if reached.end_at > day.end_at:
        want_neighbour(site_id, Span(day.end_at, reached.end_at))
    return Span(max(reached.start_at, ended.start_at), min(reached.end_at, ended.end_at))


def _with_keys(rows: pd.DataFrame, claimants: pd.DataFrame) -> pd.DataFrame:
    """Replace claimant numbers by what they stand for; a job that no team answers for is unattributed. No id is NaN."""
    keys = claimants[KEYS].to_numpy(dtype=np.float64)
    place = claimants.index.get_indexer(rows["claimant"])
    ids = np.where((place >= 0)[:, None], keys[place], np.nan) if len(keys) else np.full((len(rows), len(KEYS)), np.nan)
    account, pool_id = rows["account"].to_numpy(), rows["pool_id"].to_numpy(dtype=np.float64)
    nobody = (account == Account.JOB) & np.isnan(ids[:, KEYS.index("team_id")])
    return rows.drop(columns="claimant").assign(
        account=np.where(nobody, account.dtype.type(Account.UNATTRIBUTED), account),
        pool_id=np.where(pool_id == -1, np.nan, pool_id),
        **dict(zip(KEYS, ids.T, strict=True)),
    )
