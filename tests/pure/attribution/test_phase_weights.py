"""How much work a token is."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aiobserve.attribution.phase_weights import (
    ASSUMED,
    ASSUMED_CACHED,
    ASSUMED_DECODE,
    PhaseTimes,
    fit,
    fitted,
    measured,
    nonnegative_least_squares,
    server_seconds,
)
from aiobserve.domain.quality import Quality


def times(prefill_tokens: float, decode_tokens: float, prefill_s: float, decode_s: float) -> PhaseTimes:
    columns = (prefill_tokens, 0.0, decode_tokens, prefill_s, decode_s, 900.0)
    return PhaseTimes(*(np.array([float(value)]) for value in columns))


def test_a_fifth_of_a_second_of_prefill_and_a_thousand_tokens_at_20_ms_is_one_per_cent_input() -> None:
    weights = measured(times(500, 1000, 0.2, 1000 * 0.020))

    assert weights is not None and weights.quality == Quality.MEASURED
    prefill, cached, decode = weights.work_s(np.array([500.0]), np.array([0.0]), np.array([1000.0]))[0]
    share = prefill / (prefill + cached + decode)
    assert share == pytest.approx(0.2 / 20.2)
    assert round(share, 2) == 0.01  # not 0.91, which is 0.2 / (0.2 + 0.02)


def test_decode_that_runs_side_by_side_is_not_counted_once_a_request() -> None:
    """A hundred such requests at once, and prefill one after another: 20 s of prefill beside 880 s of batched decode."""
    prefill, decode = server_seconds(times(50_000, 100_000, 20.0, 2_000.0))

    assert (prefill[0], decode[0]) == (20, 880)
    weights = measured(times(50_000, 100_000, 20.0, 2_000.0))
    assert weights is not None and weights.quality == Quality.ESTIMATED and "overlapped" in weights.source


@given(st.floats(0, 5000), st.floats(0, 5000))
def test_no_more_server_seconds_than_the_window_has(prefill_s: float, decode_s: float) -> None:
    prefill, decode = server_seconds(times(1, 1, prefill_s, decode_s))

    assert prefill[0] + decode[0] <= 900 + 1e-9
    assert prefill[0] + decode[0] == pytest.approx(min(900, prefill_s + decode_s))


@pytest.mark.parametrize("missing", [(0, 10, 1, 1), (10, 0, 1, 1), (10, 10, 0, 1), (10, 10, 1, 0)])
def test_without_time_or_tokens_nothing_is_measured(missing: tuple[float, float, float, float]) -> None:
    assert measured(times(*missing)) is None


def test_a_fit_finds_what_a_token_costs() -> None:
    rng = np.random.default_rng(1)
    tokens = rng.integers(0, 10_000, (96, 3)).astype(float)
    joules = tokens @ np.array([0.5, 0.05, 8.0]) + 30_000

    weights = fitted(fit(tokens, joules), "joules")

    assert weights is not None and weights.quality == Quality.ESTIMATED
    assert (weights.prefill_s, weights.cached_s, weights.decode_s) == pytest.approx((0.5, 0.05, 8.0))


def test_a_fit_of_noise_is_not_used() -> None:
    rng = np.random.default_rng(1)

    assert fitted(fit(rng.random((96, 3)), rng.exponential(1, 96)), "noise") is None


def test_a_fit_that_cannot_tell_the_phases_apart_is_not_used() -> None:
    """Always three prompt tokens a generated one: any split of the joules fits."""
    made = np.arange(1.0, 97.0)

    found = fit(np.column_stack([3 * made, 0 * made, made]), 10 * made)

    assert fitted(found, "joules") is None


def test_the_assumption_says_so() -> None:
    assert ASSUMED.quality == Quality.ASSUMED
    assert ASSUMED.source.startswith("assumed")


@settings(max_examples=100, deadline=None)
@given(seed=st.integers(0, 10**6))
def test_no_coefficient_is_negative_and_none_fits_better(seed: int) -> None:
    rng = np.random.default_rng(seed)
    design, amount = rng.random((20, 3)), rng.normal(0, 1, 20)

    found = nonnegative_least_squares(design, amount)

    assert (found >= 0).all()
    least = np.square(design @ found - amount).sum()
    for other in np.abs(found + rng.normal(0, 0.1, (50, 3))):
        assert np.square(design @ other - amount).sum() >= least - 1e-9


def _splitwise(traces: Path) -> pd.DataFrame:
    rows = pd.read_parquet(traces / "open/power/splitwise_perf_model.parquet")
    prompt, made = (rows[name] * rows["batch_size"] for name in ("prompt_size", "token_size"))
    busy_s = (rows["prompt_time"] + rows["token_time"] * rows["token_size"]) / 1000
    return rows.assign(prompt_tokens=prompt, made_tokens=made, busy_s=busy_s)


def _errors(rows: pd.DataFrame) -> "pd.Series[float]":
    errors = {}
    for key, one in rows.groupby(["model", "hardware", "tensor_parallel"]):
        one = one.sample(frac=1, random_state=1)
        tokens = np.column_stack([one["prompt_tokens"], np.zeros(len(one)), one["made_tokens"]])
        found = fit(tokens, one["busy_s"].to_numpy(), constant=False)
        assert found is not None
        errors[key] = found.error
    return pd.Series(errors)


def test_weights_fitted_to_splitwise_hold_on_rows_held_out(traces: Path) -> None:
    """One request at a time is linear in tokens; a mix of batch sizes is not, and the error says so."""
    rows = _splitwise(traces)

    alone, mixed = _errors(rows[rows["batch_size"] == 1]), _errors(rows)

    print(
        f"held-out error, batch 1: {alone.min():.1%} to {alone.max():.1%}; all batches: {mixed.min():.1%} to {mixed.max():.1%}"
    )
    assert len(alone) == 12
    assert alone.max() < 0.05
    assert mixed.min() > alone.max()


def test_the_assumed_ratios_are_those_of_their_sources(traces: Path) -> None:
    rows = _splitwise(traces).query("batch_size == 16")
    per_made = rows["token_time"] / rows["batch_size"]
    ratio = (per_made / (rows["prompt_time"] / rows["prompt_tokens"])).groupby(
        [rows["model"], rows["hardware"], rows["tensor_parallel"]]
    )
    assert ratio.median().median() == pytest.approx(ASSUMED_DECODE, rel=0.25)

    prices = pd.read_csv(traces / "open/llm_prices/litellm_1.109.1_flat.csv.gz").query(
        "mode == 'chat' and input_cost_per_token > 0"
    )
    assert (prices["cache_read_input_token_cost"] / prices["input_cost_per_token"]).median() == pytest.approx(
        ASSUMED_CACHED
    )
