"""Writes plans."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from django.db import transaction

from aiobserve.store.models import Plan, PlanDecision


def write_plan(organisation_id: int, *, head: dict[str, Any], decisions: Sequence[dict[str, Any]]) -> int:
    """Write a plan with its decisions in one transaction; returns its id."""
    with transaction.atomic():
        plan = Plan.objects.create(organisation_id=organisation_id, **head)
        PlanDecision.objects.bulk_create([PlanDecision(plan=plan, **one) for one in decisions], batch_size=1000)
    return int(plan.pk)


def forget_plans(organisation_id: int, *, before_at: datetime) -> None:
    """Remove plans that were made before an instant; a plan is a proposal and not part of the books."""
    Plan.objects.filter(organisation_id=organisation_id, made_at__lt=before_at).delete()
