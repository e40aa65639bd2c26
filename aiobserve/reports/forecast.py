"""What the month will come to, with an interval: the one forecast that page, API, command line and mail print."""

from dataclasses import dataclass
from datetime import date, timedelta

import numpy as np

from aiobserve.ledger.budget import Budget, from_today, window_of
from aiobserve.ledger.forecast import Forecast, forecast, run_rate
from aiobserve.reports.days import Book, Known, daily, known_days, series
from aiobserve.reports.names import listed
from aiobserve.reports.scope import BadScope, Scope

MONTH = Budget("month", "whole", "", "cost", 1)


@dataclass(frozen=True)
class MonthForecast:
    """The month that holds the last posting, in the ledger's unit of the measure.

    Attributes:
        by, subject: whose it is: whole and nothing, or team, project or model and its name.
        complete: (date, total) of each day of it that is over.
        ahead: (date, expected) of each day from today on; today counts at least what it took already, and on top of
            that what is booked today about days of closed months.
        spent: so far, today among it.
        expected: at the end of the month.
        bands: for each day ahead, (low, high) of the running total since the month began, with 80 % and with 95 %.
        run_rate: what the days so far come to when they simply go on.
        made: the forecast behind it.
    """

    measure: str
    by: str
    subject: str
    first: date
    end: date
    today: date
    complete: tuple[tuple[date, int], ...]
    ahead: tuple[tuple[date, int], ...]
    spent: int
    expected: int
    bands: tuple[tuple[tuple[int, int], ...], ...]
    run_rate: int
    made: Forecast

    @property
    def of(self) -> str:
        """Return whose it is, in words."""
        return f"{self.by} {self.subject}" if self.subject else "everything"

    @property
    def intervals(self) -> tuple[tuple[float, int, int], ...]:
        """Return (coverage, low, high) of the whole month."""
        if not self.bands:
            return tuple((one.coverage, self.spent, self.spent) for one in self.made.intervals)
        return tuple((one.coverage, *self.bands[-1][i]) for i, one in enumerate(self.made.intervals))


def month_forecast(
    scope: Scope, *, measure: str = "cost", by: str = "whole", subject: str = ""
) -> MonthForecast | None:
    """Return the forecast of the month in the scope's zone, of the whole or of one team, project or model; None without postings.

    Raises:
        BadScope: a subject is missing, one too many, or nothing was ever posted for it.
    """
    known = known_days(scope.organisation.pk, scope.timezone)
    if known is None:
        return None
    if by == "whole" and subject:
        raise BadScope(f"subject={subject[:80]!r} needs by=team, project or model; by=whole has no subject")
    amounts = daily(scope.organisation, scope.timezone, known, by=by)
    if by != "whole":
        named = [name for name in amounts if name]
        if not subject:
            raise BadScope(f"by={by} needs a subject, the name of one {by}; {listed('', named)}")
        if subject not in named:
            raise BadScope(f"nothing was ever posted for {by} {subject[:80]!r}; {listed(subject, named)}")
    window = window_of(MONTH, known.today)
    assert window is not None, "a budget without dates holds on every day"  # noqa: S101
    own = amounts.get(subject, Book())
    made = ahead_of(known, series(known.days, own.used, measure), until=window.end)
    complete_days = [day for day in known.days if day >= window.first]
    complete = own.charged(complete_days, measure)
    today, corrections = (series([known.today], one, measure)[0] for one in (own.used, own.corrections))
    days = from_today(made.days, today=today, corrections=corrections)
    base, raised = sum(complete), sum(days) - sum(made.days)
    spent = base + today + corrections
    used = np.array(series(complete_days, own.used, measure), float)
    return MonthForecast(
        measure=measure,
        by=by,
        subject=subject,
        first=window.first,
        end=window.end,
        today=known.today,
        complete=tuple(zip(complete_days, complete, strict=True)),
        ahead=tuple((known.today + timedelta(days=i), day) for i, day in enumerate(days)),
        spent=spent,
        expected=base + sum(days),
        bands=tuple(
            tuple((max(base + low + raised, spent), max(base + high + raised, spent)) for low, high in day)
            for day in made.cumulative
        ),
        run_rate=base + corrections + round(float(run_rate(used, elapsed=len(used), ahead=len(days)).sum())),
        made=made,
    )


def ahead_of(known: Known, history: list[int], *, until: date) -> Forecast:
    """Return the forecast from today until a date, by the whole days that are known."""
    return forecast(history, first_weekday=known.first.weekday(), ahead=max((until - known.today).days, 0))
