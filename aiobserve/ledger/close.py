"""Closing a month: its windows, and the hash that seals them and everything before them."""

import hashlib
from collections.abc import Iterable
from datetime import date, timedelta

from aiobserve.domain.window import NotAligned, Span, local_day, window_floor

# Stands at the head of what is hashed; a change of what a line holds needs another one.
FORM = "aiobserve ledger period 1"


def month_span(month: date, zone: str) -> Span:
    """Return the windows of a civil month in an IANA zone.

    Raises:
        NotAligned: the month does not begin and end with a window there; no zone that is in use today is like that.
    """
    first = month.replace(day=1)
    span = Span(local_day(first, zone).start_at, local_day(next_month(first), zone).start_at)
    for at in (span.start_at, span.end_at):
        if window_floor(at) != at:
            raise NotAligned(
                f"{first:%Y-%m} in {zone} has an edge at {at.isoformat()}, within a window; choose another zone"
            )
    return span


def next_month(month: date) -> date:
    """Return the first day of the month after."""
    return (month.replace(day=1) + timedelta(days=31)).replace(day=1)


def period_hash(previous_hash: str, span: Span, lines: Iterable[bytes]) -> tuple[str, int]:
    """Return the SHA-256 in hex that seals a period, and the number of lines in it.

    Args:
        previous_hash: of the period before, empty for the first one; so each hash vouches for all before it.
        lines: the sums of each window and bearer, in pieces that may cut a line anywhere; see
            `store.read.periods.canonical_lines` for what a line holds and how they are sorted.
    """
    sha = hashlib.sha256()
    sha.update(f"{FORM}\n{previous_hash}\n{span.start_at.isoformat()}\n{span.end_at.isoformat()}\n".encode())
    count = 0
    for piece in lines:
        sha.update(piece)
        count += piece.count(b"\n")
    return sha.hexdigest(), count
