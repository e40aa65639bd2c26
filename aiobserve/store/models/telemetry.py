"""Device telemetry: a short hot table that is fed by COPY, and packed chunks for all that is older."""

from django.db import models

from aiobserve.store.models.fleet import Device


class TelemetrySample(models.Model):
    """One hot sample. The table is partitioned by UTC day and has no primary key; see the first migration.

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
    """Samples of one device, packed by `store.write.chunks` (delta, shuffle, zstd).

    First and last counter, count and the reset flag stand outside the payload, so that the energy of
    a whole chunk is known without unpacking it.
    """

    device = models.ForeignKey(Device, models.CASCADE)
    start_at = models.DateTimeField()
    end_at = models.DateTimeField()
    samples = models.PositiveIntegerField()
    first_energy_millij = models.FloatField(null=True)
    last_energy_millij = models.FloatField(null=True)
    has_reset = models.BooleanField()
    format_version = models.PositiveSmallIntegerField()
    payload = models.BinaryField()

    class Meta:
        db_table = "telemetry_chunk"
        indexes = [models.Index(fields=["device", "start_at"], name="telemetry_chunk_device")]
