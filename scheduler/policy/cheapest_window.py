"""Run when electricity is cheapest."""

from aiobserve.domain.units import KWH_PER_MWH
from scheduler.policy.base import Policy

CHEAPEST_WINDOW = Policy(
    name="cheapest_window",
    sentence="Run each job in the hours in which its electricity is cheapest.",
    needs=("usd_per_mwh",),
    worth=lambda usd_per_mwh, g_per_kwh: usd_per_mwh / KWH_PER_MWH,
)
