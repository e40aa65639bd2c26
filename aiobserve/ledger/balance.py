"""The law of the ledger: in every window, on every measure, postings sum to zero."""

import pandas as pd

from aiobserve.domain.account import MEASURES


class Unbalanced(ValueError):
    """Postings of a window do not sum to zero."""


def imbalances(postings: pd.DataFrame) -> pd.DataFrame:
    """Return the sums by window that are not zero, indexed by `window_start_s`; empty when all is well."""
    sums = postings.groupby("window_start_s")[list(MEASURES)].sum()
    return sums[(sums != 0).any(axis=1)]
