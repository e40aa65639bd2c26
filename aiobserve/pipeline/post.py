"""Posts what a part of a site-day comes to: only the windows that differ from what stands, closed ones as corrections."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

import numpy as np
import pandas as pd

from aiobserve.domain.account import Component
from aiobserve.domain.quality import Quality
from aiobserve.domain.reason import Reason, joined
from aiobserve.domain.window import Span
from aiobserve.ledger.digest import window_digests
from aiobserve.ledger.revise import EMPTY, Closed, booking_window, revise
from aiobserve.store.read.periods import closed_periods
from aiobserve.store.write import ledger
from aiobserve.store.write.ledger import Books


@dataclass(frozen=True)
class Posted:
    """What posting did: postings and windows, posted and reversed; all zero when nothing differed."""

    posted: int = 0
    reversed: int = 0
    windows_posted: int = 0
    windows_reversed: int = 0

    def plus(
        self, *, posted: int = 0, reversed: int = 0, windows_posted: int = 0, windows_reversed: int = 0
    ) -> "Posted":
        """Return the sums with another batch."""
        return Posted(
            self.posted + posted,
            self.reversed + reversed,
            self.windows_posted + windows_posted,
            self.windows_reversed + windows_reversed,
        )


def post_windows(books: Books, span: Span, postings: pd.DataFrame, *, present_at: datetime) -> Posted:
    """Post the windows of a span that come to something else than what stands, after reversing that.

    The caller holds the day's watermark and the transaction. Windows of the span without postings are empty, and
    what stands for them is reversed. What lies in a closed period is booked in the window of the present.

    Args:
        postings: balanced; see `store.write.ledger.post`.
    """
    ledger.lock_books(books.organisation_id, to_close=False)
    closed = [
        Closed(one.pk, int(one.start_at.timestamp()), int(one.end_at.timestamp()))
        for one in closed_periods(books.organisation_id)
    ]
    booking_s = booking_window(int(present_at.timestamp()), closed)
    versions = ledger.standing_windows(books.site_id, span)
    standing = versions[versions["stands"]].reset_index(drop=True)
    marks = _marks(postings)
    touched = revise(marks.set_index("window_start_s")["digest"], standing, closed, booking_s=booking_s)
    windows = _marked(touched, marks)
    done = Posted()
    for period, of_period in windows.groupby("period", sort=True):
        done = _post_period(
            books,
            postings,
            of_period.reset_index(drop=True),
            versions,
            closed,
            period=int(str(period)),
            done=done,
            booking_s=booking_s,
        )
    return done


def _marked(touched: pd.DataFrame, marks: pd.DataFrame) -> pd.DataFrame:
    """Return the windows to touch with their marks; one without postings has the digest of nothing."""
    place = pd.Index(marks["window_start_s"]).get_indexer(touched["window_start_s"])
    there = place >= 0
    digest, assumed = np.full(len(place), EMPTY, dtype=np.int64), np.zeros(len(place), dtype=bool)
    digest[there] = marks["digest"].to_numpy(dtype=np.int64)[place[there]]
    assumed[there] = marks["assumed"].to_numpy(dtype=bool)[place[there]]
    return touched.assign(digest=digest, assumed=assumed)


def _post_period(
    books: Books,
    postings: pd.DataFrame,
    windows: pd.DataFrame,
    versions: pd.DataFrame,
    closed: Sequence[Closed],
    *,
    period: int,
    booking_s: int,
    done: Posted,
) -> Posted:
    """Reverse and post the windows of one closed period, or those of the open ones."""
    reversal: int | None = None
    undone = windows[windows["reverse"]]
    if len(undone):
        books = _with_method(
            books, standing=versions[versions["stands"] & versions["window_start_s"].isin(undone["window_start_s"])]
        )
        places = _places(books, undone, versions)
        places["to_booked_s"] = _open_place(places["booked_s"], closed, booking_s)
        reversal, rows = ledger.reverse(books, places, undone["window_start_s"].tolist(), period=period)
        done = done.plus(reversed=rows, windows_reversed=len(undone))
    posted = windows[windows["post"]]
    known = posted["window_start_s"].isin(versions["window_start_s"])
    for is_first, chosen in ((True, posted[~known]), (False, posted[known])):
        if len(chosen):
            rows = ledger.post(
                books,
                postings[postings["window_start_s"].isin(chosen["window_start_s"])].reset_index(drop=True),
                chosen.reset_index(drop=True),
                restates=None if is_first else reversal,
                is_first=is_first,
                period=period,
            )
            done = done.plus(posted=rows, windows_posted=len(chosen))
    return done


def _with_method(books: Books, *, standing: pd.DataFrame) -> Books:
    """Return the books with the method among the reasons when what is reversed was worked out by another one."""
    if (standing["method_version"] == books.method_version).all():
        return books
    return replace(books, reason=joined({*filter(None, books.reason.split(", ")), Reason.METHOD.value}))


def _places(books: Books, undone: pd.DataFrame, versions: pd.DataFrame) -> pd.DataFrame:
    """Return where the postings to negate are: batch_id, window_start_s, booked_s."""
    columns = ["batch_id", "window_start_s", "booked_s"]
    plain = versions[
        versions["stands"] & versions["window_start_s"].isin(undone.loc[~undone["unwind"], "window_start_s"])
    ]
    unwound = undone.loc[undone["unwind"], "window_start_s"].tolist()
    if not unwound:
        return plain[columns].copy()
    # The period is open again: every correction of the window is taken back where it was booked, and then what
    # stood in the window itself when the period was closed.
    corrections = ledger.corrections_of(books.site_id, books.day, unwound)
    in_place = versions[
        versions["window_start_s"].isin(unwound) & (versions["booked_s"] == versions["window_start_s"])
    ].drop_duplicates("window_start_s", keep="last")
    return pd.concat([plain[columns], corrections[columns], in_place[columns]], ignore_index=True)


def _open_place(
    booked_s: "pd.Series[int]", closed: Sequence[Closed], booking_s: int
) -> "np.ndarray[tuple[int], np.dtype[np.int64]]":
    """Return where negatives are booked: where the postings are, or in the present when that is closed."""
    seconds = booked_s.to_numpy(dtype=np.int64)
    is_closed = np.zeros(len(seconds), dtype=bool)
    for one in closed:
        is_closed |= (seconds >= one.start_s) & (seconds < one.end_s)
    return np.where(is_closed, booking_s, seconds)


def _marks(postings: pd.DataFrame) -> pd.DataFrame:
    """Return window_start_s, digest and whether a price or an intensity was assumed, of each window with postings."""
    digests = window_digests(postings)
    assumed = (postings["component"].to_numpy() != Component.FACILITY) & (
        (postings["carbon_quality"].to_numpy() == Quality.ASSUMED)
        | (postings["cost_quality"].to_numpy() == Quality.ASSUMED)
    )
    some = np.isin(digests.index, postings["window_start_s"].to_numpy()[assumed])
    return pd.DataFrame({"window_start_s": digests.index, "digest": digests.to_numpy(), "assumed": some})
