"""What is planted in the tokens of the simulated company, and how a test finds it in the frames."""

import pandas as pd

from collectors.simulated import serving
from collectors.simulated.facts import Days, Fact, Frames


def _of(frame: pd.DataFrame, model: str) -> pd.DataFrame:
    return frame[frame["job_key"].fillna("").str.startswith(f"serve-{model}-")]


def _restart(frames: Frames, days: Days) -> bool:
    model, replica = serving.RESTARTED
    read = _of(frames["serving_counters"], model).sort_values("at")
    fell = read.groupby(["job_key", "replica"])["decode_tokens"].diff() < 0
    where = read[fell]
    return len(where) == 1 and where["replica"].iloc[0] == replica and bool(
        pd.Timedelta(0) <= where["at"].iloc[0] - serving.RESTART_AT <= pd.Timedelta(seconds=serving.READ_EVERY_S)
    )  # fmt: skip


def _in_flight(frames: Frames, days: Days) -> bool:
    read = _of(frames["serving_counters"], serving.LONG_MODEL)
    during = read[(read["at"] > serving.LONG.start_at) & (read["at"] < serving.LONG.end_at) & (read["replica"] == "0")]
    other = read[read["at"].isin(during["at"])]
    flying = (during["decode_tokens"] - during["finished_decode_tokens"]).max()
    return len(other) >= 3 and bool(flying > serving.LONG_TOKENS * 0.7)


def _silent(frames: Frames, days: Days) -> bool:
    read = _of(frames["serving_counters"], serving.SILENT_MODEL).sort_values("at")
    later = serving.SILENT.start_at + pd.Timedelta(seconds=serving.LATENCY_S)
    during = read[(read["at"] >= later) & (read["at"] <= serving.SILENT.end_at)]
    used = _of(frames["token_usage"], serving.SILENT_MODEL)
    asked = used[(used["start_at"] >= serving.SILENT.start_at) & (used["start_at"] < serving.SILENT.end_at)]
    return bool((during.groupby("replica")["decode_tokens"].nunique() == 1).all()) and len(during) > 10 and asked.empty


def _no_tenant(frames: Frames, days: Days) -> bool:
    """More was counted than tenants report: a few per cent."""
    read = _of(frames["serving_counters"], "chat-7b")
    counted = read.groupby(["job_key", "replica"])["decode_tokens"].agg(lambda one: one.max() - one.min()).sum()
    reported = _of(frames["token_usage"], "chat-7b")["output_tokens"].sum()
    return 0.01 < 1 - reported / counted < 0.06


def _cut(frames: Frames, days: Days) -> bool:
    prices = frames["token_prices"].query("model == 'frontier-large' and kind == 'output'").sort_values("valid_from_at")
    return prices["usd_per_million"].tolist() == [15.0, 12.0] and bool((prices["list_usd_per_million"] == 15.0).all())


SERVING_FACTS = (
    Fact(
        "replica-restart",
        f"Replica {serving.RESTARTED[1]} of {serving.RESTARTED[0]} restarted at {serving.RESTART_AT:%d %B %H:%M}Z; its counters fell.",
        _restart,
    ),
    Fact(
        "in-flight",
        f"One request of {serving.LONG_ACCOUNT} wrote {serving.LONG_TOKENS:,} tokens over four windows on {serving.LONG.start_at:%d %B}.",
        _in_flight,
    ),
    Fact(
        "silent-gateway",
        f"The gateway sent {serving.SILENT_MODEL} nothing from {serving.SILENT.start_at:%d %B %H:%M}Z for two hours: it idled.",
        _silent,
    ),
    Fact("no-tenant", "Three per cent of the requests to the servers name no tenant.", _no_tenant),
    Fact(
        "price-cut",
        f"From {serving.PRICE_CUT_AT:%d %B} {serving.PROVIDER} gives {serving.DISCOUNT_AFTER:.0%} off its list prices.",
        _cut,
    ),
)
