import numpy as np
import pandas as pd
from hypothesis import given, settings
from hypothesis import strategies as st

from aiobserve.attribution.claimants import claim, claim_activity, keep_for

FOREVER_S = 2**40


def held(account: str, start_s: int, end_s: int) -> pd.DataFrame:
    return pd.DataFrame(
        [
            {
                "device": 0,
                "job_id": 1,
                "model_id": 1,
                "account": account,
                "start_s": start_s,
                "end_s": end_s,
                "share_millis": 1000,
            }
        ]
    )


def mapped(*rows: tuple[str, int, int, int]) -> pd.DataFrame:
    columns = ["account", "team_id", "valid_from_s", "valid_to_s"]
    return pd.DataFrame(list(rows), columns=columns).assign(project_id=9)


def test_a_reorganisation_moves_only_what_came_after() -> None:
    claimed = claim(held("nlp", 0, 100), mapped(("nlp", 1, -FOREVER_S, 60), ("nlp", 2, 60, FOREVER_S)))

    teams = claimed.claimants["team_id"].loc[claimed.reservations.claimant].tolist()
    spans = list(zip(claimed.reservations.start_s, claimed.reservations.end_s, teams, strict=True))
    assert sorted(spans) == [(0, 60, 1.0), (60, 100, 2.0)]


def test_time_before_an_account_belonged_to_anybody_is_nobodys() -> None:
    claimed = claim(held("nlp", 0, 100), mapped(("nlp", 1, 40, FOREVER_S)))

    assert claimed.claimants["team_id"].isna().sum() == 1
    assert (claimed.reservations.end_s - claimed.reservations.start_s).sum() == 100


def test_an_account_that_is_not_mapped_is_kept() -> None:
    claimed = claim(held("strangers", 0, 100), mapped(("nlp", 1, -FOREVER_S, FOREVER_S)))

    assert len(claimed.reservations.device) == 1
    assert claimed.claimants["team_id"].isna().all()


def shared(*rows: tuple[int, float | None, str]) -> pd.DataFrame:
    """Return reservations of device 0 for seconds 0 to 100 by (job, model, account)."""
    columns = ["job_id", "model_id", "account"]
    return pd.DataFrame(list(rows), columns=columns).assign(device=0, start_s=0, end_s=100, share_millis=500)


def active(*rows: tuple[int, float | None, str, float]) -> pd.DataFrame:
    columns = ["job_id", "model_id", "account", "level"]
    return pd.DataFrame(list(rows), columns=columns).assign(device=0, start_s=0, end_s=100)


ALWAYS_NLP = mapped(("nlp", 1, -FOREVER_S, FOREVER_S))


def test_activity_goes_to_the_claimant_of_its_job() -> None:
    claimed = claim(shared((4, 1.0, "nlp"), (5, 1.0, "nlp")), ALWAYS_NLP)

    found = claim_activity(active((5, 1.0, "nlp", 0.25)), ALWAYS_NLP, claimed.claimants)

    assert claimed.claimants["job_id"].loc[found.claimant].tolist() == [5]
    assert found.level.tolist() == [0.25]


def test_activity_of_jobs_without_a_model_is_found_beside_jobs_with_one() -> None:
    claimed = claim(shared((4, 1.0, "nlp"), (5, None, "nlp")), ALWAYS_NLP)

    found = claim_activity(active((5, None, "nlp", 0.5)), ALWAYS_NLP, claimed.claimants)

    assert claimed.claimants["job_id"].loc[found.claimant].tolist() == [5]


def test_activity_is_cut_where_its_account_changes_hands() -> None:
    account_map = mapped(("nlp", 1, -FOREVER_S, 60), ("nlp", 2, 60, FOREVER_S))
    claimed = claim(shared((4, 1.0, "nlp")), account_map)

    found = claim_activity(active((4, 1.0, "nlp", 0.5)), account_map, claimed.claimants)

    teams = claimed.claimants["team_id"].loc[found.claimant].tolist()
    assert sorted(zip(found.start_s, found.end_s, teams, strict=True)) == [(0, 60, 1.0), (60, 100, 2.0)]


def test_activity_of_a_job_that_reserved_nothing_is_left_out() -> None:
    claimed = claim(shared((4, 1.0, "nlp")), ALWAYS_NLP)

    assert not claim_activity(active((7, 1.0, "nlp", 0.5)), ALWAYS_NLP, claimed.claimants).device.size


START_S = np.array([0, 900, 1_800])


def kept(account: str, start_s: int, end_s: int) -> pd.DataFrame:
    return pd.DataFrame([{"device": 1, "account": account, "start_s": start_s, "end_s": end_s}])


def test_a_kept_device_idles_for_its_team_while_it_is_kept() -> None:
    claimed = claim(shared((4, 1.0, "nlp")), ALWAYS_NLP)

    both, kept_for = keep_for(kept("nlp", 900, 1_800), ALWAYS_NLP, claimed, start_s=START_S, devices=2)

    assert kept_for.tolist() == [[-1, -1, -1], [-1, 1, -1]]
    assert both.claimants.loc[1, ["team_id", "project_id"]].tolist() == [1, 9]
    assert pd.isna(both.claimants.loc[1, "job_id"])
    assert both.claimants.loc[[0]].equals(claimed.claimants)


def test_a_kept_device_follows_a_reorganisation() -> None:
    account_map = mapped(("nlp", 1, -FOREVER_S, 900), ("nlp", 2, 900, FOREVER_S))

    both, kept_for = keep_for(
        kept("nlp", -100, 9_999), account_map, claim(shared(), account_map), start_s=START_S, devices=2
    )

    assert both.claimants["team_id"].loc[kept_for[1]].tolist() == [1, 2, 2]


def test_a_device_kept_for_nobody_we_know_idles_for_nobody() -> None:
    claimed = claim(shared(), ALWAYS_NLP)

    both, kept_for = keep_for(kept("strangers", 0, 9_999), ALWAYS_NLP, claimed, start_s=START_S, devices=2)

    assert (kept_for == -1).all()
    assert both.claimants.empty


SPANS = st.lists(st.integers(-50, 150), max_size=4, unique=True).map(sorted)


@settings(max_examples=50, deadline=None)
@given(edges=SPANS, start_s=st.integers(-20, 120), length_s=st.integers(1, 100))
def test_whatever_the_map_says_no_second_is_lost_or_held_twice(edges: list[int], start_s: int, length_s: int) -> None:
    spans = zip(edges, edges[1:], strict=False)
    account_map = mapped(*(("nlp", team, a, b) for team, (a, b) in enumerate(spans) if team != 1))

    claimed = claim(held("nlp", start_s, start_s + length_s), account_map).reservations

    seconds = [second for a, b in zip(claimed.start_s, claimed.end_s, strict=True) for second in range(a, b)]
    assert sorted(seconds) == list(range(start_s, start_s + length_s))
