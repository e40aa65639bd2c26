import pandas as pd

from aiobserve.attribution.claimants import claim

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
