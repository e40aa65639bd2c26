"""The shared model server of `fixtures/companies/tokens.toml`, as somebody reckoned it by hand."""

import tomllib
from typing import Any

import numpy as np
import pandas as pd
import pytest

from aiobserve.attribution.counters import Readings, curves, increases
from aiobserve.attribution.phase_weights import PhaseTimes, PhaseWeights, measured
from aiobserve.attribution.tokens import Served, parts_of_servers, redistribute
from aiobserve.domain.account import MEASURES, Account, Component
from aiobserve.domain.frames import CHARGES
from aiobserve.domain.quality import Quality
from aiobserve.domain.tokens import TOKEN_COLUMNS
from tests.companies import FOLDER

TOLD: dict[str, Any] = tomllib.loads((FOLDER / "tokens.toml").read_text())
EDGE_S = np.array([0, 900])
SERVER = 99


def weights() -> PhaseWeights:
    server = {name: np.array([float(value)]) for name, value in TOLD["server"].items()}
    found = measured(PhaseTimes(cached_tokens=np.zeros(1), **server))
    assert found is not None
    return found


def test_a_short_prompt_and_a_long_answer_are_one_percent_input() -> None:
    found = weights()
    prefill, decode = (np.array([float(TOLD["server"][name])]) for name in ("prefill_tokens", "decode_tokens"))
    work_s = found.work_s(prefill, np.zeros(1), decode)

    assert (found.prefill_s, found.decode_s) == pytest.approx(
        (TOLD["expected_weights"]["prefill_s"], TOLD["expected_weights"]["decode_s"])
    )
    assert round(100 * work_s[0, 0] / work_s.sum()) == TOLD["expected_weights"]["input_percent"]
    assert found.quality == Quality.MEASURED


def test_each_tenant_pays_for_its_seconds_of_work() -> None:
    used = pd.DataFrame(
        [
            {**dict.fromkeys(TOKEN_COLUMNS, 0), **{name: one[name] for name in ("input_tokens", "output_tokens")}}
            for one in TOLD["tenant"]
        ]
    ).assign(server=0, window_start_s=0, claimant=range(len(TOLD["tenant"])))
    # The server is not read by anybody else: it works for its tenants all the time that is charged.
    unread = Served(np.full((1, 1, 3), np.nan), np.ones((1, 1), np.int64), np.full(1, np.nan), np.full(1, np.nan))
    charge = {
        **dict.fromkeys(MEASURES, 0), "window_start_s": 0, "kind": int(Account.JOB), "component": int(Component.GPU),
        "claimant": SERVER, "pool_id": -1, "energy_quality": 1, "carbon_quality": 1, "cost_quality": 1, **TOLD["cost"],
    }  # fmt: skip

    parts = parts_of_servers(used, unread, [weights()], EDGE_S)
    found = redistribute(CHARGES.check(pd.DataFrame([charge])), pd.Series({SERVER: 0}), parts)

    paid = dict(zip(found["claimant"], found["capacity_microusd"], strict=True))
    assert paid == {number: one["expected_microusd"] for number, one in enumerate(TOLD["tenant"])}


@pytest.mark.parametrize("counters", TOLD["counters"], ids=lambda one: str(one["replicas"]))
def test_counters_that_restart_are_reckoned_by_replica(counters: dict[str, Any]) -> None:
    counts = [len(one) for one in counters["replicas"]]
    found = curves(
        Readings(
            replica=np.repeat(np.arange(len(counts)), counts),
            at_s=np.concatenate([np.linspace(0, 900, count) for count in counts]),
            started_s=np.full(sum(counts), np.nan),
            value=np.array([[float(value)] for one in counters["replicas"] for value in one]),
        )
    )

    assert increases(found, EDGE_S).sum() == counters["expected"]
