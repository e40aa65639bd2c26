"""Model servers and bought tokens of the simulated company: counters, who used what, and a provider's dated prices.

Tokens follow `requests_per_s` of the served model. What is planted: one replica restarts, one long request is in flight
over window edges, a gateway sends nothing for two hours, some requests name no tenant, and a provider cuts its prices.
"""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import lru_cache

import numpy as np
import numpy.typing as npt
import pandas as pd

from aiobserve.domain.quality import Quality
from aiobserve.domain.tokens import SERVING_COUNTERS, TOKEN_COLUMNS, TOKEN_PRICES, TOKEN_USAGE
from aiobserve.domain.units import SECONDS_PER_HOUR
from aiobserve.domain.window import Span
from collectors.simulated.company import SPAN
from collectors.simulated.grid import requests_per_s
from collectors.simulated.jobs import Run, runs
from collectors.simulated.random_streams import stream
from collectors.simulated.shapes import AZURE_CHAT_TOKENS, AZURE_CODE_TOKENS

FloatArray = npt.NDArray[np.float64]

READ_EVERY_S = 600
HOUR = "%Y%m%dT%H"
REPLICAS = ("0", "1")
# Share of the prompt that is found in the cache, and how long a request lasts.
CACHED_SHARE, LATENCY_S = 0.4, 8.0
# Seconds of a request per computed prompt token and per generated one.
SECONDS_PER_TOKEN = {"chat-70b": (0.00008, 0.03), "chat-7b": (0.00004, 0.02)}
# account -> share of the requests, and the (prompt, answer) tokens of one. The rest names no tenant.
TENANTS = {
    "assistant-prod": (0.50, AZURE_CHAT_TOKENS),
    "search-batch": (0.22, AZURE_CODE_TOKENS),
    "vision-prod": (0.13, AZURE_CHAT_TOKENS),
    "speech": (0.08, AZURE_CHAT_TOKENS),
    "contractors": (0.04, AZURE_CHAT_TOKENS),
}
NO_TENANT = (1 - sum(share for share, _ in TENANTS.values()), AZURE_CHAT_TOKENS)

RESTARTED, RESTART_AT = ("chat-70b", "1"), datetime(2026, 11, 2, 9, 40, tzinfo=UTC)
LONG_MODEL, LONG_ACCOUNT, LONG_TOKENS = "chat-7b", "speech", 90_000
LONG = Span(datetime(2026, 11, 3, 13, 5, tzinfo=UTC), datetime(2026, 11, 3, 13, 50, tzinfo=UTC))
SILENT_MODEL = "chat-7b"
SILENT = Span(datetime(2026, 11, 4, 2, tzinfo=UTC), datetime(2026, 11, 4, 4, tzinfo=UTC))

PROVIDER = "example-ai"
PRICE_CUT_AT = datetime(2026, 11, 1, tzinfo=UTC)
DISCOUNT_BEFORE, DISCOUNT_AFTER = 0.0, 0.2
# USD per million tokens at list price: input, cached_read, cache_write, output.
LIST_PRICES = {"frontier-large": (3.0, 0.3, 3.75, 15.0), "frontier-mini": (0.25, 0.025, 0.25, 2.0)}
# account -> model, and tokens of a working hour by kind.
BUYERS = {
    "assistant-eval": ("frontier-large", (900_000, 600_000, 60_000, 140_000, 0)),
    "nlp-train": ("frontier-mini", (4_000_000, 500_000, 0, 2_500_000, 1_200_000)),
    "contractors": ("frontier-mini", (300_000, 0, 0, 80_000, 0)),
}
WORKING_HOURS = (7, 17)


@dataclass(frozen=True)
class Hourly:
    """Tokens of a server by hour of its run, computed, cached and generated, shape (h, 3), of one account; and requests."""

    tokens: FloatArray
    requests: FloatArray


def token_prices() -> pd.DataFrame:
    """Return the provider's prices: list prices until the cut, a discount on them after it."""
    rows = []
    for model, usd in LIST_PRICES.items():
        for kind, listed in zip(("input", "cached_read", "cache_write", "output"), usd, strict=True):
            row = {"provider": PROVIDER, "model": model, "kind": kind, "list_usd_per_million": listed,
                   "quality": int(Quality.MEASURED), "source": "simulated price list"}  # fmt: skip
            for discount, from_at, to_at in (
                (DISCOUNT_BEFORE, SPAN.start_at - timedelta(days=365), PRICE_CUT_AT),
                (DISCOUNT_AFTER, PRICE_CUT_AT, pd.NaT),
            ):
                paid = round(listed * (1 - discount), 6)
                rows.append({**row, "usd_per_million": paid, "valid_from_at": from_at, "valid_to_at": to_at})
    return TOKEN_PRICES.check(pd.DataFrame(rows))


def tokens_of_week(week: Span, seed: int) -> dict[str, pd.DataFrame]:
    """Return counters and usage of the servers that were deployed in a week, and the tokens that were bought in it."""
    deployed = [
        run for run in runs(seed)
        if run.lane.pattern == "serving" and week.start_at.timestamp() <= run.start_s < week.end_at.timestamp()
    ]  # fmt: skip
    usage = [_usage(run, account, seed) for run in deployed for account in TENANTS]
    usage += [_long_request(run) for run in deployed if _holds_long(run)]
    return {
        "serving_counters": SERVING_COUNTERS.check(
            pd.concat([_counters(run, replica, seed) for run in deployed for replica in REPLICAS], ignore_index=True)
        ),
        "token_usage": TOKEN_USAGE.check(pd.concat([*usage, _bought(week, seed)], ignore_index=True)),
    }


@lru_cache(maxsize=64)
def _hourly(run: Run, account: str | None, seed: int) -> Hourly:
    """Return what an account, or nobody in particular, asked of a server."""
    first_h = (run.start_s - int(SPAN.start_at.timestamp())) // SECONDS_PER_HOUR
    hours = (run.end_s - run.start_s) // SECONDS_PER_HOUR
    share, (prompt, answer) = TENANTS[account] if account else NO_TENANT
    rng = stream(seed, "tenant", run.key, account or "nobody")
    rate = requests_per_s(run.work.model, seed)[first_h : first_h + hours]
    requests = np.rint(rate * SECONDS_PER_HOUR * share * rng.normal(1, 0.05, hours))
    if run.work.model == SILENT_MODEL:
        at_s = run.start_s + np.arange(hours) * SECONDS_PER_HOUR
        requests[(at_s >= SILENT.start_at.timestamp()) & (at_s < SILENT.end_at.timestamp())] = 0
    prompts = np.rint(requests * prompt)
    cached = np.rint(prompts * CACHED_SHARE)
    return Hourly(np.stack([prompts - cached, cached, np.rint(requests * answer)], axis=-1), requests)


def _usage(run: Run, account: str, seed: int) -> pd.DataFrame:
    asked = _hourly(run, account, seed)
    start_at = pd.to_datetime(run.start_s + np.arange(len(asked.requests)) * SECONDS_PER_HOUR, unit="s", utc=True)
    frame = pd.DataFrame(
        {
            "usage_key": [f"{run.key}/{account}/{hour}" for hour in start_at.strftime(HOUR)], "job_key": run.key, "provider": None,
            "account": account, "model": run.work.model, "start_at": start_at, "end_at": start_at + pd.Timedelta(hours=1),
            "requests": asked.requests.astype(np.int64), **dict.fromkeys(TOKEN_COLUMNS, 0),
            "input_tokens": asked.tokens[:, 0].astype(np.int64), "cached_read_tokens": asked.tokens[:, 1].astype(np.int64),
            "output_tokens": asked.tokens[:, 2].astype(np.int64),
        }
    )  # fmt: skip
    return frame[frame["requests"] > 0]


def _holds_long(run: Run) -> bool:
    return run.work.model == LONG_MODEL and run.start_s <= LONG.start_at.timestamp() < run.end_s


def _long_request(run: Run) -> pd.DataFrame:
    return pd.DataFrame(
        [
            {
                "usage_key": f"{run.key}/long", "job_key": run.key, "provider": None, "account": LONG_ACCOUNT,
                "model": run.work.model, "start_at": LONG.start_at, "end_at": LONG.end_at, "requests": 1,
                **dict.fromkeys(TOKEN_COLUMNS, 0), "output_tokens": LONG_TOKENS,
            }
        ]
    )  # fmt: skip


def _counters(run: Run, replica: str, seed: int) -> pd.DataFrame:
    """Return the readings of one replica: half of the server's tokens, finished some seconds after they were made."""
    hourly = [_hourly(run, account, seed) for account in (*TENANTS, None)]
    asked = np.concatenate(
        [np.sum([one.tokens for one in hourly], axis=0), np.sum([one.requests for one in hourly], axis=0)[:, None]],
        axis=1,
    )
    edge_s = run.start_s + np.arange(len(asked) + 1) * SECONDS_PER_HOUR
    counted = np.vstack([np.zeros(4), np.cumsum(asked / len(REPLICAS), axis=0)])
    late_s = int(stream(seed, "scrape", run.key, replica).integers(0, 30))
    at_s = np.arange(run.start_s + late_s, run.end_s + 1, READ_EVERY_S, dtype=np.float64)
    made, finished = _at(at_s, edge_s, counted), _at(at_s - LATENCY_S, edge_s, counted)
    if replica == REPLICAS[0] and _holds_long(run):
        start_s, end_s = LONG.start_at.timestamp(), LONG.end_at.timestamp()
        made[:, 2] += LONG_TOKENS * np.clip((at_s - start_s) / (end_s - start_s), 0, 1)
        finished[:, 2] += LONG_TOKENS * (at_s >= end_s)
    started_s = np.full(len(at_s), float(run.start_s))
    if (run.work.model, replica) == RESTARTED:
        after = at_s >= RESTART_AT.timestamp()
        if after.any() and not after.all():
            base = _at(np.array([RESTART_AT.timestamp()]), edge_s, counted)
            made[after] -= base
            # What was in flight ended with the process.
            finished[after] = np.maximum(finished[after] - base, 0)
            started_s[after] = RESTART_AT.timestamp()
    prefill_s, decode_s = SECONDS_PER_TOKEN[run.work.model]
    frame = pd.DataFrame(np.floor(made), columns=["prefill_tokens", "cached_tokens", "decode_tokens", "requests"])
    return frame.assign(
        job_key=run.key, replica=replica, at=pd.to_datetime(at_s, unit="s", utc=True),
        process_started_at=pd.to_datetime(started_s, unit="s", utc=True), requests=np.floor(finished[:, 3]),
        prefill_s=np.round(finished[:, 0] * prefill_s, 3), decode_s=np.round(finished[:, 2] * decode_s, 3),
        finished_prompt_tokens=np.floor(finished[:, 0] + finished[:, 1]), finished_decode_tokens=np.floor(finished[:, 2]),
    )  # fmt: skip


def _at(at_s: FloatArray, edge_s: npt.NDArray[np.int64], counted: FloatArray) -> FloatArray:
    return np.stack([np.interp(at_s, edge_s, counted[:, column]) for column in range(counted.shape[1])], axis=-1)


def _bought(week: Span, seed: int) -> pd.DataFrame:
    hours = pd.date_range(week.start_at, week.end_at, freq="h", inclusive="left")
    hours = hours[(hours.day_of_week < 5) & (hours.hour >= WORKING_HOURS[0]) & (hours.hour < WORKING_HOURS[1])]
    frames = []
    for account, (model, counts) in BUYERS.items():
        noise = stream(seed, "bought", account, week.start_at.isoformat()).normal(1, 0.2, len(hours)).clip(0.3, 2)
        amounts = np.rint(noise[:, None] * np.array(counts)).astype(np.int64)
        frames.append(
            pd.DataFrame(amounts, columns=list(TOKEN_COLUMNS)).assign(
                usage_key=[f"{PROVIDER}/{account}/{hour}" for hour in hours.strftime(HOUR)], job_key=None, provider=PROVIDER,
                account=account, model=model, start_at=hours, end_at=hours + pd.Timedelta(hours=1),
                requests=np.maximum(amounts[:, 0] // 4_000, 2),
            )
        )  # fmt: skip
    return pd.concat(frames, ignore_index=True)
