"""Money on a bill: decimal text to integer microdollars, never by way of a float. Pure."""

import re
from collections.abc import Sequence
from decimal import ROUND_FLOOR, Decimal, InvalidOperation

from aiobserve.domain.units import MICROUSD_PER_USD

PLAIN = re.compile(r"[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d{1,3})?", re.ASCII)
GROUPED = re.compile(r"[+-]?\d{1,3}(,\d{3})+(\.\d*)?", re.ASCII)
# A line of more than a billion dollars is a slip of the columns, not a charge.
LARGEST_USD = Decimal(10) ** 9
HALF = Decimal("0.5")


def decimal(text: str) -> Decimal | None:
    """Return a number as it is written, None where it is none. A dollar sign and grouped thousands are understood."""
    bare = text.strip().replace("$", "", 1)
    if not PLAIN.fullmatch(bare):
        if not GROUPED.fullmatch(bare):
            return None
        bare = bare.replace(",", "")
    try:
        return Decimal(bare)
    except InvalidOperation:
        return None


def believable(amount: Decimal | None) -> bool:
    """Return whether an amount of money is there and within a billion dollars."""
    return amount is not None and abs(amount) <= LARGEST_USD


def microusd(amounts_usd: Sequence[Decimal]) -> list[int]:
    """Return amounts as whole microdollars whose sum is the exact sum, rounded once.

    What is lost by rounding a line is carried to the next, so a bill of a thousand lines of 0.4 microdollars is 400
    microdollars and not nothing. Whole microdollars are never changed.
    """
    rounded, exact, before = [], Decimal(0), 0
    for amount in amounts_usd:
        exact += amount * MICROUSD_PER_USD
        now = int((exact + HALF).to_integral_value(rounding=ROUND_FLOOR))
        rounded.append(now - before)
        before = now
    return rounded
