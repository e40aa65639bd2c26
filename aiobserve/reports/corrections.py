"""Corrections of closed periods that are booked in a scope: what was taken back and what was stated instead."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from aiobserve.domain.account import MEASURES
from aiobserve.reports.amounts import Amounts
from aiobserve.reports.scope import Scope
from aiobserve.reports.spend import SpendRow, amounts_of, texts
from aiobserve.store.read.ledger import sums

HEAD = ("month", "restatement", "corrects_month", "is_reversal")


@dataclass
class Correction:
    """One restatement: the month that it is booked in, the month it corrects, and the rows before and after."""

    month: str
    restatement: str
    corrected_month: str
    original: list[SpendRow] = field(default_factory=list)
    corrected: list[SpendRow] = field(default_factory=list)


def corrections(scope: Scope, *, group_by: Sequence[str]) -> list[Correction]:
    """Return the corrections booked in a scope, in order of booking.

    Args:
        group_by: dimensions of the rows; `day` is the day that a row is about, not that of its booking.
    """
    stored = ["incurred_day" if name == "day" else name for name in group_by]
    found = sums(
        scope.organisation.pk,
        scope.span,
        group_by=[*HEAD, *stored],
        timezone=scope.timezone,
        filters={"is_correction": ["true"]},
    )
    made: dict[tuple[str, str], Correction] = {}
    for row in found:
        head = texts(HEAD, row.keys[: len(HEAD)])
        keys = texts(group_by, row.keys[len(HEAD) :])
        one = made.setdefault((head["month"], head["restatement"]), Correction(head["month"], head["restatement"], ""))
        one.corrected_month = one.corrected_month or head["corrects_month"][:7]
        if head["is_reversal"] == "true":
            one.original.append(SpendRow(keys, negated(amounts_of(row))))
        else:
            one.corrected.append(SpendRow(keys, amounts_of(row)))
    return list(made.values())


def negated(amounts: Amounts) -> Amounts:
    """Return amounts with the opposite sign."""
    return Amounts(
        **{name: -getattr(amounts, name) for name in MEASURES},
        energy_quality=_negated(amounts.energy_quality),
        carbon_quality=_negated(amounts.carbon_quality),
        cost_quality=_negated(amounts.cost_quality),
    )


def _negated(parts: tuple[int, int, int]) -> tuple[int, int, int]:
    return (-parts[0], -parts[1], -parts[2])
