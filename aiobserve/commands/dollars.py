"""An option that is money: dollars as a person writes them, microdollars as the ledger counts them."""

from decimal import Decimal, InvalidOperation

import click

from aiobserve.domain.units import MICROUSD_PER_USD

MOST_USD = 10**12


class Dollars(click.ParamType):
    """Takes dollars from 0 up, such as 12.50; the command gets whole microdollars, the nearest."""

    name = "usd"

    def convert(self, value: str | int, param: click.Parameter | None, ctx: click.Context | None) -> int:
        """Return microdollars; what is one already stays as it is."""
        if isinstance(value, int):
            return value
        try:
            amount = Decimal(value)
        except InvalidOperation:
            self.fail(f"{value!r} is no number; write it as 12.50", param, ctx)
        if not amount.is_finite() or not 0 <= amount <= MOST_USD:
            self.fail(f"{value} is not from 0 to {MOST_USD:,} USD", param, ctx)
        return round(amount * MICROUSD_PER_USD)
