"""Start every job as soon as there is room."""

from scheduler.policy.base import Policy

RUN_NOW = Policy(
    name="run_now",
    sentence="Start every job as soon as there is room, in order of submission.",
    needs=(),
    worth=lambda usd_per_mwh, g_per_kwh: usd_per_mwh * 0.0,
)
