"""Reads plans."""

from dataclasses import dataclass
from datetime import datetime

from aiobserve.store.models import Plan, PlanDecision


@dataclass(frozen=True)
class PlanHead:
    """One run of the planner."""

    pk: int
    made_at: datetime
    policy: str
    horizon_end_at: datetime
    objective: float
    lower_bound: float
    signals_issued_at: datetime | None

    @property
    def gap_ratio(self) -> float:
        """Return how far the plan may be from the best possible, as a share of it; 0 when both are equal."""
        if self.objective == self.lower_bound:
            return 0.0
        return (self.objective - self.lower_bound) / abs(self.lower_bound) if self.lower_bound else float("inf")


@dataclass(frozen=True)
class PlanRow:
    """What was decided for one job; amounts are None where no forecast says anything."""

    job_key: str
    job_name: str
    account: str
    site: str
    gpus: int
    action: str
    submitted_at: datetime
    start_at: datetime
    end_at: datetime
    slack_s: float | None
    cost_microusd: int | None
    cost_now_microusd: int | None
    carbon_microg: int | None
    carbon_now_microg: int | None
    reason: str

    @property
    def saving_microusd(self) -> int:
        """Return what the decision is expected to save in electricity against running at once."""
        return (
            0
            if self.cost_microusd is None or self.cost_now_microusd is None
            else self.cost_now_microusd - self.cost_microusd
        )

    @property
    def saving_microg(self) -> int:
        """Return what the decision is expected to save in carbon against running at once."""
        return (
            0
            if self.carbon_microg is None or self.carbon_now_microg is None
            else self.carbon_now_microg - self.carbon_microg
        )


def latest_plan(organisation_id: int) -> tuple[PlanHead, list[PlanRow]] | None:
    """Return the newest plan and its decisions by start; None when there is none."""
    plan = Plan.objects.filter(organisation_id=organisation_id).order_by("-made_at", "-pk").first()
    if plan is None:
        return None
    columns = (
        "job__key", "job__name", "job__account", "job__site__name", "job__gpus", "action", "job__submitted_at", "start_at",
        "end_at", "slack_s", "cost_microusd", "cost_now_microusd", "carbon_microg", "carbon_now_microg", "reason",
    )  # fmt: skip
    rows = PlanDecision.objects.filter(plan=plan).order_by("start_at", "job__key").values_list(*columns)
    head = PlanHead(
        plan.pk,
        plan.made_at,
        plan.policy,
        plan.horizon_end_at,
        plan.objective,
        plan.lower_bound,
        plan.signals_issued_at,
    )
    return head, [PlanRow(*row) for row in rows]
