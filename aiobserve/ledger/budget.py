"""Budgets: what was spent in the window, what will be, when the limit is reached, and whether a job may still start. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from enum import StrEnum

from aiobserve.domain.account import COST_MEASURES
from aiobserve.domain.units import kg_co2e, kwh, usd

WHOLE = 100
DEFAULT_THRESHOLDS = (50, 80, 100)
SCOPES = ("whole", "team", "project", "model")
WINDOWS = ("day", "week", "month", "quarter", "custom")
MEASURES = {"cost": COST_MEASURES, "energy": ("energy_millij",), "carbon": ("carbon_microg",)}
MONTHS_A_QUARTER = 3
WEEK = timedelta(days=7)
LONGEST_MONTH = timedelta(days=31)


class State(StrEnum):
    """How a budget stands: within it; past its first threshold or expected beyond it; spent beyond it."""

    OK = "ok"
    WARN = "warn"
    OVER = "over"


@dataclass(frozen=True)
class Budget:
    """An amount in the ledger's unit (microdollars, millijoules, micrograms) for each window, from one date until another.

    Attributes:
        scope, subject: one of `SCOPES` and its name, empty for the whole.
        window: one of `WINDOWS`; custom is the one span from `valid_from` to `valid_to`.
        timezone: IANA zone of the dates.
        thresholds: per cent of the amount at which somebody wants to know, ascending.
    """

    name: str
    scope: str
    subject: str
    measure: str
    amount: int
    window: str = "month"
    timezone: str = "UTC"
    is_hard: bool = False
    thresholds: tuple[int, ...] = DEFAULT_THRESHOLDS
    valid_from: date = date(1971, 1, 1)
    valid_to: date | None = None

    @property
    def of(self) -> str:
        """Return whose budget it is, in words."""
        return f"{self.scope} {self.subject}" if self.subject else "everything"


@dataclass(frozen=True)
class Days:
    """Local dates `[first, end)`."""

    first: date
    end: date


class BadBudget(ValueError):
    """A budget cannot be understood; the message says what of it and what would be right."""


def checked(budget: Budget) -> Budget:
    """Return the budget if it makes sense.

    Raises:
        BadBudget: it does not.
    """
    for name, value, known in (
        ("scope", budget.scope, SCOPES), ("measure", budget.measure, tuple(MEASURES)), ("window", budget.window, WINDOWS),
    ):  # fmt: skip
        if value not in known:
            raise BadBudget(f"{name}={value!r}; choose from {', '.join(known)}")
    if not budget.name.strip() or "\0" in budget.name + budget.subject:
        raise BadBudget("a budget needs a name, without a NUL character in it or in its subject")
    if (budget.scope == "whole") != (not budget.subject):
        raise BadBudget(
            f"scope={budget.scope} with subject={budget.subject!r}: name a team, project or model, or neither"
        )
    if budget.amount <= 0:
        raise BadBudget(f"amount={budget.amount} must be more than nothing")
    if not budget.thresholds or list(budget.thresholds) != sorted(set(budget.thresholds)) or budget.thresholds[0] < 1:
        raise BadBudget(f"thresholds={budget.thresholds} must be ascending whole per cents, such as 50,80,100")
    if budget.window == "custom" and budget.valid_to is None:
        raise BadBudget("a budget of a custom window needs its last day: valid_to")
    if budget.valid_to is not None and budget.valid_to <= budget.valid_from:
        raise BadBudget(f"valid_to={budget.valid_to} must lie after valid_from={budget.valid_from}")
    return budget


def window_of(budget: Budget, day: date) -> Days | None:
    """Return the window that holds a local date, cut to the budget's validity; None when the budget does not hold then."""
    if day < budget.valid_from or (budget.valid_to is not None and day >= budget.valid_to):
        return None
    first, end = _calendar(budget, day)
    return Days(max(first, budget.valid_from), end if budget.valid_to is None else min(end, budget.valid_to))


def _calendar(budget: Budget, day: date) -> tuple[date, date]:
    match budget.window:
        case "day":
            return day, day + timedelta(days=1)
        case "week":
            monday = day - timedelta(days=day.weekday())
            return monday, monday + WEEK
        case "month":
            return day.replace(day=1), _next_month(day)
        case "quarter":
            first = day.replace(month=(day.month - 1) // MONTHS_A_QUARTER * MONTHS_A_QUARTER + 1, day=1)
            end = first
            for _ in range(MONTHS_A_QUARTER):
                end = _next_month(end)
            return first, end
        case _:
            return budget.valid_from, budget.valid_to or date.max


def _next_month(day: date) -> date:
    return (day.replace(day=1) + LONGEST_MONTH).replace(day=1)


@dataclass(frozen=True)
class Standing:
    """How a budget stands in one window; all amounts in its unit.

    Attributes:
        spent: since the window began.
        committed: what running jobs will still take until the window ends, where their run time is known.
        expected: spent and what is still to come; low and high with 80 %.
        crossed: the thresholds that were reached, in per cent.
        reached_on: the local date on which the amount is or was reached; None when it is not expected to be.
        is_short: the history is too short for the interval to mean much.
    """

    budget: Budget
    window: Days
    spent: int
    committed: int
    expected: int
    low: int
    high: int
    crossed: tuple[int, ...]
    state: State
    reached_on: date | None
    is_short: bool = False

    @property
    def left(self) -> int:
        """Return what is left; negative when it is over."""
        return self.budget.amount - self.spent

    @property
    def per_cent(self) -> int:
        """Return how much of the amount was spent, in whole per cent, rounded down."""
        return self.spent * WHOLE // self.budget.amount


@dataclass(frozen=True)
class Ahead:
    """What is expected from today on: today's whole total and that of each later day, and the interval of their sum."""

    days: Sequence[int] = field(default=())
    low: int = 0
    high: int = 0
    is_short: bool = False


def from_today(expected: Sequence[int], *, today: int, corrections: int = 0) -> list[int]:
    """Return what each day from today on comes to.

    Today is at least what was used today. Corrections that are booked today are about other days: they come on top, as
    far up or down as they go, and are no part of what today was expected to take.
    """
    return [max(day, today) + corrections if number == 0 else day for number, day in enumerate(expected)]


def evaluate(
    budget: Budget,
    window: Days,
    *,
    complete: Sequence[int],
    today: int,
    ahead: Ahead,
    committed: int = 0,
    corrections: int = 0,
) -> Standing:
    """Return how a budget stands.

    Args:
        complete: total of each day of the window that is over, oldest first.
        today: what was used on the day that is not over yet; 0 when none is.
        corrections: what is booked today about days of closed months; below 0 for a credit.
        ahead: from today to the end of the window. Today counts at least what was spent already, and what is to come
            at least what is committed.
    """
    spent = sum(complete) + today + corrections
    days = from_today(ahead.days, today=today, corrections=corrections)
    rest = max(sum(days) - today - corrections, committed) if days else committed
    raised = spent + rest - (sum(complete) + sum(ahead.days)) if days else 0
    expected = spent + rest
    low = max(sum(complete) + ahead.low + raised, spent) if days else expected
    high = max(sum(complete) + ahead.high + raised, expected) if days else expected
    crossed = tuple(one for one in budget.thresholds if spent * WHOLE >= budget.amount * one)
    over = spent > budget.amount
    # Reaching the whole of it is no warning of itself: that is what `over` and the forecast are for.
    warned = any(one < WHOLE for one in crossed[1:]) or expected > budget.amount or WHOLE in crossed
    state = State.OVER if over else State.WARN if warned else State.OK
    return Standing(
        budget, window, spent, committed, expected, low, high, crossed, state,
        _reached_on(budget, window, complete, days), ahead.is_short,
    )  # fmt: skip


def _reached_on(budget: Budget, window: Days, complete: Sequence[int], ahead: Sequence[int]) -> date | None:
    running = 0
    for number, day in enumerate([*complete, *ahead]):
        running += day
        if running > budget.amount:
            return window.first + timedelta(days=number)
    return None


@dataclass(frozen=True)
class Answer:
    """Whether something may start, and why, in words that can be shown to who asked."""

    allowed: bool
    words: str


def may_start(standings: Sequence[Standing], *, expected: int, measure: str = "cost") -> Answer:
    """Answer a scheduler: may work that is expected to take so much of a measure start under these budgets?

    A hard budget of that measure says no when spent, committed and the new work together exceed it. A soft one only
    says so. The caller passes the budgets that apply: those of the work's team, project and model, and of the whole.
    """
    asked = [one for one in standings if one.budget.measure == measure]
    beyond = [one for one in asked if one.spent + one.committed + expected > one.budget.amount]
    hard = [one for one in beyond if one.budget.is_hard]
    if hard:
        return Answer(False, f"no: {_because(hard[0], expected)}; it is a hard budget until {hard[0].window.end}")
    if beyond:
        return Answer(True, f"yes, beyond a soft budget: {_because(beyond[0], expected)}")
    if not asked:
        return Answer(True, f"yes: no budget of {measure} applies")
    tightest = min(asked, key=lambda one: one.budget.amount - one.spent - one.committed)
    left = tightest.budget.amount - tightest.spent - tightest.committed - expected
    return Answer(True, f"yes: {written(measure, left)} of {tightest.budget.name} are left after it")


def _because(one: Standing, expected: int) -> str:
    measure = one.budget.measure
    parts = f"{written(measure, one.spent)} spent, {written(measure, one.committed)} committed and {written(measure, expected)} asked for"
    return f"{parts} exceed {written(measure, one.budget.amount)} of {one.budget.name} ({one.budget.of})"


def written(measure: str, amount: int) -> str:
    """Return an amount of a measure with its unit, as every surface writes it."""
    if measure == "energy":
        return f"{kwh(amount):,} kWh"
    if measure == "carbon":
        return f"{kg_co2e(amount):,} kgCO2e"
    return f"{usd(amount):,} USD"
