"""What model servers gave to their tenants in a window, worked out again from the stored parts of the tokens."""

import numpy as np
import pandas as pd

from aiobserve.attribution.claimants import KEYS
from aiobserve.attribution.numbering import numbered
from aiobserve.attribution.tokens import PARTS, STAYS, redistribute
from aiobserve.domain.account import MEASURES, Account
from aiobserve.domain.tokens import TOKEN_COLUMNS
from aiobserve.domain.window import Span
from aiobserve.store.read import tokens

BY = ["claimant", "component"]


def moves_of(
    site_id: int, span: Span, charges: pd.DataFrame, claimants: pd.DataFrame
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return who gave and bore what by tokens, and what each claimant number stands for.

    Columns: account, claimant, component, parts, whole, tokens, and the measures: negative for the account that the server
    was charged to, which keeps `parts` of `whole`, and positive for a tenant, who bears them. They sum to nought.

    Args:
        charges: of the engine (`domain.frames.CHARGES`), of one window; claimants: of the engine, with `KEYS`.
    """
    stored = by_claimant(tokens.parts_of(site_id, span, bought=False))
    ours = charges[charges["kind"] == Account.JOB]
    job_of = claimants["job_id"].reindex(ours["claimant"]).to_numpy(dtype=np.float64)
    ours = ours[np.isin(job_of, stored["job_id"].to_numpy(dtype=np.float64))]
    if ours.empty:
        return ours.rename(columns={"kind": "account"}).assign(parts=0, whole=0, tokens=0), claimants
    job_ids = np.unique(stored["job_id"].to_numpy(dtype=np.int64))
    number = pd.Index(job_ids)
    place = number.get_indexer(claimants["job_id"])
    server_of = pd.Series(place[place >= 0], index=claimants.index[place >= 0])
    stored["claimant"] = int(claimants.index.max()) + 1 + np.arange(len(stored))
    stored["server"] = number.get_indexer(stored["job_id"])
    owners = claimants.loc[np.unique(ours["claimant"]), KEYS]
    parts = pd.concat(
        _owner_first(rows, owners[owners["job_id"] == rows["job_id"].iloc[0]]) for _, rows in stored.groupby("server")
    )
    everybody = pd.concat([claimants[KEYS], stored.set_index("claimant")[KEYS]])
    after = redistribute(ours, server_of, parts)
    before = ours.assign(**{name: -ours[name] for name in MEASURES})
    moved = pd.concat([before, after]).groupby(BY, as_index=False)[list(MEASURES)].sum()
    moved = moved[moved[list(MEASURES)].to_numpy().any(axis=1)]
    held = parts.assign(parts=parts[list(PARTS)].sum(axis=1), tokens=parts[list(TOKEN_COLUMNS)].sum(axis=1))
    whole = held.groupby("server")["parts"].sum()
    own = held[held["claimant"] == STAYS].set_index("server")
    tenants = held[held["claimant"] != STAYS].set_index("claimant")
    server = number.get_indexer(everybody["job_id"].reindex(moved["claimant"]))
    numbers = {
        name: np.where(
            moved["claimant"].isin(tenants.index),
            tenants[name].reindex(moved["claimant"]).to_numpy(),
            own[name].reindex(server).fillna(0).to_numpy(),
        ).astype(np.int64)
        for name in ("parts", "tokens")
    }
    return (
        moved.assign(account=int(Account.JOB), pool_id=-1, whole=whole.reindex(server).to_numpy(np.int64), **numbers),
        everybody,
    )


def by_claimant(stored: pd.DataFrame) -> pd.DataFrame:
    """Return parts in the order of claimants and windows in which amounts were split and rounded: ids ascending, none last."""
    number, _ = numbered([stored[name].to_numpy(dtype=np.float64) for name in KEYS])
    order = np.lexsort([stored["window_start_s"].to_numpy(dtype=np.int64), number])
    return stored.iloc[order].reset_index(drop=True)


def _owner_first(rows: pd.DataFrame, owners: pd.DataFrame) -> pd.DataFrame:
    """Return the parts of a server with the one that stays first, as they were split.

    What stays was written with its owner's ids, after the parts of a tenant of the same ids. A server whose account changed
    hands within the window has a row for each owner, and all say the same.
    """
    stays = []
    for _, owner in owners.iterrows():
        same = ((rows[KEYS] == owner) | (rows[KEYS].isna() & owner.isna())).all(axis=1)
        stays += rows.index[same].tolist()[-1:]
    if not stays:
        return rows
    return pd.concat([rows.loc[stays[:1]].assign(claimant=STAYS), rows.drop(index=stays)])
