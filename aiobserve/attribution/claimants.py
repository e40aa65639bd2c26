"""Who stands behind a reservation: the job, and the team and project that its account belonged to at the time."""

from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
import pandas as pd

from aiobserve.attribution.activity import Activity
from aiobserve.attribution.segments import Reservations

Int64Array = npt.NDArray[np.int64]

FOREVER_S = 2**40


KEYS = ["job_id", "model_id", "team_id", "project_id"]


@dataclass(frozen=True)
class Claimed:
    """Reservations cut at changes of the account map, and what each claimant number stands for.

    `claimants` has job_id, model_id, team_id, project_id; the latter two are missing where the account
    belonged to nobody, the former two where the claimant is no job but who answers for an idle device.
    """

    reservations: Reservations
    claimants: pd.DataFrame


def claim(held: pd.DataFrame, account_map: pd.DataFrame) -> Claimed:
    """Cut reservations where the account changed hands, so that a re-organisation moves only what came after.

    Args:
        held: device (index), job_id, model_id, account, start_s, end_s, share_millis.
        account_map: account, team_id, project_id, valid_from_s, valid_to_s; spans of one account do not overlap.
    """
    pieces = _cut(held, account_map)
    number = pieces.groupby(KEYS, dropna=False, sort=True).ngroup()
    claimants = pieces[KEYS].assign(claimant=number).drop_duplicates("claimant").set_index("claimant").sort_index()
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


def claim_activity(seen: pd.DataFrame, account_map: pd.DataFrame, claimants: pd.DataFrame) -> Activity:
    """Return activity by claimant; that of a job which reserved nothing is left out.

    Args:
        seen: device (index), job_id, model_id, account, start_s, end_s, level.
    """
    if seen.empty:
        return Activity.none()
    pieces = _cut(seen, account_map)
    numbers = claimants.reset_index().rename(columns={"index": "claimant"})
    pieces = pieces.merge(numbers, on=KEYS, how="inner")
    return Activity(
        device=pieces["device"].to_numpy(dtype=np.int64),
        claimant=pieces["claimant"].to_numpy(dtype=np.int64),
        start_s=pieces["start_s"].to_numpy(dtype=np.int64),
        end_s=pieces["end_s"].to_numpy(dtype=np.int64),
        level=pieces["level"].to_numpy(dtype=np.float64),
    )


def keep_for(
    kept: pd.DataFrame, account_map: pd.DataFrame, claimed: Claimed, *, start_s: Int64Array, devices: int
) -> tuple[Claimed, Int64Array]:
    """Return who answers for each device while it idles, shape (devices, w), -1 for nobody, as claimants of their own.

    Args:
        kept: device (index), account, start_s, end_s: the devices that are kept for an account.
        start_s: start of each window, shape (w,).
    """
    kept_for = np.full((devices, len(start_s)), -1, dtype=np.int64)
    if kept.empty:
        return claimed, kept_for
    pieces = _cut(kept.assign(job_id=np.nan, model_id=np.nan), account_map).dropna(subset="team_id")
    number = pieces.groupby(["team_id", "project_id"]).ngroup() + len(claimed.claimants)
    for device, claimant, first_s, last_s in zip(
        pieces["device"], number, pieces["start_s"], pieces["end_s"], strict=True
    ):
        kept_for[device, (start_s >= first_s) & (start_s < last_s)] = claimant
    owners = pieces[KEYS].assign(claimant=number).drop_duplicates("claimant").set_index("claimant").sort_index()
    return replace(claimed, claimants=pd.concat([claimed.claimants, owners])), kept_for


def _cut(rows: pd.DataFrame, account_map: pd.DataFrame) -> pd.DataFrame:
    """Cut rows of accounts where these change hands; adds team_id and project_id."""
    timeline = _without_gaps(account_map, sorted(set(rows["account"])))
    pieces = rows.merge(timeline, on="account", how="inner")
    pieces["start_s"] = pieces[["start_s", "valid_from_s"]].max(axis=1)
    pieces["end_s"] = pieces[["end_s", "valid_to_s"]].min(axis=1)
    # A column of nothing but missing values has no dtype of its own; ids of one dtype can be joined on.
    return pieces[pieces["end_s"] > pieces["start_s"]].astype(dict.fromkeys(KEYS, "float64"))


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
