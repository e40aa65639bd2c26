"""Budgets: how much of what may be spent by whom, in which window of time."""

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import F, Q

from aiobserve.store.models.organisation import Organisation


class Budget(models.Model):
    """An amount in the ledger's own unit of a measure, for a team, project, model or the whole, in each window.

    Days are local days of the zone. A hard budget is one that a scheduler asks before it starts a job.
    """

    organisation = models.ForeignKey(Organisation, models.CASCADE)
    name = models.CharField(max_length=200)
    scope = models.CharField(max_length=20)
    # Name of the team, project or model; empty for the whole.
    subject = models.CharField(max_length=200, blank=True)
    measure = models.CharField(max_length=20)
    amount = models.BigIntegerField()
    window = models.CharField(max_length=20)
    timezone = models.CharField(max_length=64)
    is_hard = models.BooleanField()
    thresholds = ArrayField(models.PositiveSmallIntegerField())
    valid_from = models.DateField()
    valid_to = models.DateField(null=True, blank=True)
    made_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        db_table = "budget"
        constraints = [
            models.UniqueConstraint(fields=["organisation", "name"], name="budget_once"),
            models.CheckConstraint(condition=Q(amount__gt=0), name="budget_has_amount"),
            models.CheckConstraint(
                condition=Q(valid_to__isnull=True) | Q(valid_to__gt=F("valid_from")), name="budget_span"
            ),
            models.CheckConstraint(
                condition=~Q(window="custom") | Q(valid_to__isnull=False), name="budget_custom_has_an_end"
            ),
            models.CheckConstraint(
                condition=(Q(scope="whole") & Q(subject="")) | (~Q(scope="whole") & ~Q(subject="")),
                name="budget_subject",
            ),
        ]
