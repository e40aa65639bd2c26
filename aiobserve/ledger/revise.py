"""Which windows have to be reversed and which posted, once a part of a day was worked out again.

A window whose postings come to the same as what stands is left alone. A window of a closed period is corrected
in the open one: its postings are booked in a later window, and say which one they correct.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from aiobserve.domain.window import WINDOW_S

# The digest of a window in which nothing was posted.
EMPTY = 0
OPEN = 0


@dataclass(frozen=True)
class Closed:
    """A closed period: its id and the epoch seconds `[start_s, end_s)` that it covers."""

    pk: int
    start_s: int
    end_s: int


def revise(
    digests: "pd.Series[int]", standing: pd.DataFrame, closed: Sequence[Closed], *, booking_s: int
) -> pd.DataFrame:
    """Return the windows to touch, one row each, ascending by window.

    Args:
        digests: digest of each window that was worked out and has postings, by `window_start_s`.
        standing: what stands in the same span: window_start_s, batch_id, digest (NA when unknown), booked_s.
        closed: the closed periods of the organisation.
        booking_s: the window of the present, which has to be open.

    Returns:
        window_start_s; period (id of the closed period that it lies in, or `OPEN`);
        reverse, post, unwind: what to do. `unwind` is set where corrections of a period that is open
        again are taken back from the later windows they were booked in;
        booked_s: the window in which new postings are booked.
    """
    both = standing[["window_start_s", "digest", "booked_s"]].merge(
        digests.rename("new").reset_index(), on="window_start_s", how="outer", sort=True
    )
    stands = both["booked_s"].notna().to_numpy()
    new = both["new"].astype("Int64").fillna(EMPTY)
    period = period_of(both["window_start_s"].to_numpy(dtype=np.int64), closed)
    same = (both["digest"].astype("Int64") == new).fillna(False).to_numpy(dtype=bool)
    elsewhere = stands & (both["booked_s"].fillna(0).to_numpy() != both["window_start_s"].to_numpy())
    unwind = elsewhere & (period == OPEN)
    reverse = stands & (~same | unwind)
    # In a closed period that nothing is left of a window is a statement too, which a later correction has to find.
    something = (new != EMPTY).to_numpy(dtype=bool) | (reverse & (period != OPEN))
    touched = pd.DataFrame(
        {
            "window_start_s": both["window_start_s"].astype("int64"),
            "period": period,
            "reverse": reverse,
            "post": something & (reverse | ~stands),
            "unwind": unwind,
            "booked_s": np.where(period == OPEN, both["window_start_s"], booking_s).astype(np.int64),
        }
    )
    return touched[touched["reverse"] | touched["post"]].reset_index(drop=True)


def period_of(
    window_s: "np.ndarray[tuple[int], np.dtype[np.int64]]", closed: Sequence[Closed]
) -> "np.ndarray[tuple[int], np.dtype[np.int64]]":
    """Return the id of the closed period that each window lies in, `OPEN` where it lies in none."""
    period = np.full(len(window_s), OPEN, dtype=np.int64)
    for one in closed:
        period[(window_s >= one.start_s) & (window_s < one.end_s)] = one.pk
    return period


def booking_window(present_s: int, closed: Sequence[Closed]) -> int:
    """Return the window of the present, or the first one after it that is not closed."""
    window_s = present_s // WINDOW_S * WINDOW_S
    for one in sorted(closed, key=lambda period: period.start_s):
        if one.start_s <= window_s < one.end_s:
            window_s = one.end_s
    return window_s
