"""What a site declares: shared pools, commitments, electricity contracts, emissions of manufacture."""

from django.db import models

from aiobserve.store.models.fleet import Site
from aiobserve.store.models.organisation import Organisation


class SharedPool(models.Model):
    """A cost that a site shares (network, storage, ...), with the key by which reports may share it out.

    `label` restricts who shares it, e.g. `team=Vision`; empty: everyone. What it draws may be metered by a signal
    `pool_power_w` of scope `SITE/POOL`, which then counts instead of `power_w`.
    """

    site = models.ForeignKey(Site, models.CASCADE)
    name = models.CharField(max_length=100)
    component = models.PositiveSmallIntegerField()
    shared_by = models.CharField(max_length=20)
    label = models.CharField(max_length=200, blank=True, default="")
    usd_per_hour = models.FloatField()
    power_w = models.FloatField()
    includes_electricity = models.BooleanField()
    valid_from_at = models.DateTimeField()
    valid_to_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        db_table = "shared_pool"
        constraints = [models.UniqueConstraint(fields=["site", "name", "valid_from_at"], name="shared_pool_once")]


class Commitment(models.Model):
    """GPUs that are paid for whether they run or not, under a contract of devices."""

    site = models.ForeignKey(Site, models.CASCADE)
    name = models.CharField(max_length=100)
    sku = models.CharField(max_length=100)
    contract = models.CharField(max_length=100)
    gpus = models.FloatField()
    usd_per_gpu_hour = models.FloatField()
    valid_from_at = models.DateTimeField()
    valid_to_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        db_table = "commitment"
        constraints = [models.UniqueConstraint(fields=["site", "name", "valid_from_at"], name="commitment_once")]


class EnergyContract(models.Model):
    """Electricity of a known origin for a site: so many kWh an hour, or a share of what the site uses."""

    site = models.ForeignKey(Site, models.CASCADE)
    name = models.CharField(max_length=100)
    # ppa, certificate or tariff: the order in which they are used.
    kind = models.CharField(max_length=20)
    kwh_per_hour = models.FloatField(null=True, blank=True)
    share_ratio = models.FloatField(default=0)
    g_per_kwh = models.FloatField()
    valid_from_at = models.DateTimeField()
    valid_to_at = models.DateTimeField(null=True, blank=True)
    source = models.CharField(max_length=300)

    class Meta:
        db_table = "energy_contract"
        constraints = [models.UniqueConstraint(fields=["site", "name", "valid_from_at"], name="energy_contract_once")]


class EmbodiedFactor(models.Model):
    """Emissions of making one GPU of a kind, spread evenly over the hours of its life."""

    organisation = models.ForeignKey(Organisation, models.CASCADE)
    sku = models.CharField(max_length=100)
    kg_co2e = models.FloatField()
    life_hours = models.FloatField()
    source = models.CharField(max_length=300)

    class Meta:
        db_table = "embodied_factor"
        constraints = [models.UniqueConstraint(fields=["organisation", "sku"], name="embodied_factor_once")]
