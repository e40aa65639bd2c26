"""A server's cost goes to those who used it, whole; and bought tokens cost what the price list says."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aiobserve.attribution.phase_weights import ASSUMED, PhaseWeights
from aiobserve.attribution.token_prices import TokenPriceMissing, price_tokens, whole_microusd
from aiobserve.attribution.token_windows import Pieces, tokens_by_window
from aiobserve.attribution.tokens import (
    PARTS,
    STAYS,
    WHOLE,
    Served,
    parts_of_servers,
    redistribute,
    without_tenant,
)
from aiobserve.domain.account import MEASURES, Account, Component
from aiobserve.domain.frames import CHARGES
from aiobserve.domain.quality import Quality
from aiobserve.domain.tokens import TOKEN_COLUMNS, TokenKind

EDGE_S = np.arange(4, dtype=np.int64) * 900
WINDOWS = 3
SERVER = 7
# A generated token is twenty computed ones; a cached one a tenth.
WEIGHTS = PhaseWeights(0.001, 0.0001, 0.02, Quality.MEASURED, "test")


def used(*rows: tuple[int, int, int, dict[str, int]]) -> pd.DataFrame:
    """Return usage by (server, window, claimant, tokens)."""
    columns = ["server", "window_start_s", "claimant", *TOKEN_COLUMNS]
    values = [
        {**dict.fromkeys(TOKEN_COLUMNS, 0), "server": server, "window_start_s": window * 900, "claimant": who, **tokens}
        for server, window, who, tokens in rows
    ]
    return pd.DataFrame(values, columns=columns).astype("int64")


def unread(servers: int = 1) -> Served:
    nothing = np.full(servers, np.nan)
    return Served(np.full((servers, WINDOWS, 3), np.nan), np.ones((servers, WINDOWS), np.int64), nothing, nothing)


def charge(window: int, claimant: int = SERVER, **amounts: int) -> dict[str, int]:
    return {
        **dict.fromkeys(MEASURES, 0), "window_start_s": window * 900, "kind": int(Account.JOB),
        "component": int(Component.GPU), "claimant": claimant, "pool_id": -1, "energy_quality": 1, "carbon_quality": 1,
        "cost_quality": 1, **amounts,
    }  # fmt: skip


def charges(*rows: dict[str, int]) -> pd.DataFrame:
    return CHARGES.check(pd.DataFrame(list(rows)))


def split(of: pd.DataFrame, parts: pd.DataFrame, measure: str = "energy_millij") -> dict[tuple[int, int], int]:
    found = redistribute(of, pd.Series({SERVER: 0}), parts)
    return {(row.window_start_s // 900, row.claimant): int(getattr(row, measure)) for row in found.itertuples()}


def test_tenants_pay_by_work_not_by_tokens() -> None:
    """A thousand computed prompt tokens are a second, fifty generated ones too, ten thousand cached ones as well."""
    use = used(
        (0, 0, 1, {"input_tokens": 1000}), (0, 0, 2, {"output_tokens": 50}), (0, 0, 3, {"cached_read_tokens": 10_000})
    )

    parts = parts_of_servers(use, unread(), [WEIGHTS], EDGE_S)

    assert split(charges(charge(0, energy_millij=300)), parts) == {(0, 1): 100, (0, 2): 100, (0, 3): 100}


def test_reasoning_is_generated_and_what_is_written_to_the_cache_is_computed() -> None:
    use = used((0, 0, 1, {"cache_write_tokens": 1000}), (0, 0, 2, {"reasoning_tokens": 30, "output_tokens": 20}))

    parts = parts_of_servers(use, unread(), [WEIGHTS], EDGE_S)

    assert split(charges(charge(0, energy_millij=300)), parts) == {(0, 1): 150, (0, 2): 150}


def test_a_reserved_window_without_a_token_stays_with_the_server() -> None:
    parts = parts_of_servers(used((0, 0, 1, {"output_tokens": 5})), unread(), [WEIGHTS], EDGE_S)

    assert split(charges(charge(0, energy_millij=300), charge(1, energy_millij=300)), parts) == {
        (0, 1): 300,
        (1, SERVER): 300,
    }
    idle = parts[parts["window_start_s"] == 900]
    assert idle["idle_parts"].tolist() == [WHOLE]


def test_one_short_request_in_a_window_does_not_pay_for_the_quarter_of_an_hour() -> None:
    """90 s in flight of 900 s: a tenth of the window is the tenant's, the rest was idle."""
    served = Served(np.full((1, WINDOWS, 3), np.nan), np.ones((1, WINDOWS), np.int64), np.zeros(1), np.array([0.09]))

    parts = parts_of_servers(used((0, 0, 1, {"output_tokens": 1000})), served, [WEIGHTS], EDGE_S)

    assert split(charges(charge(0, energy_millij=300)), parts) == {(0, 1): 30, (0, SERVER): 270}


def test_tokens_that_no_tenant_explains_stay_with_the_server() -> None:
    served = unread()
    served.tokens[0, 0] = (0, 0, 100)

    parts = parts_of_servers(used((0, 0, 1, {"output_tokens": 75})), served, [WEIGHTS], EDGE_S)

    assert split(charges(charge(0, energy_millij=300)), parts) == {(0, 1): 225, (0, SERVER): 75}
    own = parts[(parts["claimant"] == STAYS) & (parts["window_start_s"] == 0)]
    assert own["output_tokens"].tolist() == [25]


def test_what_is_counted_in_one_window_and_reported_in_the_next_is_not_missing() -> None:
    counted, reported = np.zeros((1, 3, 3)), np.zeros((1, 3, 3), np.int64)
    counted[0, :, 2] = (100, 100, 30)
    reported[0, :, 2] = (60, 120, 40)

    assert without_tenant(counted, reported)[0, :, 2].tolist() == [10, 0, 0]


def test_a_charge_of_somebody_else_is_left_alone() -> None:
    parts = parts_of_servers(used((0, 0, 1, {"output_tokens": 5})), unread(), [WEIGHTS], EDGE_S)
    other = charges(charge(0, claimant=8, energy_millij=300))

    assert redistribute(other, pd.Series({SERVER: 0}), parts).equals(other)


def test_cached_tokens_alone_still_find_their_payer() -> None:
    free = PhaseWeights(0.001, 0.0, 0.02, Quality.ESTIMATED, "a fit that gives cached tokens nothing")

    parts = parts_of_servers(used((0, 0, 1, {"cached_read_tokens": 5})), unread(), [free], EDGE_S)

    assert split(charges(charge(0, energy_millij=300)), parts) == {(0, 1): 300}


amounts = st.fixed_dictionaries({name: st.integers(-(10**6), 10**12) for name in MEASURES})
tokens = st.fixed_dictionaries({name: st.integers(0, 10**9) for name in TOKEN_COLUMNS})


@settings(max_examples=120, deadline=None)
@given(
    charged=st.lists(st.tuples(st.integers(0, 2), st.sampled_from([SERVER, 8]), amounts), min_size=1, max_size=6),
    usage=st.dictionaries(st.tuples(st.integers(0, 2), st.integers(10, 14)), tokens, max_size=8),
    counted=st.lists(st.one_of(st.just(float("nan")), st.floats(0, 1e9)), min_size=9, max_size=9),
    seconds=st.tuples(st.floats(0, 0.1), st.floats(0, 0.1)),
    known=st.booleans(),
    weights=st.tuples(st.floats(1e-9, 1), st.floats(0, 1), st.floats(1e-9, 1)),
)
def test_tenants_and_what_is_left_sum_to_the_server_in_every_window_and_measure(
    charged,
    usage,
    counted,
    seconds,
    known,
    weights,  # type: ignore[no-untyped-def]
) -> None:
    of = charges(*(charge(window, who, **amount) for window, who, amount in charged))
    served = Served(
        np.array(counted).reshape(1, 3, 3), np.ones((1, WINDOWS), np.int64),
        *(np.array([value if known else np.nan]) for value in seconds),
    )  # fmt: skip

    use = used(*((0, window, who, kinds) for (window, who), kinds in usage.items()))
    parts = parts_of_servers(use, served, [PhaseWeights(*weights, Quality.ASSUMED, "test")], EDGE_S)
    after = redistribute(of, pd.Series({SERVER: 0}), parts)

    assert (parts.groupby("window_start_s")[list(PARTS)].sum().sum(axis=1) == WHOLE).all()
    assert (parts[list(PARTS)] >= 0).all().all()
    before, now = (frame.groupby("window_start_s")[list(MEASURES)].sum() for frame in (of, after))
    assert now.reindex(before.index, fill_value=0).equals(before)
    others = [frame[frame["claimant"] == 8][list(MEASURES)].sum().tolist() for frame in (of, after)]
    assert others[0] == others[1]


def piece(row: int, claimant: int, start_s: int, end_s: int) -> tuple[int, int, int, int]:
    return row, claimant, start_s, end_s


def pieces(cut: list[tuple[int, int, int, int]], kinds: list[list[int]], requests: list[int]) -> Pieces:
    columns = np.array(cut, dtype=np.int64).T
    return Pieces(*columns, tokens=np.array(kinds, dtype=np.int64), requests=np.array(requests, dtype=np.int64))


def test_a_request_over_three_windows_reads_its_prompt_in_the_first_and_writes_in_all() -> None:
    found = tokens_by_window(pieces([piece(0, 1, 450, 2250)], [[1000, 0, 0, 400, 0]], [1]))

    assert found.window_start_s.tolist() == [0, 900, 1800]
    assert found.tokens[:, TokenKind.INPUT].tolist() == [1000, 0, 0]
    assert found.tokens[:, TokenKind.OUTPUT].tolist() == [100, 200, 100]


def test_many_requests_are_spread_evenly() -> None:
    found = tokens_by_window(pieces([piece(0, 1, 0, 1800)], [[1000, 0, 0, 400, 0]], [17]))

    assert found.tokens[:, TokenKind.INPUT].tolist() == [500, 500]


@given(
    rows=st.lists(
        st.tuples(
            st.integers(0, 5000), st.integers(1, 4000), st.integers(1, 4000), st.integers(0, 10**9), st.integers(1, 3)
        ),
        min_size=1,
        max_size=10,
    )  # fmt: skip
)
def test_no_token_of_a_usage_row_is_lost_between_windows_or_accounts(
    rows: list[tuple[int, int, int, int, int]],
) -> None:
    cut, kinds, requests = [], [], []
    for number, (start, first, second, amount, count) in enumerate(rows):
        cut += [piece(number, 1, start, start + first), piece(number, 2, start + first, start + first + second)]
        kinds.append([amount, amount // 2, 0, amount // 3, 1])
        requests.append(count)

    found = tokens_by_window(pieces(cut, kinds, requests))

    sums = np.zeros((len(rows), 5), dtype=np.int64)
    np.add.at(sums, found.row, found.tokens)
    assert sums.tolist() == kinds


def prices(*rows: tuple[str, float, float, int, int]) -> pd.DataFrame:
    """Return prices of model 1 by (kind, USD per million paid, list, from, to)."""
    frame = pd.DataFrame(rows, columns=["kind", "usd", "list_usd", "valid_from_s", "valid_to_s"])
    return frame.assign(
        model_id=1, model="large", provider="example", quality=1,
        picousd=np.rint(frame.pop("usd") * 1e6).astype("int64"), list_picousd=np.rint(frame.pop("list_usd") * 1e6).astype("int64"),
    )  # fmt: skip


ALWAYS = (0, 10**9)
LIST = prices(("input", 3.0, 3.0, *ALWAYS), ("cached_read", 0.3, 0.3, *ALWAYS), ("output", 12.0, 15.0, *ALWAYS))


def cost(kinds: list[int], of: pd.DataFrame = LIST, at_s: int = 0) -> tuple[int, int]:
    priced = price_tokens(np.array([1]), np.array([at_s]), np.array([kinds]), of)
    return int(whole_microusd(priced.picousd.sum(axis=1))[0]), int(whole_microusd(priced.list_picousd.sum(axis=1))[0])


def test_a_million_tokens_cost_what_the_price_list_says() -> None:
    assert cost([1_000_000, 0, 0, 0, 0]) == (3_000_000, 3_000_000)
    assert cost([0, 1_000_000, 0, 0, 0]) == (300_000, 300_000)
    assert cost([0, 0, 0, 1_000_000, 0]) == (12_000_000, 15_000_000)


def test_reasoning_without_a_price_of_its_own_is_billed_as_output() -> None:
    assert cost([0, 0, 0, 0, 1_000_000]) == (12_000_000, 15_000_000)


def test_a_cached_token_without_a_price_is_not_priced_as_input() -> None:
    only_input = prices(("input", 3.0, 3.0, *ALWAYS))

    with pytest.raises(
        TokenPriceMissing, match=r"no price of cached_read tokens of 'large' is known at 1970-01-01T00:15"
    ):
        cost([10, 10, 0, 0, 0], only_input, at_s=900)


def test_a_price_holds_from_its_date_on() -> None:
    cut = prices(("input", 3.0, 3.0, 0, 900), ("input", 2.0, 3.0, 900, 10**9))

    assert cost([1_000_000, 0, 0, 0, 0], cut, at_s=0) == (3_000_000, 3_000_000)
    assert cost([1_000_000, 0, 0, 0, 0], cut, at_s=900) == (2_000_000, 3_000_000)


@given(st.lists(st.integers(0, 10**15), min_size=1, max_size=50))
def test_rounding_together_loses_at_most_half_a_microdollar_in_all(picousd: list[int]) -> None:
    parts = whole_microusd(np.array(picousd, dtype=np.int64))

    assert abs(int(parts.sum()) * 10**6 - sum(picousd)) <= 500_000
    assert all(abs(int(part) * 10**6 - exact) < 10**6 for part, exact in zip(parts, picousd, strict=True))


def test_the_assumed_weights_split_too() -> None:
    parts = parts_of_servers(
        used((0, 0, 1, {"input_tokens": 12}), (0, 0, 2, {"output_tokens": 1})), unread(), [ASSUMED], EDGE_S
    )

    assert split(charges(charge(0, energy_millij=300)), parts) == {(0, 1): 150, (0, 2): 150}


def test_nobody_serves_and_nothing_is_split() -> None:
    other = charges(charge(0, claimant=8, energy_millij=300))

    assert redistribute(other, pd.Series(dtype="int64"), parts_of_servers(used(), unread(0), [], EDGE_S)).equals(other)
