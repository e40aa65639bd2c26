"""Writes counters of model servers, usage and prices of tokens; the days they change are attributed again."""

from dataclasses import dataclass
from datetime import date, timedelta

import pandas as pd
from django.db import connection

from aiobserve.domain.reason import Reason
from aiobserve.domain.schema import BadFrame
from aiobserve.domain.tokens import TOKEN_COLUMNS, TokenKind
from aiobserve.domain.window import Span
from aiobserve.store.columns import checksum_sql, read_rows
from aiobserve.store.models import AiModel, Job, ServingWeight, Site
from aiobserve.store.write.copy import copy_frame, merge_frame
from aiobserve.store.write.fleet import map_known
from aiobserve.store.write.organisation import named_ids
from aiobserve.store.write.watermark import want_again, want_days

# A provider of tokens is a site without a grid: nothing of it draws power of ours.
NO_GRID = ""
COUNTERS = (
    "prefill_tokens", "cached_tokens", "decode_tokens", "requests", "prefill_s", "decode_s", "finished_prompt_tokens",
    "finished_decode_tokens",
)  # fmt: skip
TOUCHED = ["site_id", "start_at", "end_at"]
SHARE_COLUMNS = {
    "organisation_id": "int8", "site_id": "int8", "day": "date", "window_start_at": "timestamptz", "job_id": "int8",
    "team_id": "int8", "project_id": "int8", "model_id": "int8", **dict.fromkeys(TOKEN_COLUMNS, "int8"),
    **dict.fromkeys(("input_parts", "cached_parts", "output_parts", "idle_parts"), "int8"),
}  # fmt: skip
# A migration that adds a column to the shares has to seal every site-day anew (see 0011_token_seal).
SHARE_CHECKSUM = checksum_sql("token_share", SHARE_COLUMNS)
# One way to and fro for all that a site-day had; most have nothing.
FORGET = """
    WITH shares AS (DELETE FROM token_share WHERE site_id = %(site)s AND day = %(day)s),
         weights AS (DELETE FROM serving_weight WHERE site_id = %(site)s AND day = %(day)s)
    DELETE FROM token_share_seal WHERE site_id = %(site)s AND day = %(day)s"""
SEAL = f"""
    INSERT INTO token_share_seal (site_id, day, shares, checksum)
    SELECT %(site)s, %(day)s, count(*), {SHARE_CHECKSUM} FROM token_share WHERE site_id = %(site)s AND day = %(day)s"""  # noqa: S608 - our own names


def write_serving_counters(organisation_id: int, counters: pd.DataFrame) -> None:
    """Write readings of counters; the days they touch and the one before become due: its last window ends in this one."""
    _refuse(counters, counters[list(COUNTERS)].lt(0).any(axis=1), "a counter is negative", "job_key")
    jobs = _jobs(organisation_id, counters["job_key"])
    rows = counters.assign(
        job_id=map_known(counters["job_key"], {key: one[0] for key, one in jobs.items()}, what="job")
    )
    columns = {
        "job_id": "int8", "replica": "varchar", "at": "timestamptz", "process_started_at": "timestamptz",
        **dict.fromkeys(COUNTERS, "float8"),
    }  # fmt: skip
    merge_frame("serving_counter", columns, rows, key=("job_id", "replica", "at"), update=COUNTERS)
    for site_id, at in counters["at"].groupby(counters["job_key"].map({key: one[1] for key, one in jobs.items()})):
        first_at, last_at = at.min().to_pydatetime(), at.max().to_pydatetime()
        want_days(int(str(site_id)), Span(first_at, last_at + timedelta(microseconds=1)).days(), reason=Reason.TOKENS)
        want_again(
            [int(str(site_id))], first_at - timedelta(days=1), first_at - timedelta(days=1), reason=Reason.TOKENS
        )


def write_token_usage(organisation_id: int, usage: pd.DataFrame) -> None:
    """Write who used which tokens, by key; a row that is there gets the newer values, and its old days become due too.

    Raises:
        BadFrame: a row has neither or both of job and provider, negative tokens, or ends before it starts.
    """
    served = usage["job_key"].notna()
    _refuse(
        usage, served == usage["provider"].notna(), "exactly one of job_key and provider must be given", "usage_key"
    )
    _refuse(usage, usage[list(TOKEN_COLUMNS)].lt(0).any(axis=1), "a token count is negative", "usage_key")
    _refuse(usage, usage["end_at"] < usage["start_at"], "it ends before it starts", "usage_key")
    jobs = _jobs(organisation_id, usage.loc[served, "job_key"])
    providers = provider_sites(organisation_id, usage["provider"])
    of_job = map_known(usage.loc[served, "job_key"], {key: one[0] for key, one in jobs.items()}, what="job")
    site = usage["provider"].map(providers).astype("Int64")
    site[served] = usage.loc[served, "job_key"].map({key: one[1] for key, one in jobs.items()}).astype("Int64")
    models = named_ids(AiModel, organisation_id, usage["model"])
    rows = usage.assign(
        organisation_id=organisation_id, key=usage["usage_key"], site_id=site,
        job_id=of_job.astype("Int64").reindex(usage.index), model_id=usage["model"].map(models).astype("Int64"),
    )  # fmt: skip
    columns = {
        "organisation_id": "int8", "key": "varchar", "site_id": "int8", "job_id": "int8", "account": "varchar",
        "model_id": "int8", "start_at": "timestamptz", "end_at": "timestamptz", "requests": "int8",
        **dict.fromkeys(TOKEN_COLUMNS, "int8"),
    }  # fmt: skip
    was = read_rows(
        "SELECT site_id, start_at, end_at FROM token_usage WHERE organisation_id = %s AND key = ANY(%s)",
        [organisation_id, rows["key"].tolist()],
    )
    before = pd.DataFrame(was, columns=TOUCHED)
    merge_frame("token_usage", columns, rows, key=("organisation_id", "key"), update=tuple(columns)[2:])
    _want(before)
    _want(rows[TOUCHED])


def write_token_prices(organisation_id: int, prices: pd.DataFrame) -> int:
    """Write dated prices of tokens and return how many changed; days of the provider from then on are attributed again.

    Raises:
        BadFrame: a kind is not one of `TokenKind`, or a price is negative.
    """
    kinds = {kind.label: int(kind) for kind in TokenKind}
    _refuse(prices, ~prices["kind"].isin(kinds), f"its kind is none of {', '.join(kinds)}", "kind")
    _refuse(
        prices, prices[["usd_per_million", "list_usd_per_million"]].lt(0).any(axis=1), "a price is negative", "model"
    )
    providers = provider_sites(organisation_id, prices["provider"])
    rows = prices.assign(
        site_id=prices["provider"].map(providers), kind=prices["kind"].map(kinds),
        model_id=prices["model"].map(named_ids(AiModel, organisation_id, prices["model"])),
    )  # fmt: skip
    columns = {
        "site_id": "int8", "model_id": "int8", "kind": "int2", "usd_per_million": "float8", "list_usd_per_million": "float8",
        "valid_from_at": "timestamptz", "valid_to_at": "timestamptz", "quality": "int2", "source": "varchar",
    }  # fmt: skip
    changed = merge_frame(
        "token_price", columns, rows, key=("site_id", "model_id", "kind", "valid_from_at"), update=tuple(columns)[3:]
    )
    if changed:
        want_again(providers.values(), prices["valid_from_at"].min(), None, reason=Reason.RATE)
    return changed


def provider_sites(organisation_id: int, providers: "pd.Series[str]") -> dict[str, int]:
    """Return the site of each provider, making one without a grid for a new one."""
    wanted = sorted(set(providers.dropna()))
    Site.objects.bulk_create(
        [Site(organisation_id=organisation_id, name=name, grid_zone=NO_GRID, timezone="UTC") for name in wanted],
        ignore_conflicts=True,
    )
    return dict(Site.objects.filter(organisation_id=organisation_id, name__in=wanted).values_list("name", "pk"))


@dataclass(frozen=True)
class Weight:
    """What a server's day was split by: seconds of work per token by phase, how well known, and whence."""

    job_id: int
    prefill_s: float
    cached_s: float
    decode_s: float
    quality: int
    source: str


def replace_shares(site_id: int, day: date, *, shares: pd.DataFrame, weights: list[Weight]) -> None:
    """Replace how the postings of a site-day divide over tokens, and seal it; the caller holds the day's transaction."""
    place: dict[str, int | date] = {"site": site_id, "day": day}
    with connection.cursor() as cursor:
        cursor.execute(FORGET, place)
        if len(shares):
            copy_frame("token_share", SHARE_COLUMNS, shares.assign(site_id=site_id, day=day))
            cursor.execute(SEAL, place)
    ServingWeight.objects.bulk_create(
        [ServingWeight(site_id=site_id, day=day, **{**vars(one), "source": one.source[:400]}) for one in weights]
    )


def _jobs(organisation_id: int, keys: "pd.Series[str]") -> dict[str, tuple[int, int]]:
    rows = Job.objects.filter(organisation_id=organisation_id, key__in=list(keys.unique()))
    return {key: (pk, site_id) for key, pk, site_id in rows.values_list("key", "pk", "site_id")}


def _refuse(frame: pd.DataFrame, wrong: "pd.Series[bool]", why: str, name: str) -> None:
    if wrong.any():
        row = int(wrong.to_numpy().argmax())
        raise BadFrame(f"row {row + 1} ({name} {frame[name].iloc[row]!r}): {why}; {int(wrong.sum())} such rows")


def _want(rows: pd.DataFrame) -> None:
    """Mark the days that usage (site_id, start_at, end_at) touches as due."""
    if rows.empty:
        return
    start_at = rows["start_at"].dt.tz_convert("UTC")
    last_at = (rows["end_at"].dt.tz_convert("UTC") - pd.Timedelta(microseconds=1)).clip(lower=start_at)
    days: dict[int, set[date]] = {}
    for site_id, first, last in set(zip(rows["site_id"].tolist(), start_at.dt.date, last_at.dt.date, strict=True)):
        touched = days.setdefault(site_id, set())
        touched.update(first + timedelta(days=number) for number in range((last - first).days + 1))
    for site_id, touched in days.items():
        want_days(site_id, touched, reason=Reason.TOKENS)
