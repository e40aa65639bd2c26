"""Run when the grid is cleanest."""

from scheduler.policy.base import Policy

LOWEST_CARBON = Policy(
    name="lowest_carbon",
    sentence="Run each job in the hours in which its electricity emits least.",
    needs=("g_per_kwh",),
    worth=lambda usd_per_mwh, g_per_kwh: g_per_kwh,
)
