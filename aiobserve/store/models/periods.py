"""Closed months of the books, chained by their hashes, and the audit of who closed and re-opened them."""

from django.db import models
from django.db.models import Q

from aiobserve.store.models.organisation import Organisation


class LedgerPeriod(models.Model):
    """A civil month of an organisation that was closed. It is open again once `reopened_at` is set.

    Closing again makes a new row, so every hash that was ever handed out stays. A trigger lets nothing but
    `reopened_at` change, once.
    """

    organisation = models.ForeignKey(Organisation, models.PROTECT)
    # First day of the month in the zone; the span is whole windows.
    month = models.DateField()
    timezone = models.CharField(max_length=64)
    start_at = models.DateTimeField()
    end_at = models.DateTimeField()
    previous = models.ForeignKey("self", models.PROTECT, null=True, blank=True)
    # SHA-256 over the previous hash and the period's sums by window and bearer; see ledger.close.
    hash = models.CharField(max_length=64)
    rows = models.PositiveBigIntegerField()
    # What was charged in it, by measure.
    sums = models.JSONField()
    closed_at = models.DateTimeField(auto_now_add=True)
    closed_by = models.CharField(max_length=200)
    reopened_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        db_table = "ledger_period"
        constraints = [
            models.UniqueConstraint(
                fields=["organisation", "start_at"], condition=Q(reopened_at__isnull=True), name="ledger_period_once"
            ),
            models.CheckConstraint(condition=Q(end_at__gt=models.F("start_at")), name="ledger_period_has_length"),
        ]


class LedgerAudit(models.Model):
    """Who closed or re-opened what, when and why. Append only; a trigger refuses anything else."""

    organisation = models.ForeignKey(Organisation, models.PROTECT)
    period = models.ForeignKey(LedgerPeriod, models.PROTECT)
    at = models.DateTimeField(auto_now_add=True)
    action = models.CharField(max_length=20)
    by = models.CharField(max_length=200)
    reason = models.TextField(blank=True)
    # Site-days that were due, blocked or unattributed when a period was closed by force.
    details = models.JSONField()

    class Meta:
        db_table = "ledger_audit"
        indexes = [models.Index(fields=["organisation", "at"], name="ledger_audit_at")]
