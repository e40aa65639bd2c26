"""Corrections by ledger and by delta, on hand-made charges and on the worked example of the FOCUS specification."""

import csv
from collections import defaultdict
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aiobserve.ledger.correct import DuplicateCharge, Method, corrections

COSTS = ("EffectiveCost", "BilledCost", "ContractedCost", "ListCost")
QUANTITIES = ("PricingQuantity", "ConsumedQuantity")
ADDITIVE = (*COSTS, *QUANTITIES)
# The open month, in which the correction is invoiced.
BOOKING = {
    "BillingPeriodStart": "2025-06-01T00:00:00Z",
    "BillingPeriodEnd": "2025-07-01T00:00:00Z",
    "InvoiceId": "INV-20250601-20250701",
    "x_ExportDateTime": "2025-07-05T00:00:00Z",
}


def example(traces: Path, name: str) -> list[dict[str, Any]]:
    path = traces / "formats" / "focus_corrections" / f"closed__scenario_1_partial_reallocation_{name}.csv"
    with path.open(newline="") as file:
        return [
            {column: Decimal(text) if column in ADDITIVE else text for column, text in row.items()}
            for row in csv.DictReader(file)
        ]


def reallocated(original: dict[str, Any]) -> list[dict[str, Any]]:
    """Return the charge of 1,000 hours as it should have been: 800 hours of R-111 and 200 of R-222, at the same prices."""
    made = []
    for resource, hours in (("R-111", 800), ("R-222", 200)):
        paid, listed = (hours * Decimal(original[name]) for name in ("ContractedUnitPrice", "ListUnitPrice"))
        costs = {"EffectiveCost": paid, "BilledCost": paid, "ContractedCost": paid, "ListCost": listed}
        made.append({**original, "ResourceId": resource, **costs, **dict.fromkeys(QUANTITIES, Decimal(hours))})
    return made


@pytest.mark.parametrize(("method", "rows"), [(Method.LEDGER, 3), (Method.DELTA, 2)])
def test_the_example_of_the_specification_comes_out_the_same(traces: Path, method: Method, rows: int) -> None:
    original = example(traces, "original")

    made = corrections(original, reallocated(original[0]), method=method, additive=ADDITIVE, booking=BOOKING)

    theirs = example(traces, method.value)
    assert len(made) == len(theirs) == rows
    apart = {"ChargeDescription"}  # prose
    for ours, expected in zip(made, theirs, strict=True):
        assert {name: ours[name] for name in expected if name not in apart} == {
            name: value for name, value in expected.items() if name not in apart
        }


def test_both_methods_of_the_example_sum_to_the_same(traces: Path) -> None:
    ledger, delta = (sums(example(traces, name)) for name in ("ledger", "delta"))

    assert ledger == delta


def charge(resource: str, cost: int, *, price: int = 1) -> dict[str, Any]:
    return {"ResourceId": resource, "UnitPrice": price, "Cost": cost, "ChargeDescription": "Compute", "ChargeClass": ""}


def restated(original: list[dict[str, Any]], corrected: list[dict[str, Any]], method: Method) -> list[tuple[Any, ...]]:
    rows = corrections(original, corrected, method=method, additive=("Cost",), booking={"Month": "June"})
    assert all(row["ChargeClass"] == "Correction" and row["Month"] == "June" for row in rows)
    return [(row["ResourceId"], row["UnitPrice"], row["Cost"], row["ChargeDescription"]) for row in rows]


def test_a_charge_that_did_not_change_is_not_restated() -> None:
    same, moved = charge("same", 5), charge("moved", 7)

    assert restated([same, moved], [same, charge("moved", 9)], Method.LEDGER) == [
        ("moved", 1, -7, "Compute - Negation"),
        ("moved", 1, 9, "Compute - Restatement"),
    ]
    assert restated([same, moved], [same, charge("moved", 9)], Method.DELTA) == [("moved", 1, 2, "Compute - Increment")]


def test_a_price_that_changed_takes_the_old_charge_back_in_either_method() -> None:
    for method in Method:
        rows = restated([charge("r", 10, price=1)], [charge("r", 20, price=2)], method)

        assert [row[:3] for row in rows] == [("r", 1, -10), ("r", 2, 20)]


def test_charges_that_nothing_tells_apart_are_refused() -> None:
    with pytest.raises(DuplicateCharge, match="two charges are told apart by no column"):
        restated([charge("r", 1), charge("r", 2)], [], Method.DELTA)


CHARGES = st.dictionaries(
    st.tuples(st.sampled_from("abc"), st.integers(1, 2)), st.integers(-(10**15), 10**15), max_size=6
).map(lambda found: [charge(resource, cost, price=price) for (resource, price), cost in found.items()])


@given(CHARGES, CHARGES)
def test_either_method_turns_the_original_into_the_corrected(
    original: list[dict[str, Any]], corrected: list[dict[str, Any]]
) -> None:
    for method in Method:
        rows = corrections(original, corrected, method=method, additive=("Cost",), booking={})

        assert sums([*original, *rows], "Cost") == sums(corrected, "Cost")


def sums(rows: list[dict[str, Any]], *columns: str) -> dict[tuple[str, str], Decimal]:
    found: dict[tuple[str, str], Decimal] = defaultdict(Decimal)
    for row in rows:
        for column in columns or ADDITIVE:
            found[row["ResourceId"], column] += row[column]
    return {key: amount for key, amount in found.items() if amount}
