"""What came in: each batch once, and every record that was refused."""

from django.db import models

from aiobserve.store.models.organisation import Organisation


class IngestBatch(models.Model):
    """One batch, recorded in the same transaction as its rows. A second one with the same id writes nothing.

    But for one that is the last word again (`collectors.base.Batch.last_wins`): that is another take of the same id.
    """

    organisation = models.ForeignKey(Organisation, models.CASCADE)
    source = models.CharField(max_length=100)
    batch_id = models.CharField(max_length=200)
    take = models.PositiveIntegerField(db_default=1)
    rows = models.PositiveBigIntegerField()
    rejected = models.PositiveIntegerField()
    recorded_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        db_table = "ingest_batch"
        constraints = [
            models.UniqueConstraint(fields=["organisation", "source", "batch_id", "take"], name="ingest_batch_once")
        ]


class IngestContent(models.Model):
    """What a batch held, by table: rows and the instants they lie between, so that a figure leads back to its batches."""

    batch = models.ForeignKey(IngestBatch, models.CASCADE)
    frame = models.CharField(max_length=40)
    rows = models.PositiveBigIntegerField()
    first_at = models.DateTimeField(null=True, blank=True)
    last_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        db_table = "ingest_content"
        constraints = [models.UniqueConstraint(fields=["batch", "frame"], name="ingest_content_once")]


class IngestRejection(models.Model):
    """A record that was not taken in: where it stood, why, and what it looked like."""

    batch = models.ForeignKey(IngestBatch, models.CASCADE)
    position = models.PositiveBigIntegerField()
    reason = models.CharField(max_length=500)
    excerpt = models.CharField(max_length=500, blank=True)

    class Meta:
        db_table = "ingest_rejection"


class CollectRequest(models.Model):
    """A source that was asked to be collected. It is open until `finished_at` is set; a sweeper pokes open ones."""

    organisation = models.ForeignKey(Organisation, models.CASCADE)
    source = models.CharField(max_length=100)
    options = models.JSONField()
    requested_at = models.DateTimeField(auto_now_add=True)
    finished_at = models.DateTimeField(null=True, blank=True)
    rows = models.PositiveBigIntegerField(default=0)
    rejected = models.PositiveIntegerField(default=0)
    error = models.TextField(blank=True, default="")

    class Meta:
        db_table = "collect_request"
        indexes = [
            models.Index(fields=["requested_at"], condition=models.Q(finished_at__isnull=True), name="collect_open")
        ]
