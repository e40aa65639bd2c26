"""Who stands behind a reservation: the job, and the team and project its account belonged to at the time."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from aiobserve.attribution.occupancy import Reservations

FOREVER_S = 2**40


@dataclass(frozen=True)
class Claimed:
    """Reservations cut at changes of the account map, and what each claimant number stands for.

    `claimants` has job_id, model_id, team_id, project_id; the latter two are missing where the account
    belonged to nobody.
    """

    reservations: Reservations
    claimants: pd.DataFrame


def claim(held: pd.DataFrame, account_map: pd.DataFrame) -> Claimed:
    """Cut reservations where the account changed hands, so that a re-organisation moves only what came after.

    Args:
        held: device (index), job_id, model_id, account, start_s, end_s, share_millis.
        account_map: account, team_id, project_id, valid_from_s, valid_to_s; spans of one account do not overlap.
    """
    timeline = _without_gaps(account_map, sorted(set(held["account"])))
    pieces = held.merge(timeline, on="account", how="inner")
    pieces["start_s"] = pieces[["start_s", "valid_from_s"]].max(axis=1)
    pieces["end_s"] = pieces[["end_s", "valid_to_s"]].min(axis=1)
    pieces = pieces[pieces["end_s"] > pieces["start_s"]]
    keys = ["job_id", "model_id", "team_id", "project_id"]
    number = pieces.groupby(keys, dropna=False, sort=True).ngroup()
    claimants = pieces[keys].assign(claimant=number).drop_duplicates("claimant").set_index("claimant").sort_index()
    return Claimed(
        Reservations(
            device=pieces["device"].to_numpy(dtype=np.int64),
            claimant=number.to_numpy(dtype=np.int64),
            start_s=pieces["start_s"].to_numpy(dtype=np.int64),
            end_s=pieces["end_s"].to_numpy(dtype=np.int64),
            share_millis=pieces["share_millis"].to_numpy(dtype=np.int64),
        ),
        claimants,
    )


def _without_gaps(account_map: pd.DataFrame, accounts: list[str]) -> pd.DataFrame:
    """Return the map with rows of nobody for the time before, between and after an account's own rows."""
    rows: list[tuple[str, float, float, int, int]] = []
    spans = {str(account): group for account, group in account_map.groupby("account")}
    for account in accounts:
        until_s = -FOREVER_S
        own = spans.get(account)
        for row in () if own is None else own.sort_values("valid_from_s").itertuples():
            rows.append((account, np.nan, np.nan, until_s, int(row.valid_from_s)))
            rows.append((account, row.team_id, row.project_id, int(row.valid_from_s), int(row.valid_to_s)))
            until_s = int(row.valid_to_s)
        rows.append((account, np.nan, np.nan, until_s, FOREVER_S))
    frame = pd.DataFrame(rows, columns=["account", "team_id", "project_id", "valid_from_s", "valid_to_s"])
    return frame[frame["valid_to_s"] > frame["valid_from_s"]]
