"""Device telemetry: a short hot table that is fed by COPY, and packed chunks for all that is older."""

from datetime import timedelta

from django.db import models
from django.db.models import F, Q

from aiobserve.store.models.fleet import Device

# No chunk is longer, so a reader knows how far back one that reaches into its span can begin.
LONGEST_CHUNK = timedelta(days=1)


class TelemetrySample(models.Model):
    """One hot sample. The table is partitioned by UTC hour and has no primary key; see the migrations.

    A missing reading is NaN, so that every row has the same width.
    """

    device = models.ForeignKey(Device, models.DO_NOTHING, db_constraint=False, primary_key=True)
    at = models.DateTimeField()
    energy_millij = models.FloatField()
    power_w = models.FloatField()
    utilisation_ratio = models.FloatField()
    memory_mib = models.FloatField()

    class Meta:
        db_table = "telemetry_sample"
        managed = False


class TelemetryChunk(models.Model):
    """Samples of one device within one UTC day, packed by `store.codec`.

    First and last counter stand outside the payload (NULL where that sample has none), so that a reader of the
    next day knows the counter at midnight without unpacking this one.
    """

    device = models.ForeignKey(Device, models.CASCADE)
    start_at = models.DateTimeField()
    end_at = models.DateTimeField()
    samples = models.PositiveIntegerField()
    first_energy_millij = models.FloatField(null=True)
    last_energy_millij = models.FloatField(null=True)
    has_reset = models.BooleanField()
    # Whether it waits to be merged with the others of its device and day.
    loose = models.BooleanField(default=True)
    format_version = models.PositiveSmallIntegerField()
    # Instants and counter, then all other readings: one value, because each wastes part of its last piece on disk.
    payload = models.BinaryField()
    # Length of the first part, so that a reader fetches no more of it; NULL in format 1, which has no parts.
    counter_bytes = models.PositiveIntegerField(null=True)

    class Meta:
        db_table = "telemetry_chunk"
        indexes = [
            models.Index(fields=["device", "start_at"], name="telemetry_chunk_device"),
            models.Index(fields=["start_at"], condition=Q(loose=True), name="telemetry_chunk_loose"),
        ]
        constraints = [
            models.CheckConstraint(
                condition=Q(end_at__gte=F("start_at"), end_at__lt=F("start_at") + LONGEST_CHUNK),
                name="telemetry_chunk_within_a_day",
            )
        ]
