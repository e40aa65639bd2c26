"""Closes and re-opens months of the books, and verifies that closed ones are still what was sealed."""

from dataclasses import dataclass
from datetime import date, datetime

from django.db import transaction

from aiobserve.domain.window import Span
from aiobserve.ledger.close import month_span, period_hash
from aiobserve.store.read import periods as read
from aiobserve.store.read.periods import PeriodRow
from aiobserve.store.write.ledger import lock_books
from aiobserve.store.write.periods import write_closed, write_reopened


class CannotClose(ValueError):
    """A month cannot be closed, or not be re-opened; the message says why and what to do."""


@dataclass(frozen=True)
class AlteredPeriod:
    """A closed month whose sums are no longer those that were sealed."""

    month: date
    sealed: str
    found: str


def close_period(
    organisation_id: int,
    month: date,
    *,
    timezone: str | None,
    by: str,
    now_at: datetime,
    force: bool = False,
    reason: str = "",
) -> PeriodRow:
    """Close a civil month: from now on its sums stay what they are, and late figures are corrections in the open month.

    Args:
        month: any day of the month.
        timezone: IANA zone in which the month begins and ends; that of the month closed before, else UTC.
        force: close although days of it are due, blocked or were never attributed; needs a reason.

    Raises:
        CannotClose: the month is not over, is closed, does not follow the last closed one, or has unfinished days.
    """
    if force and not reason:
        raise CannotClose("closing by force needs a reason for the audit: give --reason")
    with transaction.atomic():
        lock_books(organisation_id, to_close=True)
        closed = read.closed_periods(organisation_id)
        last = closed[-1] if closed else None
        zone = timezone or (last.timezone if last else "UTC")
        span = month_span(month, zone)
        _check_place(organisation_id, month, span, last, now_at)
        unfinished = read.unfinished_days(organisation_id, span)
        if unfinished and not force:
            raise CannotClose(_unfinished_words(month, unfinished))
        sealed, rows = period_hash(last.hash if last else "", span, read.canonical_lines(organisation_id, span))
        write_closed(
            organisation_id,
            month=month.replace(day=1),
            timezone=zone,
            span=span,
            previous_id=last.pk if last else None,
            hash_hex=sealed,
            rows=rows,
            sums=read.charged_sums(organisation_id, span),
            by=by,
            reason=reason,
            left_out=[{"site": site, "day": day.isoformat(), "why": why} for site, day, why in unfinished],
        )
        return read.closed_periods(organisation_id)[-1]


def reopen_period(organisation_id: int, month: date, *, by: str, reason: str) -> PeriodRow:
    """Open the month that was closed last again, and record who did and why.

    Raises:
        CannotClose: it is not closed, a later one is, or no reason is given.
    """
    if not reason.strip():
        raise CannotClose("re-opening a period needs a reason for the audit: give --reason")
    with transaction.atomic():
        lock_books(organisation_id, to_close=True)
        closed = read.closed_periods(organisation_id)
        found = [one for one in closed if one.month == month.replace(day=1)]
        if not found:
            there = ", ".join(f"{one.month:%Y-%m}" for one in closed) or "none"
            raise CannotClose(f"{month:%Y-%m} is not closed; closed are: {there}")
        if found[0] != closed[-1]:
            raise CannotClose(f"{closed[-1].month:%Y-%m} is closed on top of {month:%Y-%m}; re-open that first")
        write_reopened(organisation_id, found[0].pk, by=by, reason=reason)
        return next(one for one in read.periods(organisation_id) if one.pk == found[0].pk)


def altered_periods(organisation_id: int) -> list[AlteredPeriod]:
    """Return the closed months whose hash, reckoned again from the postings, is not the one that was sealed."""
    altered, before = [], ""
    for one in read.closed_periods(organisation_id):
        found, _ = period_hash(before, one.span, read.canonical_lines(organisation_id, one.span))
        if found != one.hash:
            altered.append(AlteredPeriod(one.month, one.hash, found))
        before = one.hash
    return altered


def _check_place(organisation_id: int, month: date, span: Span, last: PeriodRow | None, now_at: datetime) -> None:
    if span.end_at > now_at:
        raise CannotClose(f"{month:%Y-%m} ends at {span.end_at.isoformat()}; it can be closed after that")
    if last is not None and span.start_at < last.end_at:
        raise CannotClose(f"{month:%Y-%m} is closed, or overlaps {last.month:%Y-%m} in {last.timezone}, which is")
    first_at = last.end_at if last is not None else read.first_window(organisation_id)
    if first_at is None:
        raise CannotClose("the books are empty: there is nothing to close; run `aiobserve attribute` first")
    if first_at < span.start_at:
        raise CannotClose(
            f"the books are open from {first_at.isoformat()}; close the months before {month:%Y-%m} first, in one time zone"
        )


def _unfinished_words(month: date, unfinished: list[tuple[str, date, str]]) -> str:
    lines = [f"{month:%Y-%m} has {len(unfinished)} unfinished site-days; attribute them, or --force with a --reason:"]
    lines += [f"  {day} at {site}: {why}" for site, day, why in unfinished[:20]]
    lines += [f"  and {len(unfinished) - 20} more"] if len(unfinished) > 20 else []
    return "\n".join(lines)
