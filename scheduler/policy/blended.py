"""Run when money and carbon together are least, carbon at a stated price."""

from aiobserve.domain.units import KWH_PER_MWH
from scheduler.policy.base import Policy

GRAMS_PER_T = 1_000_000


def blended(carbon_price_usd_per_t: float) -> Policy:
    """Return the policy that adds the price of carbon to that of electricity, in US dollars per kWh."""
    return Policy(
        name="blended",
        sentence=f"Weigh the price of electricity and its carbon at {carbon_price_usd_per_t:g} USD a tonne.",
        needs=("usd_per_mwh", "g_per_kwh"),
        worth=lambda usd_per_mwh, g_per_kwh: (
            usd_per_mwh / KWH_PER_MWH + g_per_kwh * carbon_price_usd_per_t / GRAMS_PER_T
        ),
    )
