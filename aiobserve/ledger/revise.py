"""Which windows have to be reversed and which posted, once a part of a day was worked out again.

A window whose postings come to the same as what stands is left alone. A window of a closed period is corrected
in the open one: its postings are booked in a later window, and say which one they correct.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from aiobserve.domain.window import WINDOW_S

Int64Array = npt.NDArray[np.int64]
BoolArray = npt.NDArray[np.bool_]

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
    new_s, stands_s = (
        digests.index.to_numpy(dtype=np.int64),
        standing["window_start_s"].to_numpy(dtype=np.int64),
    )
    window_s = np.union1d(new_s, stands_s)
    new, new_known = _placed(digests.to_numpy(dtype=np.int64), new_s, window_s)
    known = standing["digest"].notna().to_numpy()
    old, stands = _placed(standing["digest"].fillna(EMPTY).to_numpy(dtype=np.int64), stands_s, window_s)
    old_known, _ = _placed(known.astype(np.int64), stands_s, window_s)
    booked_s, _ = _placed(standing["booked_s"].to_numpy(dtype=np.int64), stands_s, window_s)
    period = period_of(window_s, closed)
    same = (old_known == 1) & (old == new)
    unwind = stands & (booked_s != window_s) & (period == OPEN)
    reverse = stands & (~same | unwind)
    # In a closed period that nothing is left of a window is a statement too, which a later correction has to find.
    something = (new_known & (new != EMPTY)) | (reverse & (period != OPEN))
    post = something & (reverse | ~stands)
    touched = reverse | post
    return pd.DataFrame(
        {
            "window_start_s": window_s[touched],
            "period": period[touched],
            "reverse": reverse[touched],
            "post": post[touched],
            "unwind": unwind[touched],
            "booked_s": np.where(period == OPEN, window_s, booking_s).astype(np.int64)[touched],
        }
    )


def _placed(values: Int64Array, of_s: Int64Array, window_s: Int64Array) -> tuple[Int64Array, BoolArray]:
    """Return values at their windows, `EMPTY` elsewhere, and where there are any; shape (w,) each."""
    placed, there = np.full(len(window_s), EMPTY, dtype=np.int64), np.zeros(len(window_s), dtype=bool)
    place = np.searchsorted(window_s, of_s)
    placed[place], there[place] = values, True
    return placed, there


def period_of(window_s: Int64Array, closed: Sequence[Closed]) -> Int64Array:
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
