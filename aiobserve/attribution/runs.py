"""Attempts of one piece of work, and what of an attempt was lost when it did not complete.

Pure: it is given attempts and ledger sums by window, and splits them so that kept and lost sum to what was posted.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from aiobserve.attribution.split import split_groups
from aiobserve.domain.window import WINDOW_S

# Attempts that ended in one of these did not bring their work to an end.
WASTED = ("failed", "requeued", "timeout", "cancelled")


def lineage(attempts: pd.DataFrame) -> "pd.Series[int]":
    """Return the number of the run that each attempt belongs to.

    A run is a name and account, from an attempt until the next that does not count on from it: a nightly job of the same
    name is a new run each night, its second attempt is not.

    Args:
        attempts: name, account, attempt, submitted_s; any order. The index is kept.
    """
    ordered = attempts.sort_values(["name", "account", "submitted_s", "attempt"], kind="stable")
    same = (ordered["name"] == ordered["name"].shift()) & (ordered["account"] == ordered["account"].shift())
    starts = ~same | (ordered["attempt"] <= ordered["attempt"].shift())
    return starts.cumsum().rename("run").reindex(attempts.index)


@dataclass(frozen=True)
class Split:
    """Amounts of each attempt, by job_id: what a later attempt can go on from, what was lost, and whether that is known.

    `assumed` marks attempts without any checkpoint: all of it counts as lost, which is an upper bound.
    """

    kept: pd.DataFrame
    lost: pd.DataFrame
    assumed: "pd.Series[bool]"


def split_at_checkpoint(windows: pd.DataFrame, attempts: pd.DataFrame, *, amounts: Sequence[str]) -> Split:
    """Split what attempts came to at their last checkpoint before they ended.

    A window that holds the checkpoint is split by the time that the attempt ran in it before and after; largest remainder,
    so that kept + lost is what was posted, on every measure.

    Args:
        windows: job_id, window_start_s and the amounts, one row a job and window.
        attempts: index job_id; start_s, end_s, checkpoint_s (start_s where there is none), has_checkpoint.
    """
    facts = attempts.loc[windows["job_id"]]
    window_s = windows["window_start_s"].to_numpy(np.int64)
    ran_from = np.maximum(facts["start_s"].to_numpy(np.int64), window_s)
    ran_to = np.minimum(facts["end_s"].to_numpy(np.int64), window_s + WINDOW_S)
    cut = np.clip(facts["checkpoint_s"].to_numpy(np.int64), ran_from, np.maximum(ran_from, ran_to))
    before, after = cut - ran_from, np.maximum(ran_to - cut, 0)
    # Amounts in a window in which the attempt did not run (a correction) go with the side of the checkpoint they lie on.
    aside = before + after == 0
    early = window_s < facts["checkpoint_s"].to_numpy(np.int64)
    before, after = np.where(aside, early, before), np.where(aside, ~early, after)
    group = np.repeat(np.arange(len(windows)), 2)
    weights = np.column_stack([before, after]).ravel().astype(np.int64)
    kept, lost = windows[["job_id"]].copy(), windows[["job_id"]].copy()
    for name in amounts:
        parts = split_groups(windows[name].to_numpy(np.int64), group, weights).reshape(len(windows), 2)
        kept[name], lost[name] = parts[:, 0], parts[:, 1]
    names = list(amounts)
    return Split(
        kept.groupby("job_id")[names].sum(),
        lost.groupby("job_id")[names].sum(),
        ~attempts["has_checkpoint"].astype(bool),
    )
