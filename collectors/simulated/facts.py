"""The facts that are planted in the simulated company: what a reader can find, and how a test finds it in the frames."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta

import pandas as pd

from aiobserve.domain.window import local_day
from collectors.simulated import company
from collectors.simulated.company import GPUS, SPAN

Frames = dict[str, pd.DataFrame]
# (first day of the span, number of days) -> frames with telemetry.
Days = Callable[[int, int], Frames]


@dataclass(frozen=True)
class Fact:
    """A planted fact: its key, the sentence that a reader can check, and a check on the frames."""

    key: str
    sentence: str
    found: Callable[[Frames, Days], bool]


def _uid(where: tuple[str, int]) -> str:
    return GPUS[where].uid


def _samples(days: Days, at: pd.Timestamp, where: tuple[str, int]) -> pd.DataFrame:
    day = (at - SPAN.start_at).days
    samples = days(day, 1)["telemetry"]
    return samples[samples["device_uid"] == _uid(where)]


def _held(frames: Frames, where: tuple[str, int]) -> pd.DataFrame:
    held = frames["intervals"]
    return held[held["device_uid"] == _uid(where)]


def _idle_office(frames: Frames, days: Days) -> bool:
    """The office reservation is held at night, and idles then."""
    where = (company.OFFICE_NODE, company.OFFICE_GPUS[0])
    night_at = pd.Timestamp(SPAN.start_at) + timedelta(days=9, hours=1)
    held = _held(frames, where)
    at_night = held[(held["start_at"] <= night_at) & ~(held["end_at"] <= night_at)]
    samples = _samples(days, night_at, where)
    drawn = samples[(samples["at"] >= night_at) & (samples["at"] < night_at + timedelta(hours=2))]["power_w"]
    return len(at_night) == 1 and bool((drawn < company.H100.idle_w * 1.3).all())


def _price_change(frames: Frames, days: Days) -> bool:
    rates = frames["rates"][frames["rates"]["sku"] == company.H100.name].sort_values("valid_from_at")
    return rates["usd_per_gpu_hour"].tolist() == [
        company.H100.usd_per_gpu_hour,
        company.H100_USD_PER_GPU_HOUR_AFTER,
    ] and bool(rates["valid_from_at"].iloc[1] == company.PRICE_CHANGE_AT)


def _requeued(frames: Frames, days: Days) -> bool:
    jobs = frames["jobs"]
    first = jobs[jobs["state"] == "requeued"]
    again = jobs[(jobs["attempt"] == 2) & jobs["name"].isin(first["name"])]
    return len(first) > 0 and len(first) == len(again) and bool((again["state"] == "completed").all())


def _mig(frames: Frames, days: Days) -> bool:
    shares = set(_held(frames, company.MIG_GPU)["share_millis"])
    return shares == set(company.MIG_SHARES_MILLIS.values())


def _reset(frames: Frames, days: Days) -> bool:
    counter = _samples(days, pd.Timestamp(company.RESET_AT), company.RESET_GPU)["energy_millij"].diff()
    return int((counter < 0).sum()) == 1


def _silent(frames: Frames, days: Days) -> bool:
    gaps = _samples(days, pd.Timestamp(company.SILENT_FROM_AT), company.SILENT_GPU)["at"].diff()
    return bool(gaps.max() >= company.SILENT_FOR)


def _absurd(frames: Frames, days: Days) -> bool:
    power = _samples(days, pd.Timestamp(company.ABSURD_FROM_AT), company.ABSURD_GPU)["power_w"]
    return 8 <= int((power == company.ABSURD_POWER_W).sum()) <= 10


def _unmapped(frames: Frames, days: Days) -> bool:
    used = set(frames["jobs"]["account"]) - set(frames["accounts"]["account"])
    return used == {company.UNMAPPED_ACCOUNT}


def _moved(frames: Frames, days: Days) -> bool:
    accounts = frames["accounts"]
    rows = accounts[accounts["account"] == company.MOVED_ACCOUNT].sort_values("valid_from_at")
    return len(rows) == 2 and rows["team"].iloc[1] == company.MOVED_TO_TEAM


def _forgotten(frames: Frames, days: Days) -> bool:
    held = _held(frames, company.FORGOTTEN_GPU)
    during = held[(held["start_at"] < company.FORGOTTEN.end_at) & (held["end_at"] > company.FORGOTTEN.start_at)]
    return len(held) > 10 and during.empty


def _long_day(frames: Frames, days: Days) -> bool:
    """The local day lasts 25 hours, each with its price and its samples."""
    zone = frames["sites"].set_index("site").loc[company.FRANKFURT.name, "timezone"]
    day = local_day(company.LONG_DAY, str(zone))
    priced = _prices(frames, company.FRANKFURT)["start_at"].between(day.start_at, day.end_at, inclusive="left")
    first = (day.start_at - SPAN.start_at).days
    at = days(first, 2)["telemetry"]["at"]
    sampled = at[at.between(day.start_at, day.end_at, inclusive="left")].dt.floor("h").nunique()
    return (day.end_at - day.start_at) == timedelta(hours=25) and int(priced.sum()) == sampled == 25


def _evening(frames: Frames, days: Days) -> bool:
    """Each batch starts at the local hour that is dearest on the working days of the 90."""
    started = frames["jobs"][frames["jobs"]["name"].str.startswith("nightly-rerank")]["started_at"]
    local = started.dt.tz_convert(company.VIRGINIA.timezone)
    prices = _prices(frames, company.VIRGINIA)
    at = prices["start_at"].dt.tz_convert(company.VIRGINIA.timezone)
    working = at.dt.day_of_week < 5
    dearest = int(prices["value"][working].groupby(at[working].dt.hour).mean().idxmax())
    return len(started) > 60 and set(local.dt.hour) == {dearest} and bool((local.dt.day_of_week < 5).all())


def _prices(frames: Frames, site: company.SiteOf) -> pd.DataFrame:
    """Return what electricity really cost in the zone of a site."""
    signals = frames["signals"]
    of_zone = (signals["kind"] == "electricity_usd_per_mwh") & (signals["scope"] == site.grid_zone)
    return signals[of_zone & signals["issued_at"].isna()]


FACTS = (
    Fact(
        "idle-office",
        f"Science holds {len(company.OFFICE_GPUS)} H100s of {company.OFFICE_NODE} round the clock and uses them in office hours.",
        _idle_office,
    ),
    Fact(
        "price-change",
        f"From {company.PRICE_CHANGE_AT:%d %B} an H100 costs {company.H100_USD_PER_GPU_HOUR_AFTER} instead of "
        f"{company.H100.usd_per_gpu_hour} USD an hour.",
        _price_change,
    ),
    Fact(
        "long-day",
        f"{company.LONG_DAY:%d %B} has 25 hours in Frankfurt.",
        _long_day,
    ),
    Fact("requeued", "Some jobs were preempted, requeued and completed at the second attempt.", _requeued),
    Fact(
        "mig", f"GPU {company.MIG_GPU[1]} of {company.MIG_GPU[0]} is cut into MIG slices; a seventh is left over.", _mig
    ),
    Fact(
        "reset",
        f"The driver of one A100 was reloaded on {company.RESET_AT:%d %B %H:%M}Z: its counter restarts.",
        _reset,
    ),
    Fact("silent", f"One L40S sent nothing for {company.SILENT_FOR} on {company.SILENT_FROM_AT:%d %B}.", _silent),
    Fact(
        "absurd",
        f"One H100 read {company.ABSURD_POWER_W:.0f} W for {company.ABSURD_FOR}; its counter did not.",
        _absurd,
    ),
    Fact("unmapped", f"The account {company.UNMAPPED_ACCOUNT} belongs to no team: its use is unattributed.", _unmapped),
    Fact(
        "moved",
        f"{company.MOVED_ACCOUNT} moved to {company.MOVED_TO_TEAM} on {company.REORGANISATION_AT:%d %B}; only later use moved.",
        _moved,
    ),
    Fact(
        "forgotten",
        f"GPU {company.FORGOTTEN_GPU[1]} of {company.FORGOTTEN_GPU[0]} was reserved by nobody for three weeks from "
        f"{company.FORGOTTEN.start_at:%d %B}.",
        _forgotten,
    ),
    Fact(
        "evening", "Search runs its batch on working days at 17:00 in New York, when electricity is dearest.", _evening
    ),
)
