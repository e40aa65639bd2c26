"""From counters to what servers served, and which weights are chosen."""

import numpy as np
import pandas as pd
import pytest

from aiobserve.attribution.phase_weights import ASSUMED
from aiobserve.attribution.serving import VALUES, choose_weights, read_servers
from aiobserve.domain.quality import Quality

HOURS = 24
EDGE_S = np.arange(HOURS * 4 + 1, dtype=np.int64) * 900


def counters(*replicas: tuple[int, str, dict[str, float]]) -> pd.DataFrame:
    """Return readings at every edge of replicas (server, name, increase a window by counter)."""
    rows = [
        {
            "server": server, "replica": name, "at_s": float(edge), "started_s": np.nan,
            **{column: np.nan if column.endswith("_s") else 0.0 for column in VALUES[:-1]},
            **{column: step * number for column, step in steps.items()},
        }
        for server, name, steps in replicas
        for number, edge in enumerate(EDGE_S)
    ]  # fmt: skip
    columns = ["server", "replica", "at_s", "started_s", *VALUES[:-1]]
    return pd.DataFrame(rows, columns=columns).astype(dict.fromkeys(columns[2:], "float64") | {"server": "int64"})


BUSY = {
    "prefill_tokens": 1000.0, "cached_tokens": 500.0, "decode_tokens": 200.0, "prefill_s": 0.5, "decode_s": 4.0,
    "finished_prompt_tokens": 1500.0, "finished_decode_tokens": 200.0,
}  # fmt: skip
UNTIMED = {name: BUSY[name] for name in ("prefill_tokens", "cached_tokens", "decode_tokens")}


def test_replicas_of_a_server_add_up_and_servers_do_not_mix() -> None:
    found = read_servers(counters((0, "a", BUSY), (0, "b", BUSY), (1, "a", BUSY)), 2, EDGE_S)

    assert found.served.tokens[:, 3].tolist() == [[2000, 1000, 400], [1000, 500, 200]]
    assert found.served.replicas[:, 3].tolist() == [2, 1]
    assert found.served.decode_s == pytest.approx([0.02, 0.02])


def test_a_server_that_was_not_read_is_unknown_not_idle() -> None:
    found = read_servers(counters((0, "a", BUSY)), 2, EDGE_S)

    assert np.isnan(found.served.tokens[1]).all()
    assert np.isnan(found.served.decode_s[1])


def test_no_counters_at_all_is_no_error() -> None:
    found = read_servers(counters(), 1, EDGE_S)

    assert choose_weights(found, np.zeros(1, np.int64), np.zeros((1, HOURS * 4, 3)), np.zeros((1, HOURS * 4))) == [
        ASSUMED
    ]


def test_phase_times_win_over_a_fit() -> None:
    found = read_servers(counters((0, "a", BUSY)), 1, EDGE_S)
    tokens = np.random.default_rng(1).integers(0, 1000, (1, HOURS * 4, 3)).astype(float)

    (weights,) = choose_weights(found, np.zeros(1, np.int64), tokens, tokens @ np.array([1.0, 1.0, 1.0]) + 5)

    assert weights.quality == Quality.MEASURED
    assert (weights.prefill_s, weights.decode_s) == pytest.approx((0.0005, 0.02))


def test_without_phase_times_the_energy_of_the_windows_says_what_a_token_costs() -> None:
    found = read_servers(counters((0, "a", UNTIMED)), 1, EDGE_S)
    tokens = np.random.default_rng(1).integers(0, 1000, (1, HOURS * 4, 3)).astype(float)

    (weights,) = choose_weights(found, np.zeros(1, np.int64), tokens, tokens @ np.array([0.5, 0.1, 6.0]) + 20_000)

    assert weights.source.startswith("fitted")
    assert weights.decode_s / weights.prefill_s == pytest.approx(12)


def test_without_either_the_assumption_stands() -> None:
    found = read_servers(counters((0, "a", UNTIMED)), 1, EDGE_S)
    noise = np.random.default_rng(1).exponential(1000, (1, HOURS * 4))

    assert choose_weights(found, np.zeros(1, np.int64), np.ones((1, HOURS * 4, 3)), noise) == [ASSUMED]


def test_servers_of_one_model_and_gpu_share_their_weights() -> None:
    found = read_servers(counters((0, "a", BUSY), (1, "a", UNTIMED), (2, "a", UNTIMED)), 3, EDGE_S)

    first, same_kind, other = choose_weights(
        found, np.array([0, 0, 1]), np.ones((3, HOURS * 4, 3)), np.zeros((3, HOURS * 4))
    )

    assert first == same_kind
    assert other == ASSUMED
