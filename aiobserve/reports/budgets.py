"""How every budget stands, and whether work may start under them: the one place that holds spending against budgets."""

from datetime import timedelta

from aiobserve.domain.units import MILLIS_PER_GPU
from aiobserve.ledger.budget import (
    MEASURES,
    Ahead,
    Answer,
    BadBudget,
    Budget,
    Days,
    Standing,
    State,
    evaluate,
    may_start,
    window_of,
    written,
)
from aiobserve.reports.amounts import total
from aiobserve.reports.days import Book, Known, amount_of, daily, known_days, midnight, series
from aiobserve.reports.forecast import ahead_of
from aiobserve.reports.names import check_name
from aiobserve.store.read import budgets as stored
from aiobserve.store.read import fleet
from aiobserve.store.read.names import names as known_names

__all__ = ["MEASURES", "BadBudget", "Budget", "Standing", "State", "answer", "budgets", "standings", "written"]

# The price of an hour that is committed is that of the last week.
RECENT = timedelta(days=7)
NARROW = 0


def budgets(organisation_id: int) -> list[Budget]:
    """Return the budgets of an organisation by name."""
    return [Budget(**vars(row)) for row in stored.budgets(organisation_id)]


def standings(organisation: fleet.OrganisationRow) -> list[Standing]:
    """Return how each budget stands in the window of the last posting; none for budgets that do not hold then."""
    found = []
    zones: dict[str, Known | None] = {}
    books: dict[tuple[str, str], tuple[Known, dict[str, Book]]] = {}
    for budget in budgets(organisation.pk):
        if budget.timezone not in zones:
            zones[budget.timezone] = known_days(organisation.pk, budget.timezone)
        known = zones[budget.timezone]
        if known is None:
            return []
        key = (budget.timezone, budget.scope)
        if key not in books:
            books[key] = (known, daily(organisation, budget.timezone, known, by=budget.scope))
        window = window_of(budget, known.today)
        if window is not None:
            book = books[key][1].get(budget.subject, Book())
            found.append(_standing(organisation, budget, window, known, book))
    order = list(State)
    return sorted(found, key=lambda one: (-order.index(one.state), -one.per_cent, one.budget.name))


def answer(
    organisation: fleet.OrganisationRow,
    *,
    expected: int,
    measure: str = "cost",
    team: str = "",
    project: str = "",
    model: str = "",
) -> Answer:
    """Answer whether work of a team, project and model that is expected to take so much may start now.

    Raises:
        UnknownName: the organisation has no team of the name, nor a budget for it. A new project or model is no mistake.
    """
    names = {"whole": "", "team": team, "project": project, "model": model}
    if team:
        subjects = [one.subject for one in budgets(organisation.pk) if one.scope == "team"]
        check_name("team", team, {*known_names(organisation.pk, "team"), *subjects})
    applying = [
        one
        for one in standings(organisation)
        if one.budget.scope == "whole" or (names[one.budget.scope] and one.budget.subject == names[one.budget.scope])
    ]
    return may_start(applying, expected=expected, measure=measure)


def _standing(organisation: fleet.OrganisationRow, budget: Budget, window: Days, known: Known, book: Book) -> Standing:
    whole = [day for day in known.days if day >= window.first]
    made = ahead_of(known, series(known.days, book.used, budget.measure), until=window.end)
    low, high = made.intervals[NARROW].low, made.intervals[NARROW].high
    return evaluate(
        budget,
        window,
        complete=book.charged(whole, budget.measure),
        today=series([known.today], book.used, budget.measure)[0],
        ahead=Ahead(made.days, low, high, made.is_short),
        committed=_committed(organisation, budget, window, known, book),
        corrections=series([known.today], book.corrections, budget.measure)[0],
    )


def _committed(organisation: fleet.OrganisationRow, budget: Budget, window: Days, known: Known, book: Book) -> int:
    """Return what running jobs will still take until the window ends, at the last week's amount of a GPU-hour."""
    recent = total(book.used[day] for day in book.used if day >= known.today - RECENT)
    if not recent.gpu_millis:
        return 0
    now_at = midnight(known.today, budget.timezone)
    end_at = midnight(window.end, budget.timezone)
    left_millis = 0
    for job in stored.running_work(organisation.pk, now_at=now_at):
        named = {"whole": "", "team": job.team, "project": job.project, "model": job.model}
        if named[budget.scope] != budget.subject:
            continue
        ends_at = min(job.started_at + timedelta(seconds=job.runtime_s), end_at)
        left_millis += max(int((ends_at - now_at).total_seconds()), 0) * job.gpus * MILLIS_PER_GPU
    return amount_of(recent, budget.measure) * left_millis // recent.gpu_millis if left_millis else 0
