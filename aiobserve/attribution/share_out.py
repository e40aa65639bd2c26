"""Share idle capacity and overhead out to teams when a report asks for it; the ledger keeps them apart.

Pure: it is given the ledger's sums by bucket (a span of time short enough that every report is a sum of buckets) and
returns rows of the same total, to the unit, on every measure. A row that is shared keeps its account, so that what was
idle can still be seen; what changes is the team that bears it. What nobody was there to bear stays where it is.

Within a bucket and site: first idle, then overhead (whose keys count the idle that a team bears), then, where the rows
tell a team's jobs apart, each team's part over its jobs by their GPU time.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt
import pandas as pd

from aiobserve.attribution.split import split_groups
from aiobserve.domain.account import Account, Component

Int64Array = npt.NDArray[np.int64]

SEPARATE = "separate"
IDLE_POLICIES = {
    SEPARATE: "idle capacity is an account of its own",
    "reserver": "idle time of devices that a team reserved goes to that team, the rest stays apart",
    "by_use": "idle capacity goes to the teams of the site by the GPU time that they used meanwhile",
    "even": "idle capacity goes to the teams that were active at the site, the same to each",
}
OVERHEAD_POLICIES = {
    SEPARATE: "overhead is an account of its own",
    "shared": "overhead goes to teams by its pool's key",
}
SHARED_BY = ("gpu_hours", "energy", "even", "label")
MILLE = 1_000
# What a pool is shared by when nobody declared it: power and cooling by energy, everything else by GPU time.
KEY_OF_COMPONENT = {Component.FACILITY: "energy", Component.HOST: "energy"}
DETAIL = ("project", "model", "job")


@dataclass(frozen=True)
class SharedPool:
    """A pool of overhead: what it is shared by, and the label that its bearers carry (any team where there is none).

    `label` as the key is GPU time among those that carry the label.
    """

    pool_id: int
    name: str
    component: int
    shared_by: str
    label: str = ""


@dataclass(frozen=True)
class Sharing:
    """What a report does with idle capacity and overhead.

    Attributes:
        idle, overhead: one of `IDLE_POLICIES`, one of `OVERHEAD_POLICIES`.
        floor_millis: with `by_use` and `even`, users bear idle time only up to used x (1000 / floor - 1): what a fleet of
            that utilisation (thousandths) would have had. None: all of it.
    """

    idle: str = SEPARATE
    overhead: str = SEPARATE
    floor_millis: int | None = None

    @property
    def shares(self) -> bool:
        """Return whether anything is shared out at all."""
        return (self.idle, self.overhead) != (SEPARATE, SEPARATE)


@dataclass(frozen=True)
class Labels:
    """Which labels a team, project, model or job carries: sets of labels by its name, by kind."""

    of: Mapping[str, Mapping[str, frozenset[str]]] = field(default_factory=dict)

    def carried_by(self, rows: pd.DataFrame, label: str) -> npt.NDArray[np.bool_]:
        """Return which rows carry a label by any of their columns, shape (n,).

        `team=Vision` (likewise project, model, job) is a label that what has that name carries by itself.
        """
        carried = np.zeros(len(rows), dtype=bool)
        for kind in ("team", *DETAIL):
            if kind in rows.columns:
                names = {name for name, labels in self.of.get(kind, {}).items() if label in labels}
                names |= {label.removeprefix(f"{kind}=")} if label.startswith(f"{kind}=") else set()
                carried |= rows[kind].isin(names).to_numpy()
        return carried


def share_out(
    rows: pd.DataFrame,
    sharing: Sharing,
    *,
    amounts: Sequence[str],
    pools: Sequence[SharedPool] = (),
    labels: Labels | None = None,
) -> pd.DataFrame:
    """Return the rows with idle and overhead borne by teams as the policy says; every amount keeps its total.

    Args:
        rows: bucket (int), site, account, component, pool_id (-1: none), team ("" where there is none), gpu_millis,
            energy_millij, the other amounts; and, to tell a team's own apart, project, model and job ("" likewise).
        amounts: the integer columns to conserve.
        pools: declared keys of overhead pools.
        labels: what teams, projects, models and jobs carry, for pools that are restricted to a label.
    """
    rows = _summed(rows, amounts)
    idle = (rows["account"] == Account.IDLE).to_numpy()
    if sharing.idle == "reserver":
        rows = _within_teams(rows, idle & (rows["team"] != "").to_numpy(), rows, amounts)
    else:
        rows = _summed(_apart(rows, idle), amounts)
        if sharing.idle != SEPARATE:
            rows = _share_idle(rows, sharing, amounts)
    if sharing.overhead != SEPARATE:
        rows = _share_overhead(rows, amounts, pools, labels or Labels())
    return _summed(rows, amounts)


def _summed(rows: pd.DataFrame, amounts: Sequence[str]) -> pd.DataFrame:
    """Return one row a combination of keys, so that the rows' order and number do not decide who gets a last unit."""
    keys = [name for name in rows.columns if name not in amounts]
    return rows.groupby(keys, as_index=False, sort=True)[list(amounts)].sum()


def _apart(rows: pd.DataFrame, idle: npt.NDArray[np.bool_]) -> pd.DataFrame:
    """Take the reserver's name off idle rows."""
    named = [name for name in ("team", *DETAIL) if name in rows.columns]
    return rows.assign(**{name: rows[name].where(~idle, "") for name in named})


def _share_idle(rows: pd.DataFrame, sharing: Sharing, amounts: Sequence[str]) -> pd.DataFrame:
    idle = rows["account"].to_numpy() == Account.IDLE
    borne, above = rows[idle], rows[:0]
    if sharing.floor_millis is not None:
        borne, above = _up_to_floor(rows[idle], rows, sharing.floor_millis, amounts)
    key = "even" if sharing.idle == "even" else "gpu_hours"
    return pd.concat([rows[~idle], _borne(borne, rows, key, amounts), above], ignore_index=True)


def _up_to_floor(
    idle: pd.DataFrame, rows: pd.DataFrame, floor_millis: int, amounts: Sequence[str]
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Split idle rows into what the users bear and what is more than a fleet of the floor's utilisation would have."""
    where = ["bucket", "site"]
    jobs = rows[rows["account"] == Account.JOB]
    used = _looked_up(idle, jobs.groupby(where)["gpu_millis"].sum())
    time = _looked_up(idle, idle.groupby(where)["gpu_millis"].sum())
    allowed = np.maximum(used, 0) * (MILLE - floor_millis) // floor_millis
    within = np.minimum(allowed, time)
    # An idle amount without idle time (a commitment that was not used) is borne whole.
    within, above = np.where(time > 0, within, 1), np.where(time > 0, time - within, 0)
    count = len(idle)
    group = np.repeat(np.arange(count), 2)
    weights = np.column_stack([within, above]).ravel()
    borne, left = idle.copy(), idle.copy()
    for name in amounts:
        parts = split_groups(idle[name].to_numpy(np.int64), group, weights).reshape(count, 2)
        borne[name], left[name] = parts[:, 0], parts[:, 1]
    return borne, left


def _looked_up(rows: pd.DataFrame, by_bucket: "pd.Series[int]") -> Int64Array:
    keys = pd.MultiIndex.from_frame(rows[["bucket", "site"]])
    return by_bucket.reindex(keys).fillna(0).to_numpy().astype(np.int64)


def _share_overhead(
    rows: pd.DataFrame, amounts: Sequence[str], pools: Sequence[SharedPool], labels: Labels
) -> pd.DataFrame:
    declared = {pool.pool_id: pool for pool in pools}
    overhead = (rows["account"] == Account.OVERHEAD).to_numpy()
    shared = [rows[~overhead]]
    for (pool_id, component), part in rows[overhead].groupby(["pool_id", "component"], sort=True):
        pool = declared.get(int(str(pool_id)))
        key = pool.shared_by if pool else KEY_OF_COMPONENT.get(Component(int(str(component))), "gpu_hours")
        bearing = rows[~overhead]
        if pool and pool.label:
            bearing = bearing[labels.carried_by(bearing, pool.label)]
        shared.append(_borne(part, bearing, key, amounts))
    return pd.concat(shared, ignore_index=True)


def _borne(sources: pd.DataFrame, bearing: pd.DataFrame, key: str, amounts: Sequence[str]) -> pd.DataFrame:
    """Split rows over the teams of their bucket and site by a key; a row that nobody was there to bear stays."""
    spread = _spread(sources, _teams(bearing, key), ["team"], amounts)
    return _within_teams(spread, (spread["team"] != "").to_numpy(), bearing, amounts)


def _within_teams(
    rows: pd.DataFrame, chosen: npt.NDArray[np.bool_], bearing: pd.DataFrame, amounts: Sequence[str]
) -> pd.DataFrame:
    """Split the chosen rows over the projects, models and jobs of their team by GPU time, where rows tell these apart."""
    detail = [name for name in DETAIL if name in rows.columns]
    if not detail:
        return rows
    used = _used(bearing, ["bucket", "site", "team", *detail])
    return pd.concat([rows[~chosen], _spread(rows[chosen], used, detail, amounts)], ignore_index=True)


def _teams(bearing: pd.DataFrame, key: str) -> pd.DataFrame:
    """Return bucket, site, team and weight of the teams whose jobs used GPU time."""
    where = ["bucket", "site", "team"]
    used = _used(bearing, where)
    if key == "even":
        return used.assign(weight=1)
    if key == "energy":
        drawn = bearing.groupby(where, as_index=False)["energy_millij"].sum()
        used = used.drop(columns="weight").merge(drawn, on=where).rename(columns={"energy_millij": "weight"})
        return used[used["weight"] > 0]
    return used


def _used(bearing: pd.DataFrame, by: list[str]) -> pd.DataFrame:
    """Return GPU time of jobs as `weight`; whose use comes to nothing or less (a correction) bears nothing."""
    jobs = bearing[(bearing["account"] == Account.JOB) & (bearing["team"] != "")]
    used = jobs.groupby(by, as_index=False, sort=True)["gpu_millis"].sum()
    return used[used["gpu_millis"] > 0].rename(columns={"gpu_millis": "weight"})


def _spread(sources: pd.DataFrame, bearers: pd.DataFrame, to: list[str], amounts: Sequence[str]) -> pd.DataFrame:
    """Split each row over the bearers that share its other keys; a row without bearers stays as it is."""
    sources = sources.reset_index(drop=True).assign(source=np.arange(len(sources)))
    on = [name for name in bearers.columns if name not in (*to, "weight")]
    pairs = sources.drop(columns=to).merge(bearers, on=on, how="inner", sort=False)
    pairs = pairs.sort_values(["source", *to], kind="stable").reset_index(drop=True)
    found, group = np.unique(pairs["source"].to_numpy(dtype=np.int64), return_inverse=True)
    weights = pairs["weight"].to_numpy(np.int64)
    totals = sources.iloc[found]
    parts = {name: split_groups(totals[name].to_numpy(np.int64), group.astype(np.int64), weights) for name in amounts}
    columns = [name for name in sources.columns if name != "source"]
    return pd.concat([sources.drop(index=found), pairs.assign(**parts)], ignore_index=True)[columns]
