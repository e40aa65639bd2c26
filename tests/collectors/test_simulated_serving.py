"""The tokens of the simulated company are consistent with its requests, and hold what was planted."""

from datetime import timedelta
from pathlib import Path

import pandas as pd
import pytest

from aiobserve.domain.window import Span
from collectors.simulated import NOW_AT, SEED, SimulatedFleet, serving, shapes
from collectors.simulated.grid import requests_per_s
from collectors.simulated.serving_facts import SERVING_FACTS

Frames = dict[str, pd.DataFrame]


@pytest.fixture(scope="module")
def last_weeks() -> Frames:
    batches = SimulatedFleet().collect(Span(NOW_AT - timedelta(days=8), NOW_AT - timedelta(days=1)))
    found = [batch.frames for batch in batches if {"serving_counters", "token_prices"} & set(batch.frames)]
    return {
        name: pd.concat([one[name] for one in found if name in one], ignore_index=True)
        for name in ("serving_counters", "token_usage", "token_prices")
    }


@pytest.mark.parametrize("fact", SERVING_FACTS, ids=[fact.key for fact in SERVING_FACTS])
def test_every_planted_fact_can_be_found(fact, last_weeks: Frames) -> None:  # type: ignore[no-untyped-def]
    assert fact.found(last_weeks, lambda first, count: {}), fact.sentence


def test_the_requests_of_the_tenants_come_to_the_load_of_the_model(last_weeks: Frames) -> None:
    used = last_weeks["token_usage"]
    used = used[
        used["job_key"].fillna("").str.startswith("serve-chat-70b-") & (used["start_at"] >= NOW_AT - timedelta(days=8))
    ]
    hour = ((used["start_at"] - serving.SPAN.start_at).dt.total_seconds() // 3600).astype(int)

    asked = used["requests"].groupby(hour).sum()

    offered = requests_per_s("chat-70b", SEED)[asked.index] * 3600
    named = sum(share for share, _ in serving.TENANTS.values())
    assert asked.to_numpy() == pytest.approx(offered * named, rel=0.15)


def test_the_same_seed_gives_the_same_tokens(last_weeks: Frames) -> None:
    week = Span(NOW_AT - timedelta(days=6), NOW_AT)

    first, again = (serving.tokens_of_week(week, SEED) for _ in range(2))

    assert all(first[name].equals(again[name]) for name in first)
    assert first["token_usage"]["usage_key"].is_unique


def test_tokens_of_a_request_are_those_of_the_azure_traces(traces: Path) -> None:
    for name, means in (("conv", shapes.AZURE_CHAT_TOKENS), ("code", shapes.AZURE_CODE_TOKENS)):
        trace = pd.read_csv(traces / f"open/llm_requests/AzureLLMInferenceTrace_{name}.csv.gz")

        assert trace[["ContextTokens", "GeneratedTokens"]].mean().to_numpy() == pytest.approx(means, abs=0.6)
