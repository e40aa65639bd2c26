"""Reads budgets, and the work that is running on them."""

from dataclasses import dataclass
from datetime import date, datetime

from django.db.models import F, Q

from aiobserve.store.models import AccountMapping, Budget, Job


@dataclass(frozen=True)
class BudgetRow:
    """A budget as it is stored."""

    name: str
    scope: str
    subject: str
    measure: str
    amount: int
    window: str
    timezone: str
    is_hard: bool
    thresholds: tuple[int, ...]
    valid_from: date
    valid_to: date | None


def budgets(organisation_id: int) -> list[BudgetRow]:
    """Return the budgets of an organisation by name."""
    return [
        BudgetRow(
            row.name, row.scope, row.subject, row.measure, row.amount, row.window, row.timezone, row.is_hard,
            tuple(row.thresholds), row.valid_from, row.valid_to,
        )
        for row in Budget.objects.filter(organisation_id=organisation_id).order_by("name")
    ]  # fmt: skip


@dataclass(frozen=True)
class RunningRow:
    """A running job whose run time is known: who answers for it, its GPUs, and when it will end."""

    team: str
    project: str
    model: str
    gpus: int
    started_at: datetime
    runtime_s: float


def running_work(organisation_id: int, *, now_at: datetime) -> list[RunningRow]:
    """Return the running jobs whose run time is known, with the team that answers for their account now."""
    valid = Q(valid_to_at__isnull=True) | Q(valid_to_at__gt=now_at)
    owners = {
        account: (team, project)
        for account, team, project in AccountMapping.objects.filter(
            valid, organisation_id=organisation_id, valid_from_at__lte=now_at
        ).values_list("account", "team__name", "project__name")
    }
    rows = Job.objects.filter(
        organisation_id=organisation_id, state="running", started_at__lte=now_at, runtime_s__isnull=False
    ).annotate(model_name=F("model__name"))
    return [
        RunningRow(*owners.get(row.account, ("", "")), row.model_name or "", row.gpus, row.started_at, row.runtime_s)
        for row in rows.order_by("pk")
        if row.started_at is not None and row.runtime_s is not None
    ]
