"""Who stands behind a reservation: the job, and the team and project that its account belonged to at the time."""

from collections.abc import Iterable
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
import pandas as pd

from aiobserve.attribution.activity import Activity
from aiobserve.attribution.numbering import numbered
from aiobserve.attribution.segments import Reservations

Int64Array = npt.NDArray[np.int64]
FloatArray = npt.NDArray[np.float64]

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
    keys = _keys(held, pieces)
    number, first = numbered(keys)
    return Claimed(
        Reservations(
            device=held["device"].to_numpy(dtype=np.int64)[pieces.row],
            claimant=number,
            start_s=pieces.start_s,
            end_s=pieces.end_s,
            share_millis=held["share_millis"].to_numpy(dtype=np.int64)[pieces.row],
        ),
        _claimants([key[first] for key in keys], np.arange(len(first))),
    )


def claim_activity(seen: pd.DataFrame, account_map: pd.DataFrame, claimants: pd.DataFrame) -> Activity:
    """Return activity by claimant; that of a job which reserved nothing is left out.

    Args:
        seen: device (index), job_id, model_id, account, start_s, end_s, level.
    """
    if seen.empty:
        return Activity.none()
    pieces = _cut(seen, account_map)
    of_claimant = [claimants[name].to_numpy(dtype=np.float64) for name in KEYS]
    number, _ = numbered([np.concatenate(pair) for pair in zip(of_claimant, _keys(seen, pieces), strict=True)])
    known, wanted = number[: len(claimants)], number[len(claimants) :]
    claimant_of = np.full(int(number.max(initial=-1)) + 1, -1, dtype=np.int64)
    claimant_of[known] = claimants.index.to_numpy(dtype=np.int64)
    claimant = claimant_of[wanted]
    reserved = claimant >= 0
    row = pieces.row[reserved]
    return Activity(
        device=seen["device"].to_numpy(dtype=np.int64)[row],
        claimant=claimant[reserved],
        start_s=pieces.start_s[reserved],
        end_s=pieces.end_s[reserved],
        level=seen["level"].to_numpy(dtype=np.float64)[row],
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
    pieces = _cut(kept, account_map)
    owned = np.flatnonzero(~np.isnan(pieces.team_id))
    keys = [np.full(len(owned), np.nan)] * 2 + [pieces.team_id[owned], pieces.project_id[owned]]
    number, first = numbered(keys)
    number = number + len(claimed.claimants)
    device = kept["device"].to_numpy(dtype=np.int64)[pieces.row[owned]]
    for place, claimant, piece in zip(device, number, owned, strict=True):
        kept_for[place, (start_s >= pieces.start_s[piece]) & (start_s < pieces.end_s[piece])] = claimant
    owners = _claimants([key[first] for key in keys], number[first])
    return replace(claimed, claimants=pd.concat([claimed.claimants, owners])), kept_for


def _claimants(keys: list[FloatArray], number: Int64Array) -> pd.DataFrame:
    return pd.DataFrame(dict(zip(KEYS, keys, strict=True)), index=pd.Index(number, name="claimant"))


@dataclass(frozen=True)
class _Pieces:
    """Rows cut where their accounts changed hands: the row of each piece, its time, and whom the account belonged to."""

    row: Int64Array
    start_s: Int64Array
    end_s: Int64Array
    team_id: FloatArray
    project_id: FloatArray


def _keys(rows: pd.DataFrame, pieces: _Pieces) -> list[FloatArray]:
    ids = [rows[name].to_numpy(dtype=np.float64)[pieces.row] for name in KEYS[:2]]
    return [*ids, pieces.team_id, pieces.project_id]


def _cut(rows: pd.DataFrame, account_map: pd.DataFrame) -> _Pieces:
    """Cut rows of accounts where these change hands."""
    number: dict[str, int] = {}
    names = rows["account"].to_numpy(dtype=object)
    account = np.fromiter((number.setdefault(name, len(number)) for name in names), np.int64, len(names))
    spans, size = _without_gaps(account_map, number)
    count = size[account]
    row = np.repeat(np.arange(len(names)), count)
    nth = np.arange(len(row)) - np.repeat(np.cumsum(count) - count, count)
    span = (np.cumsum(size) - size)[account][row] + nth
    valid_from_s, valid_to_s = spans[span, 0].astype(np.int64), spans[span, 1].astype(np.int64)
    start_s = np.maximum(rows["start_s"].to_numpy(dtype=np.int64)[row], valid_from_s)
    end_s = np.minimum(rows["end_s"].to_numpy(dtype=np.int64)[row], valid_to_s)
    some = end_s > start_s
    span = span[some]
    return _Pieces(row[some], start_s[some], end_s[some], spans[span, 2], spans[span, 3])


def _without_gaps(account_map: pd.DataFrame, accounts: Iterable[str]) -> tuple[FloatArray, Int64Array]:
    """Return spans (from, to, team_id, project_id) of accounts one after the other, and how many there are of each.

    Nobody has an account before, between and after its own spans, so that each account's spans cover all time.
    """
    own: dict[str, list[tuple[float, float, float, float]]] = {account: [] for account in accounts}
    columns = ("valid_from_s", "valid_to_s", "team_id", "project_id")
    values = account_map[list(columns)].to_numpy(dtype=np.float64).tolist()
    for account, value in zip(account_map["account"].tolist(), values, strict=True):
        if account in own:
            own[account].append((value[0], value[1], value[2], value[3]))
    rows: list[tuple[float, float, float, float]] = []
    size = []
    for spans in own.values():
        until_s, before = float(-FOREVER_S), len(rows)
        for span in sorted(spans, key=lambda one: one[0]):
            if span[0] > until_s:
                rows.append((until_s, span[0], np.nan, np.nan))
            rows.append(span)
            until_s = span[1]
        if until_s < FOREVER_S:
            rows.append((until_s, float(FOREVER_S), np.nan, np.nan))
        size.append(len(rows) - before)
    return np.array(rows, dtype=np.float64).reshape(-1, 4), np.array(size, dtype=np.int64)
