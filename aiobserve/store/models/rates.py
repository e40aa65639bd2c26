"""What things cost and emit: dated GPU prices, and signals such as electricity price and grid intensity."""

from django.db import models

from aiobserve.store.models.fleet import Site
from aiobserve.store.models.ingest import IngestBatch
from aiobserve.store.models.organisation import Organisation


class GpuRate(models.Model):
    """The price of holding one GPU of a kind for an hour, for a span of time; at one site, or at all of them."""

    organisation = models.ForeignKey(Organisation, models.CASCADE)
    site = models.ForeignKey(Site, models.CASCADE, null=True, blank=True)
    sku = models.CharField(max_length=100)
    # Empty: devices had under no named contract.
    contract = models.CharField(max_length=100, blank=True, default="")
    # owned, on_demand, spot, reserved or committed.
    purchase = models.CharField(max_length=20, default="on_demand")
    usd_per_gpu_hour = models.FloatField()
    # Empty: nothing is rebated.
    list_usd_per_gpu_hour = models.FloatField(null=True, blank=True)
    includes_electricity = models.BooleanField()
    valid_from_at = models.DateTimeField()
    valid_to_at = models.DateTimeField(null=True, blank=True)
    quality = models.PositiveSmallIntegerField()
    source = models.CharField(max_length=300)

    class Meta:
        db_table = "gpu_rate"
        constraints = [
            models.UniqueConstraint(
                fields=["organisation", "site", "sku", "contract", "valid_from_at"],
                name="gpu_rate_once",
                nulls_distinct=False,
            )
        ]


class SignalSeries(models.Model):
    """A kind of signal for a scope (grid zone, site, model) from one source; kinds are in `domain.frames`."""

    organisation = models.ForeignKey(Organisation, models.CASCADE)
    kind = models.CharField(max_length=60)
    scope = models.CharField(max_length=100)
    source = models.CharField(max_length=200)

    class Meta:
        db_table = "signal_series"
        constraints = [
            models.UniqueConstraint(fields=["organisation", "kind", "scope", "source"], name="signal_series_once")
        ]


class SignalValue(models.Model):
    """One step of a series. A revision is a new row from a later batch; the earlier one stays."""

    series = models.ForeignKey(SignalSeries, models.CASCADE)
    batch = models.ForeignKey(IngestBatch, models.PROTECT)
    # Empty for what really was; the instant of issue for a forecast.
    issued_at = models.DateTimeField(null=True, blank=True)
    start_at = models.DateTimeField()
    end_at = models.DateTimeField()
    value = models.FloatField()
    quality = models.PositiveSmallIntegerField()

    class Meta:
        db_table = "signal_value"
        constraints = [
            models.UniqueConstraint(
                fields=["series", "issued_at", "start_at", "batch"], name="signal_value_once", nulls_distinct=False
            )
        ]
