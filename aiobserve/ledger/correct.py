"""Corrections of charges that were already reported, as FOCUS has them: rows in the open period about a closed one.

Two ways to say the same. By ledger: each charge that changed is negated whole and stated again. By delta: only the
difference is stated. Both sum to the same for every resource and column. Pure: records in, records out.

Source: FinOps Open Cost and Usage Specification, ChargeClass = Correction, and its worked example of a partial
reallocation in a closed period (original, delta, ledger).
"""

from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from enum import StrEnum
from typing import Any

Record = Mapping[str, Any]
Key = tuple[tuple[str, Any], ...]


class Method(StrEnum):
    """How corrections are stated."""

    LEDGER = "ledger"
    DELTA = "delta"


class DuplicateCharge(ValueError):
    """Two records are about the same charge, so that one could not tell which of them a correction is of."""


def corrections(
    original: Iterable[Record],
    corrected: Iterable[Record],
    *,
    method: Method,
    additive: Sequence[str],
    booking: Mapping[str, Any],
    described_by: str = "ChargeDescription",
) -> list[dict[str, Any]]:
    """Return the rows that turn the original charges into the corrected ones.

    What identifies a charge is every column that is neither additive, nor part of the booking, nor the description:
    the resource, the charge period, the SKU and the unit prices. So a charge whose price changed is another charge:
    the one at the old price is taken back and the one at the new price stated, and in every row cost stays
    quantity x unit price.

    Args:
        original: what was reported.
        corrected: what should have been; a charge that is missing here is taken back whole.
        additive: columns that are summed: costs and quantities, as Decimal or int.
        booking: the columns that say where the rows are booked: the billing period that is open, its invoice.

    Raises:
        DuplicateCharge: a charge stands twice in one of them.
    """
    old, new = (_by_key(records, additive, booking, described_by) for records in (original, corrected))
    rows = []
    for key in [*old, *(key for key in new if key not in old)]:
        for amounts, described, what in _steps(old.get(key), new.get(key), method):
            words = f"{described} - {what}" if described else what
            rows.append(
                {**dict(key), **booking, "ChargeClass": "Correction", described_by: words}
                | dict(zip(additive, amounts, strict=True))
            )
    return rows


# The amounts of a charge in the order of the additive columns, and its description.
Charge = tuple[tuple[Decimal, ...], str]


def _by_key(
    records: Iterable[Record], additive: Sequence[str], booking: Mapping[str, Any], described_by: str
) -> dict[Key, Charge]:
    apart = {*additive, *booking, described_by, "ChargeClass"}
    found: dict[Key, Charge] = {}
    for record in records:
        key = tuple((name, value) for name, value in record.items() if name not in apart)
        if key in found:
            raise DuplicateCharge(
                f"two charges are told apart by no column: {dict(key)}; add what differs, or sum them"
            )
        found[key] = (tuple(Decimal(record[name]) for name in additive), str(record.get(described_by) or ""))
    return found


def _steps(old: Charge | None, new: Charge | None, method: Method) -> Iterable[tuple[tuple[Decimal, ...], str, str]]:
    """Yield amounts, description and word of each row that one charge takes; none when it did not change."""
    width = len((old or new or ((), ""))[0])
    before, after = (charge[0] if charge else (Decimal(0),) * width for charge in (old, new))
    if before == after:
        return
    described = (new or old or ((), ""))[1]
    if method is Method.DELTA:
        difference = tuple(b - a for a, b in zip(before, after, strict=True))
        yield difference, described, "Decrement" if sum(difference) < 0 else "Increment"
        return
    if old is not None and any(before):
        yield tuple(-amount for amount in before), old[1], "Negation"
    if new is not None and any(after):
        yield after, new[1], "Restatement"
