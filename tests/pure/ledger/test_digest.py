import numpy as np
import pandas as pd
from hypothesis import given
from hypothesis import strategies as st

from aiobserve.domain.account import MEASURES
from aiobserve.ledger.digest import DIGESTED, window_digests


def postings(rows: list[dict[str, object]]) -> pd.DataFrame:
    blank = {
        **dict.fromkeys(DIGESTED, 0),
        "pool_id": None,
        "team_id": None,
        "project_id": None,
        "model_id": None,
        "job_id": None,
    }
    frame = pd.DataFrame([{"window_start_s": 900, **blank, **row} for row in rows])
    ids = ("pool_id", "team_id", "project_id", "model_id", "job_id")
    return frame.astype({name: "Int64" if name in ids else "int64" for name in frame.columns})


@given(
    st.lists(
        st.tuples(st.sampled_from([0, 900, 1800]), st.integers(-(2**62), 2**62), st.none() | st.integers(1, 9)),
        min_size=1,
    ),
    st.randoms(),
)
def test_the_order_of_postings_does_not_matter(rows: list[tuple[int, int, int | None]], random) -> None:  # type: ignore[no-untyped-def]
    made = [{"window_start_s": window, "energy_millij": energy, "team_id": team} for window, energy, team in rows]
    shuffled = random.sample(made, len(made))

    pd.testing.assert_series_equal(window_digests(postings(made)), window_digests(postings(shuffled)))


def test_each_column_counts_and_no_two_are_mistaken_for_each_other() -> None:
    changed = [{}, *({name: 1} for name in DIGESTED)]

    digests = {int(window_digests(postings([row])).iloc[0]) for row in changed}

    assert len(digests) == len(DIGESTED) + 1


def test_only_the_window_that_differs_has_another_digest() -> None:
    before = postings([{"window_start_s": 0, "gpu_millis": 1}, {"window_start_s": 900, "gpu_millis": 1}])
    after = postings([{"window_start_s": 0, "gpu_millis": 1}, {"window_start_s": 900, "gpu_millis": 2}])

    same = window_digests(before) == window_digests(after)

    assert same.to_dict() == {0: True, 900: False}


def test_an_amount_that_moves_between_two_postings_is_noticed() -> None:
    team = [{"team_id": 1, MEASURES[0]: 5}, {"team_id": 2, MEASURES[0]: 7}]
    swapped = [{"team_id": 2, MEASURES[0]: 5}, {"team_id": 1, MEASURES[0]: 7}]

    assert window_digests(postings(team)).iloc[0] != window_digests(postings(swapped)).iloc[0]


def test_nothing_has_no_digest() -> None:
    assert window_digests(postings([{}]).iloc[:0]).empty
    assert window_digests(postings([{}])).dtype == np.int64
