"""The newest plan: what waits, until when, why, and what it is expected to save."""

from dataclasses import dataclass
from datetime import datetime

from aiobserve.store.read.plans import PlanRow, latest_plan

__all__ = ["PlanReport", "PlanRow", "plan_report"]


@dataclass(frozen=True)
class PlanReport:
    """The newest plan of an organisation with the sums of what its decisions are expected to save."""

    made_at: datetime
    policy: str
    signals_issued_at: datetime | None
    gap_ratio: float
    rows: tuple[PlanRow, ...]
    deferred: int
    without_room: int
    horizon_end_at: datetime
    saving_microusd: int
    saving_microg: int


def plan_report(organisation_id: int) -> PlanReport | None:
    """Return the newest plan; None when none was made yet. Savings here are predicted, not verified."""
    found = latest_plan(organisation_id)
    if found is None:
        return None
    plan, rows = found
    return PlanReport(
        made_at=plan.made_at,
        policy=plan.policy,
        signals_issued_at=plan.signals_issued_at,
        gap_ratio=plan.gap_ratio,
        rows=tuple(rows),
        deferred=sum(row.action == "deferred" for row in rows),
        without_room=sum(row.action == "no_capacity" for row in rows),
        horizon_end_at=plan.horizon_end_at,
        saving_microusd=sum(row.saving_microusd for row in rows),
        saving_microg=sum(row.saving_microg for row in rows),
    )
