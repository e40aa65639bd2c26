"""Plans of the scheduler: what waits, until when, and why."""

from django.db import models

from aiobserve.store.models.organisation import Organisation
from aiobserve.store.models.workloads import Job


class Plan(models.Model):
    """One run of the planner over the jobs that could wait."""

    organisation = models.ForeignKey(Organisation, models.CASCADE)
    made_at = models.DateTimeField()
    policy = models.CharField(max_length=40)
    slot_s = models.PositiveIntegerField()
    horizon_end_at = models.DateTimeField()
    objective = models.FloatField()
    lower_bound = models.FloatField()
    # Newest issue of the signals that were used; empty when there was none and everything ran at once.
    signals_issued_at = models.DateTimeField(null=True)

    class Meta:
        db_table = "plan"
        indexes = [models.Index(fields=["organisation", "-made_at"], name="plan_latest")]


class PlanDecision(models.Model):
    """What was decided for one job, in numbers and in words."""

    plan = models.ForeignKey(Plan, models.CASCADE)
    job = models.ForeignKey(Job, models.CASCADE)
    action = models.CharField(max_length=30)
    start_at = models.DateTimeField()
    end_at = models.DateTimeField()
    slack_s = models.FloatField(null=True)
    # By the forecasts, as planned and if everything ran at once; empty where no forecast says anything.
    cost_microusd = models.BigIntegerField(null=True)
    cost_now_microusd = models.BigIntegerField(null=True)
    carbon_microg = models.BigIntegerField(null=True)
    carbon_now_microg = models.BigIntegerField(null=True)
    reason = models.TextField()

    class Meta:
        db_table = "plan_decision"
        constraints = [models.UniqueConstraint(fields=["plan", "job"], name="plan_decision_once")]
