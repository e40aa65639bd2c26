"""bill == ledger + explained + unexplained, and each planted difference under its own name."""

from datetime import date
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from aiobserve.domain.bill import Target
from aiobserve.ledger.reconcile import REASONS, BillPart, LedgerPart, Line, Status, reconcile

MARCH, APRIL = date(2026, 3, 1), date(2026, 4, 1)
NODE = Target("lab", "node-1", "", "capacity")
HOUR = 3_600_000  # one GPU for an hour, in thousandths of a GPU x seconds
USD = 1_000_000


def own(usd: float, hours: float, *, list_usd: float | None = None, **more: Any) -> LedgerPart:
    listed = usd if list_usd is None else list_usd
    target = Target("lab", more.pop("node", "node-1"), "A100", more.pop("part", "capacity"))
    return LedgerPart(more.pop("period", MARCH), target, round(usd * USD), round(listed * USD), round(hours * HOUR))


def billed(usd: float, hours: float | None, **more: Any) -> BillPart:
    amount = round(usd * USD)
    return BillPart(
        period=more.get("period", MARCH),
        provider="Cloud",
        service=more.get("service", "GPU"),
        resource=more.get("resource", "node-1"),
        category=more.get("category", "Usage"),
        target=more.get("target", NODE),
        lines=more.get("lines", 1),
        billed_microusd=round(more.get("billed_usd", usd) * USD),
        effective_microusd=amount,
        list_microusd=more.get("list_microusd", amount),
        quantity=None if hours is None else round(hours * HOUR),
    )


def one(ledger: LedgerPart, bill: BillPart) -> Line:
    (line,) = reconcile([ledger], [bill]).lines
    return line


def reasons(line: Line) -> dict[str, float]:
    return {name: amount / USD for name, amount in line.explained.items() if amount}


def test_what_agrees_matches() -> None:
    line = one(own(20, 10), billed(20, 10))

    assert (line.matched_microusd, line.difference_microusd, reasons(line)) == (20 * USD, 0, {})
    assert (line.status, line.words) == (Status.OK, "matches")


def test_another_price_is_named() -> None:
    line = one(own(20, 10), billed(25, 10))

    assert reasons(line) == {"price": 5}
    assert line.words == "price 2.5000 instead of 2.0000 USD a GPU-hour"
    assert line.status is Status.OK


def test_hours_that_were_offered_and_not_billed_are_named() -> None:
    line = one(own(20, 10), billed(16, 8))

    assert reasons(line) == {"time": -4}
    assert line.words == "8.0 GPU-hours billed, 10.0 offered"


def test_a_rebate_that_the_ledger_does_not_have_is_a_discount() -> None:
    line = one(own(20, 10), billed(18, 10, list_microusd=20 * USD))

    assert reasons(line) == {"discount": -2}


def test_price_time_and_discount_at_once_each_have_their_part() -> None:
    # Ledger 2.00 USD x 10 h. Bill: 12 h at a list price of 2.50, 10 % off.
    line = one(own(20, 10), billed(27, 12, list_microusd=30 * USD))

    assert reasons(line) == {"time": 4, "discount": -3, "price": 6}


def test_half_a_cent_a_line_is_rounding() -> None:
    assert reasons(one(own(20, 10), billed(20.009, 10, lines=2))) == {"rounding": 0.009}
    assert reasons(one(own(20, 10), billed(20.011, 10, lines=2))) == {"price": 0.011}
    assert reasons(one(own(20, 10), billed(20.004, None))) == {"rounding": 0.004}


def test_what_is_paid_at_another_time_than_used_is_amortisation() -> None:
    assert reasons(one(own(20, 10), billed(20, 10, billed_usd=0))) == {"amortisation": -20}


def test_without_hours_a_difference_cannot_be_explained() -> None:
    line = one(own(20, 10), billed(25, None))

    assert (line.unexplained_microusd, reasons(line)) == (5 * USD, {})
    assert line.status is Status.WARN


def test_a_line_that_stands_for_nothing_is_unexplained_and_past_ten_dollars_a_breach() -> None:
    found = reconcile([own(20, 10)], [billed(20, 10), billed(250, None, target=None, service="Support", resource="")])

    assert found.unexplained_microusd == 250 * USD
    assert [line.status for line in found.lines] == [Status.OK, Status.BREACH]
    assert found.status is Status.BREACH


def test_a_thousand_small_amounts_are_a_large_one() -> None:
    small = [billed(0.05, None, target=None, resource=str(number)) for number in range(1000)]

    found = reconcile([], small)

    assert {line.status for line in found.lines} == {Status.OK}
    assert (found.unexplained_microusd, found.status) == (50 * USD, Status.BREACH)


def test_a_tax_and_a_credit_have_their_names() -> None:
    found = reconcile(
        [], [billed(3.8, None, target=None, category="Tax"), billed(-5, None, target=None, category="Credit")]
    )

    assert {name: amount / USD for name, amount in found.explained.items() if amount} == {"tax": 3.8, "discount": -5}


def test_a_node_that_a_bill_leaves_out_is_unexplained_and_a_site_without_a_bill_is_outside() -> None:
    elsewhere = LedgerPart(MARCH, Target("home", "", "", "capacity"), 7 * USD, 7 * USD, HOUR)

    found = reconcile([own(20, 10), own(30, 15, node="node-2"), elsewhere], [billed(20, 10)])

    assert [line.unexplained_microusd for line in found.lines] == [0, -30 * USD]
    assert found.outside_microusd == 7 * USD


def test_a_month_without_a_bill_is_outside() -> None:
    found = reconcile([own(20, 10), own(20, 10, period=APRIL)], [billed(20, 10)])

    assert (found.ledger_microusd, found.outside_microusd) == (20 * USD, 20 * USD)


def test_a_smaller_part_on_the_bill_takes_what_is_its_own() -> None:
    whole = billed(30, 15, target=Target("lab", "", "", "capacity"), resource="site")

    found = reconcile([own(20, 10), own(30, 15, node="node-2")], [billed(20, 10), whole])

    assert [line.ledger_microusd for line in found.lines] == [30 * USD, 20 * USD]
    assert not any(line.difference_microusd for line in found.lines)


TARGETS = st.builds(
    Target,
    st.sampled_from(["a", "b"]),
    st.sampled_from(["", "n"]),
    st.sampled_from(["", "s"]),
    st.sampled_from(["capacity", "electricity"]),
)
MONEY = st.integers(-(10**12), 10**13)


@given(
    ledger=st.lists(
        st.builds(LedgerPart, st.sampled_from([MARCH, APRIL]), TARGETS, MONEY, MONEY, st.integers(0, 10**13)),
        max_size=8,
    ),
    bill=st.lists(
        st.builds(
            BillPart,
            st.sampled_from([MARCH, APRIL]),
            st.just("Cloud"),
            st.sampled_from(["x", "y"]),
            st.sampled_from(["", "r"]),
            st.sampled_from(["Usage", "Tax", "Credit", "Purchase"]),
            st.none() | TARGETS,
            st.integers(1, 1000),
            MONEY,
            MONEY,
            st.none() | MONEY,
            st.none() | st.integers(0, 10**13),
        ),
        max_size=8,
    ),
)
def test_the_bill_is_the_ledger_and_what_is_explained_and_what_is_not(
    ledger: list[LedgerPart], bill: list[BillPart]
) -> None:
    found = reconcile(ledger, bill)

    assert found.billed_microusd == sum(part.billed_microusd for part in bill)
    assert found.ledger_microusd + found.outside_microusd == sum(part.microusd for part in ledger)
    for line in found.lines:
        assert set(line.explained) == set(REASONS)
        assert line.billed_microusd == line.ledger_microusd + sum(line.explained.values()) + line.unexplained_microusd
