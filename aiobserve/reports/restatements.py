"""What was restated, and by how much: the old figure beside the new, with the reason and the methods behind both."""

from dataclasses import dataclass
from datetime import date

from aiobserve.domain.account import MEASURES
from aiobserve.store.read import restatements as read
from aiobserve.store.read.restatements import Restated

__all__ = ["Restated", "Restatements", "restatements"]


@dataclass(frozen=True)
class Restatements:
    """Each restatement in the order it was made, and the sum of their differences by measure."""

    rows: tuple[Restated, ...]
    difference: dict[str, int]


def restatements(organisation_id: int, *, first_day: date | None = None, end_day: date | None = None) -> Restatements:
    """Return what was restated of the UTC days `[first_day, end_day)`; all days by default.

    The differences sum to what the standing ledger moved since the windows were first posted, exactly.
    """
    rows = tuple(read.restatements(organisation_id, first_day, end_day))
    return Restatements(rows, {name: sum(row.difference[name] for row in rows) for name in MEASURES})
