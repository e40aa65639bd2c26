"""The facts that are planted in the simulated company: what a reader can find, and how a test finds it in the frames."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta

import pandas as pd

from aiobserve.domain.quality import Quality
from aiobserve.domain.units import HOURS_PER_DAY, MILLIS_PER_GPU
from aiobserve.domain.window import local_day
from collectors.simulated import company
from collectors.simulated.company import GPUS, SPAN
from collectors.simulated.hosts import CADENCE_MINUTES

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
    return shares == set(company.MIG_SHARES_MILLIS.values()) and sum(shares) == MILLIS_PER_GPU


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


def _hosts(frames: Frames, days: Days) -> bool:
    hosts = frames["devices"][frames["devices"]["kind"] == "host"]
    samples = days(3, 1)["telemetry"]
    drawn = samples[samples["device_uid"].isin(hosts["device_uid"])]
    return (
        set(hosts["node"]) == {node for node, *_ in company.NODES}
        and len(drawn) == len(hosts) * HOURS_PER_DAY * 60 // CADENCE_MINUTES
        and bool(drawn["energy_millij"].isna().all() and (drawn["power_w"] > 0).all())
    )


def _owned(frames: Frames, days: Days) -> bool:
    """(15,000 - 2,500) / 5 + 900 = 3,400 a year, / 8,760 h = 0.388128; / 0.6 = 0.646880."""
    (rate,) = frames["rates"][frames["rates"]["purchase"] == "owned"].itertuples()
    return (rate.usd_per_gpu_hour, rate.list_usd_per_gpu_hour) == (0.388128, 0.64688)


def _spot(frames: Frames, days: Days) -> bool:
    spot = frames["rates"][frames["rates"]["purchase"] == "spot"]
    inside = spot["valid_from_at"].dt.floor("15min") < spot["valid_from_at"]
    meets = spot["valid_to_at"].iloc[:-1].tolist() == spot["valid_from_at"].iloc[1:].tolist()
    below = spot["usd_per_gpu_hour"] < spot["list_usd_per_gpu_hour"]
    return len(spot) > 100 and meets and inside.mean() > 0.9 and below.mean() > 0.9


def _over_committed(frames: Frames, days: Days) -> bool:
    rows = frames["commitments"].sort_values("valid_from_at")
    standing = (frames["devices"]["contract"] == rows["contract"].iloc[0]) & (frames["devices"]["kind"] == "gpu")
    return (rows["gpus"] - standing.sum()).tolist() == [0, 2, 0] and bool(
        rows["valid_from_at"].iloc[1] == company.OVER_COMMITTED.start_at
    )


def _kept(frames: Frames, days: Days) -> bool:
    kept = frames["dedications"].merge(frames["devices"], on="device_uid")
    return set(kept["node"]) == {company.KEPT_NODE} and len(kept) == 9 and set(kept["account"]) == {company.KEPT_FOR}


def _pools(frames: Frames, days: Days) -> bool:
    pools = frames["pools"].set_index("component")
    return set(pools.index) == {"network", "storage"} and set(pools["shared_by"]) == {"gpu_hours", "energy", "label"}


def _contracted(frames: Frames, days: Days) -> bool:
    (ppa,) = frames["energy_contracts"].itertuples()
    mix = frames["signals"][frames["signals"]["kind"] == "carbon_residual_g_per_kwh"]
    grid = frames["signals"]["kind"] == "carbon_lifecycle_g_per_kwh"
    here = frames["signals"][grid & (frames["signals"]["scope"] == company.FRANKFURT.grid_zone)]
    return (ppa.kind, ppa.site, ppa.g_per_kwh) == ("ppa", "fra", 0.0) and bool(
        mix["scope"].tolist() == [company.FRANKFURT.grid_zone] and (mix["value"] > here["value"].mean()).all()
    )


def _made(frames: Frames, days: Days) -> bool:
    made = frames["embodied"].set_index("sku")
    assumed = made["source"].str.startswith("assumed")
    skus = {gpu.sku.name for gpu in GPUS.values()}
    return set(made.index) == skus and assumed[assumed].index.tolist() == [company.H100.name, company.L40S.name]


def _activity(frames: Frames, days: Days) -> bool:
    seen = frames["activity"]
    held = _held(frames, company.MIG_GPU)
    return (
        set(seen["device_uid"]) == {_uid(company.MIG_GPU)}
        and bool(seen["start_at"].min() >= company.ACTIVITY_FROM_AT)
        and set(seen["job_key"]) <= set(held["job_key"])
        and bool(seen["level"].between(0, 1).all())
    )


def _water(frames: Frames, days: Days) -> bool:
    water = frames["signals"][frames["signals"]["kind"] == "water_l_per_kwh"]
    return set(water["scope"]) == {site.name for site in company.SITES} and set(water["quality"]) == {Quality.ASSUMED}


def _marginal(frames: Frames, days: Days) -> bool:
    """The cleanest hour by the average is seldom the cleanest by the margin."""
    signals = frames["signals"][frames["signals"]["issued_at"].isna() & (frames["signals"]["scope"] == "DE")]
    by_kind = signals.pivot_table(index="start_at", columns="kind", values="value")
    average, marginal = by_kind["carbon_lifecycle_g_per_kwh"], by_kind["carbon_marginal_g_per_kwh"]
    same = average.groupby(average.index.floor("D")).idxmin() == marginal.groupby(marginal.index.floor("D")).idxmin()
    return len(marginal.dropna()) > 2_000 and bool(same.mean() < 0.3)


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
        "mig",
        f"GPU {company.MIG_GPU[1]} of {company.MIG_GPU[0]} is cut into MIG slices of "
        f"{', '.join(map(str, company.MIG_SHARES_MILLIS.values()))} thousandths, which fill it.",
        _mig,
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
    Fact("hosts", "Every node has a host that draws power besides its GPUs, by a sensor without a counter.", _hosts),
    Fact(
        "owned",
        f"The A100s of {company.OWNED_NODE} are owned: 3,400 USD a year each, 0.388128 USD an hour, listed at a floor of "
        f"{company.OWNED_GPU.utilisation_floor:.0%}.",
        _owned,
    ),
    Fact("spot", f"The L40S of {company.SPOT_NODE} are had at spot prices that change inside windows.", _spot),
    Fact(
        "over-committed",
        f"From {company.OVER_COMMITTED.start_at:%d %B} to {company.OVER_COMMITTED.end_at:%d %B} {company.COMMITTED_TOO_MANY} L40S "
        f"were committed to where {company.COMMITTED_GPUS} stand: 2 x 672 h x {company.COMMITTED_USD} = 833.28 USD of nothing.",
        _over_committed,
    ),
    Fact(
        "kept",
        f"{company.KEPT_NODE} is kept for {company.KEPT_FOR}: its idle time is that team's to answer for.",
        _kept,
    ),
    Fact("pools", "Network and storage are shared by GPU-hours, by energy, and by one team alone.", _pools),
    Fact(
        "contracted",
        "Wind power covers a part of Frankfurt; the rest is at a residual mix dirtier than the grid's average.",
        _contracted,
    ),
    Fact("made", "Making a GPU emitted something; two of the three figures are assumed and say so.", _made),
    Fact(
        "activity",
        f"Since {company.ACTIVITY_FROM_AT:%d %B} it is known how busy each MIG slice is; before, time held stands in.",
        _activity,
    ),
    Fact("water", "Both sites use water, by an assumed factor each.", _water),
    Fact("marginal", "The hour that is cleanest on average is seldom the cleanest at the margin.", _marginal),
)
