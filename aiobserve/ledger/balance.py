"""The law of the ledger: in every window, on every measure, postings sum to zero."""

import numpy as np
import pandas as pd

from aiobserve.domain.account import MEASURES


class Unbalanced(ValueError):
    """Postings of a window do not sum to zero."""


def imbalances(postings: pd.DataFrame) -> pd.DataFrame:
    """Return the sums by window that are not zero, indexed by `window_start_s`; empty when all is well."""
    window_s = postings["window_start_s"].to_numpy(dtype=np.int64)
    order = np.argsort(window_s, kind="stable")
    starts, first = np.unique(window_s[order], return_index=True)
    amounts = np.column_stack([postings[name].to_numpy(dtype=np.int64) for name in MEASURES])[order]
    sums = np.add.reduceat(amounts, first, axis=0) if len(starts) else amounts
    wrong = (sums != 0).any(axis=1)
    return pd.DataFrame(sums[wrong], index=pd.Index(starts[wrong], name="window_start_s"), columns=list(MEASURES))
