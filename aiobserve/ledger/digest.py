"""What a window comes to, as one number, so that a window that comes to the same is not posted again."""

import numpy as np
import numpy.typing as npt
import pandas as pd

from aiobserve.domain.account import MEASURES

# Everything that a posting says but for its window.
DIGESTED = (
    "account", "component", "pool_id", "team_id", "project_id", "model_id", "job_id",
    "energy_quality", "carbon_quality", "cost_quality", *MEASURES,
)  # fmt: skip
# No id and no account is -1, and an amount is never mistaken for a gap: measures have none.
MISSING = -1


def window_digests(postings: pd.DataFrame) -> "pd.Series[int]":
    """Return the digest of each window: the sum modulo 2**64 of the hashes of its postings, in any order.

    Args:
        postings: `DIGESTED` and `window_start_s`; missing ids are NaN or NA; ids are below 2**53.

    Returns:
        Signed 64-bit integers by `window_start_s`, ascending.

    Source: the finaliser of MurmurHash3 (fmix64), once a column, chained.
    """
    window_s = postings["window_start_s"].to_numpy(dtype=np.int64)
    hashes = _row_hashes(postings)
    order = np.argsort(window_s, kind="stable")
    starts, first = np.unique(window_s[order], return_index=True)
    # Unsigned sums wrap around, which is what is wanted.
    sums = np.add.reduceat(hashes[order], first) if len(starts) else np.zeros(0, dtype=np.uint64)
    return pd.Series(sums.view(np.int64), index=pd.Index(starts, name="window_start_s"))


def _row_hashes(postings: pd.DataFrame) -> npt.NDArray[np.uint64]:
    hashes = np.zeros(len(postings), dtype=np.uint64)
    for position, name in enumerate(DIGESTED):
        values = postings[name].to_numpy(dtype=None if name in MEASURES else np.float64)
        filled = np.where(np.isnan(values), MISSING, values) if values.dtype.kind == "f" else values
        # The position keeps an amount of one measure apart from the same amount of another.
        hashes = _mixed(hashes + filled.astype(np.int64).view(np.uint64) + np.uint64(position + 1))
    return hashes


def _mixed(values: npt.NDArray[np.uint64]) -> npt.NDArray[np.uint64]:
    values = values ^ (values >> np.uint64(33))
    values *= np.uint64(0xFF51AFD7ED558CCD)
    values ^= values >> np.uint64(33)
    values *= np.uint64(0xC4CEB9FE1A85EC53)
    values ^= values >> np.uint64(33)
    return values
