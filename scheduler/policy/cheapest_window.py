"""Run when electricity is cheapest."""

from scheduler.policy.base import Policy

CHEAPEST_WINDOW = Policy(
    name="cheapest_window",
    sentence="Run each job in the hours in which its electricity is cheapest.",
    needs=("usd_per_mwh",),
    worth=lambda usd_per_mwh, g_per_kwh: usd_per_mwh / 1_000,
)
