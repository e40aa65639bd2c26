"""Daily totals from the ledger, as forecasts, budgets and anomalies need them. A day that is not over is told apart."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

from aiobserve.domain.window import Span, local_day
from aiobserve.ledger.budget import MEASURES
from aiobserve.reports.amounts import Amounts
from aiobserve.reports.scope import Scope
from aiobserve.reports.spend import spend
from aiobserve.store.read import fleet
from aiobserve.store.read.ledger import extent

# Older days do not help to say what comes.
HISTORY = timedelta(days=400)


@dataclass(frozen=True)
class Known:
    """The local dates that the ledger knows whole, `[first, today)`; `today` may be known in part."""

    first: date
    today: date

    @property
    def days(self) -> list[date]:
        """Return each whole date."""
        return [self.first + timedelta(days=n) for n in range(max((self.today - self.first).days, 0))]


def known_days(organisation_id: int, timezone: str) -> Known | None:
    """Return the dates of a zone that the ledger knows whole, the last 400 at most; None when it is empty."""
    found = extent(organisation_id)
    if found is None:
        return None
    zone = ZoneInfo(timezone)
    first = found.start_at.astimezone(zone).date()
    if local_day(first, timezone).start_at < found.start_at:
        first += timedelta(days=1)
    today = found.end_at.astimezone(zone).date()
    return Known(max(first, today - HISTORY), today)


@dataclass(frozen=True)
class Book:
    """What one subject was charged on each date, apart by whether the date is that of the use.

    Attributes:
        used: what was used on the date; from it one may say what a day takes.
        corrections: what was booked on the date about another one, of a closed month; it says nothing of a day to come.
    """

    used: dict[date, Amounts] = field(default_factory=dict)
    corrections: dict[date, Amounts] = field(default_factory=dict)

    def charged(self, days: Iterable[date], measure: str) -> list[int]:
        """Return both together on each date: what its bill says."""
        days = list(days)
        both = (series(days, self.used, measure), series(days, self.corrections, measure))
        return [used + corrected for used, corrected in zip(*both, strict=True)]


def daily(organisation: fleet.OrganisationRow, timezone: str, known: Known, *, by: str = "whole") -> dict[str, Book]:
    """Return the amounts of each known date and of today so far, by the values of a dimension ("" for the whole)."""
    scope = Scope(organisation, known.first, known.today + timedelta(days=1), timezone)
    found: dict[str, Book] = {}
    for row in spend(scope, group_by=("day", "is_correction", *(() if by == "whole" else (by,)))).rows:
        book = found.setdefault("" if by == "whole" else row.keys[by], Book())
        dates = book.corrections if row.keys["is_correction"] == "true" else book.used
        dates[date.fromisoformat(row.keys["day"])] = row.amounts
    return found


def series(days: Iterable[date], amounts: dict[date, Amounts], measure: str) -> list[int]:
    """Return the total of a measure of `ledger.budget.MEASURES` on each date; 0 where nothing was posted."""
    return [amount_of(amounts.get(day, Amounts()), measure) for day in days]


def amount_of(amounts: Amounts, measure: str) -> int:
    """Return a measure of `ledger.budget.MEASURES` as one integer."""
    return sum(int(getattr(amounts, name)) for name in MEASURES[measure])


def midnight(day: date, timezone: str) -> datetime:
    """Return the instant at which a local date begins."""
    return local_day(day, timezone).start_at


def span_of(first: date, end: date, timezone: str) -> Span:
    """Return the span of local dates `[first, end)`."""
    return Span(midnight(first, timezone).astimezone(UTC), midnight(end, timezone).astimezone(UTC))
