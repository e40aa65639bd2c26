"""Where work runs: sites, nodes and devices."""

from django.db import models
from django.db.models import Q

from aiobserve.store.models.organisation import Organisation


class Site(models.Model):
    """A place with one grid zone (for carbon and price) and one civil time zone."""

    organisation = models.ForeignKey(Organisation, models.CASCADE)
    name = models.CharField(max_length=100)
    grid_zone = models.CharField(max_length=100)
    timezone = models.CharField(max_length=64)

    class Meta:
        db_table = "site"
        constraints = [models.UniqueConstraint(fields=["organisation", "name"], name="site_once")]


class Node(models.Model):
    """A server."""

    site = models.ForeignKey(Site, models.CASCADE)
    name = models.CharField(max_length=200)

    class Meta:
        db_table = "node"
        constraints = [models.UniqueConstraint(fields=["site", "name"], name="node_once")]


class Device(models.Model):
    """One GPU, or a pool of identical GPUs that the source does not tell apart.

    `idle_w` and `active_w` are per GPU: the baseline, and the model of power where none is metered.
    """

    node = models.ForeignKey(Node, models.CASCADE)
    uid = models.CharField(max_length=200)
    sku = models.CharField(max_length=100)
    capacity_millis = models.PositiveIntegerField()
    tdp_w = models.FloatField()
    idle_w = models.FloatField()
    active_w = models.FloatField()
    valid_from_at = models.DateTimeField()
    valid_to_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        db_table = "device"
        constraints = [
            models.UniqueConstraint(fields=["node", "uid"], name="device_once"),
            models.CheckConstraint(condition=Q(capacity_millis__gt=0), name="device_has_capacity"),
        ]
