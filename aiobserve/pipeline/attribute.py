"""Attributes a site-day: reads its inputs, runs the engine, posts the charges, moves the watermark; all or nothing."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

import numpy as np
import pandas as pd
from django.db import transaction

from aiobserve.attribution.claimants import Claimed, claim
from aiobserve.attribution.engine import METHOD_VERSION, Attribution, Devices, SiteInputs, attribute
from aiobserve.attribution.integrate import EnergyCurve, Samples, energy_curve
from aiobserve.attribution.token_prices import TokenPriceMissing
from aiobserve.domain.account import Account
from aiobserve.domain.frames import CHARGES
from aiobserve.domain.identity import digest
from aiobserve.domain.quality import Quality
from aiobserve.domain.signal import SignalMissing, StepSignal
from aiobserve.domain.window import WINDOW_S, Span, utc_day, window_floor
from aiobserve.ledger.post import postings
from aiobserve.pipeline.token_charges import NO_METERED, with_tokens
from aiobserve.store.read import fleet, rates, telemetry, workloads
from aiobserve.store.write.ledger import post_day, standing_batch
from aiobserve.store.write.watermark import block_day, claim_day, finish_day

# Samples this far outside the day are read too, so that the energy at midnight is known.
MARGIN = timedelta(hours=6)
# Signals from this long before the day are read, for the fallback over a hole and its mean.
SIGNAL_MARGIN = timedelta(days=7)
NOTHING = Attribution(CHARGES.empty(), NO_METERED)
CARBON_KINDS = ("carbon_lifecycle_g_per_kwh", "carbon_direct_g_per_kwh")


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


class RateMissing(LookupError):
    """No price is known for a kind of GPU at a site and time."""


def _attribute(site_id: int, day: date, until_at: datetime) -> DayAttributed:
    site = fleet.site(site_id)
    whole = utc_day(day)
    span = Span(whole.start_at, max(whole.start_at, min(whole.end_at, window_floor(until_at))))
    devices = fleet.devices(site_id)
    devices = devices[
        (devices["valid_to_s"] > span.start_at.timestamp()) & (devices["valid_from_s"] < span.end_at.timestamp())
    ].reset_index(drop=True)
    edge_s = np.arange(int(span.start_at.timestamp()), int(span.end_at.timestamp()) + 1, WINDOW_S, dtype=np.int64)
    if len(edge_s) < 2:
        return DayAttributed(site_id, day)
    claimed = _claimed(site, devices, span)
    # A provider of tokens is a site without devices.
    of_devices = NOTHING if devices.empty else attribute(_inputs(site, devices, claimed, edge_s, span))
    found = with_tokens(site, day, edge_s, of_devices, claimed)
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
    return DayAttributed(site_id, day, posted=done.posted, reversed=done.reversed)


def _claimed(site: fleet.SiteRow, devices: pd.DataFrame, span: Span) -> Claimed:
    held = workloads.reservations(site.pk, span)
    index = pd.Series(devices.index, index=devices["device_id"])
    held = held[held["device_id"].isin(index.index)]
    return claim(held.assign(device=held["device_id"].map(index)), workloads.account_map(site.organisation_id))


def _inputs(
    site: fleet.SiteRow,
    devices: pd.DataFrame,
    claimed: Claimed,
    edge_s: "np.ndarray[tuple[int], np.dtype[np.int64]]",
    span: Span,
) -> SiteInputs:
    around = Span(span.start_at - SIGNAL_MARGIN, span.end_at)
    organisation_id = site.organisation_id
    pue = rates.actual_signal(organisation_id, site.name, kinds=("pue_ratio",), span=around)
    if not pue.value.size:
        pue = StepSignal.constant(1.0, quality=Quality.ASSUMED, source="no PUE is known: the facility is left out")
    return SiteInputs(
        edge_s=edge_s,
        devices=_priced(site, devices, edge_s),
        curves=_curves(devices, Span(span.start_at - MARGIN, span.end_at + MARGIN)),
        reservations=claimed.reservations,
        electricity_usd_per_mwh=rates.actual_signal(
            organisation_id, site.grid_zone, kinds=("electricity_usd_per_mwh",), span=around
        ),
        carbon_g_per_kwh=rates.actual_signal(organisation_id, site.grid_zone, kinds=CARBON_KINDS, span=around),
        pue_ratio=pue,
    )


def _curves(devices: pd.DataFrame, span: Span) -> list[EnergyCurve | None]:
    found = telemetry.readings([int(pk) for pk in devices["device_id"]], span)
    curves: list[EnergyCurve | None] = []
    for device_id, tdp_w in zip(devices["device_id"], devices["tdp_w"], strict=True):
        readings = found.get(int(device_id))
        if readings is None:
            curves.append(None)
            continue
        samples = Samples(readings.at_us / 1_000_000, readings.energy_millij, readings.power_w)
        curves.append(energy_curve(samples, tdp_w=float(tdp_w)))
    return curves


def _priced(
    site: fleet.SiteRow, devices: pd.DataFrame, edge_s: "np.ndarray[tuple[int], np.dtype[np.int64]]"
) -> Devices:
    known = rates.gpu_rates(site.organisation_id, site.pk)
    start_s = edge_s[:-1]
    shape = (len(devices), len(start_s))
    usd, quality, included = np.zeros(shape), np.zeros(shape, np.int8), np.zeros(shape, bool)
    for sku, rows in devices.groupby("sku"):
        usd[rows.index], quality[rows.index], included[rows.index] = _rate(known, str(sku), site.name, start_s)
    return Devices(
        share_millis=devices["capacity_millis"].to_numpy(dtype=np.int64),
        idle_w=devices["idle_w"].to_numpy(dtype=np.float64),
        active_w=devices["active_w"].to_numpy(dtype=np.float64),
        valid_from_s=devices["valid_from_s"].to_numpy(dtype=np.int64),
        valid_to_s=devices["valid_to_s"].to_numpy(dtype=np.int64),
        usd_per_gpu_hour=usd,
        cost_quality=quality,
        includes_electricity=included,
    )


def _rate(
    known: pd.DataFrame, sku: str, site: str, start_s: "np.ndarray[tuple[int], np.dtype[np.int64]]"
) -> tuple[
    "np.ndarray[tuple[int], np.dtype[np.float64]]",
    "np.ndarray[tuple[int], np.dtype[np.int8]]",
    "np.ndarray[tuple[int], np.dtype[np.bool_]]",
]:
    """Return price, quality and whether it includes electricity at each window start; a site's own price wins."""
    chosen = np.full(len(start_s), -1)
    of_sku = known[known["sku"] == sku].sort_values(["of_site", "valid_from_s"]).reset_index(drop=True)
    for row in of_sku.itertuples():
        chosen[(start_s >= row.valid_from_s) & (start_s < row.valid_to_s)] = row.Index
    if (chosen < 0).any():
        at = datetime.fromtimestamp(int(start_s[chosen < 0][0]), UTC).isoformat()
        raise RateMissing(f"no price per GPU-hour for {sku} at {site} from {at} on; import one that is valid then")
    picked = of_sku.loc[chosen]
    return (
        picked["usd_per_gpu_hour"].to_numpy(dtype=np.float64),
        picked["quality"].to_numpy(dtype=np.int8),
        picked["includes_electricity"].to_numpy(dtype=bool),
    )


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
