"""What providers bill: documents, their lines, and the rules that say which line stands for which part of the ledger."""

from django.db import models
from django.db.models import F, Q

from aiobserve.store.models.ingest import IngestBatch
from aiobserve.store.models.organisation import Organisation


class BillDocument(models.Model):
    """What one file bills for one provider, account and billing period.

    Providers send the same period again and again: the newest document counts and the older ones stay, replaced.
    """

    organisation = models.ForeignKey(Organisation, models.PROTECT)
    document = models.CharField(max_length=120)
    provider = models.CharField(max_length=300)
    billing_account = models.CharField(max_length=300)
    billing_start_at = models.DateTimeField()
    billing_end_at = models.DateTimeField()
    is_part = models.BooleanField()
    replaced_by = models.ForeignKey("self", models.PROTECT, null=True, blank=True)
    recorded_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        db_table = "bill_document"
        constraints = [
            models.UniqueConstraint(
                fields=[
                    "organisation",
                    "document",
                    "provider",
                    "billing_account",
                    "billing_start_at",
                    "billing_end_at",
                ],
                name="bill_document_once",
            )
        ]
        indexes = [
            models.Index(
                fields=["organisation", "billing_start_at"],
                condition=Q(replaced_by__isnull=True),
                name="bill_document_standing",
            )
        ]


class BillLine(models.Model):
    """One line of a document. Money is integer microdollars; a list or contracted cost may be missing."""

    document = models.ForeignKey(BillDocument, models.PROTECT)
    batch = models.ForeignKey(IngestBatch, models.PROTECT)
    position = models.PositiveBigIntegerField()
    sub_account = models.CharField(max_length=300)
    sub_account_name = models.CharField(max_length=300)
    service = models.CharField(max_length=300)
    service_category = models.CharField(max_length=300)
    resource = models.CharField(max_length=300)
    sku = models.CharField(max_length=300)
    region = models.CharField(max_length=300)
    charge_category = models.CharField(max_length=300)
    charge_class = models.CharField(max_length=300)
    charge_frequency = models.CharField(max_length=300)
    description = models.CharField(max_length=300)
    invoice = models.CharField(max_length=300)
    currency = models.CharField(max_length=10)
    start_at = models.DateTimeField()
    end_at = models.DateTimeField()
    billed_microusd = models.BigIntegerField()
    effective_microusd = models.BigIntegerField()
    list_microusd = models.BigIntegerField(null=True)
    contracted_microusd = models.BigIntegerField(null=True)
    quantity = models.FloatField(null=True)
    unit = models.CharField(max_length=300)
    commitment = models.CharField(max_length=300)
    commitment_category = models.CharField(max_length=300)
    commitment_status = models.CharField(max_length=300)
    commitment_quantity = models.FloatField(null=True)
    tags = models.JSONField()

    class Meta:
        db_table = "bill_line"
        constraints = [
            models.UniqueConstraint(fields=["document", "position"], name="bill_line_once"),
            models.CheckConstraint(condition=Q(end_at__gt=F("start_at")), name="bill_line_span"),
        ]
        indexes = [models.Index(fields=["document", "start_at"], name="bill_line_start")]


class BillRule(models.Model):
    """Lines that fit the patterns stand for a part of the ledger, for a span of time. The first that fits counts."""

    organisation = models.ForeignKey(Organisation, models.CASCADE)
    position = models.PositiveIntegerField()
    provider = models.CharField(max_length=300, blank=True)
    service = models.CharField(max_length=300, blank=True)
    resource = models.CharField(max_length=300, blank=True)
    sku = models.CharField(max_length=300, blank=True)
    sub_account = models.CharField(max_length=300, blank=True)
    region = models.CharField(max_length=300, blank=True)
    site = models.CharField(max_length=100, blank=True)
    node = models.CharField(max_length=200, blank=True)
    device_sku = models.CharField(max_length=100, blank=True)
    part = models.CharField(max_length=20)
    valid_from_at = models.DateTimeField()
    valid_to_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        db_table = "bill_rule"
        constraints = [
            models.UniqueConstraint(fields=["organisation", "position"], name="bill_rule_once"),
            models.CheckConstraint(
                condition=Q(valid_to_at__isnull=True) | Q(valid_to_at__gt=F("valid_from_at")), name="bill_rule_span"
            ),
        ]
