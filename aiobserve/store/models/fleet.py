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
    """One GPU, a pool of identical GPUs that the source does not tell apart, or what a host draws besides its GPUs.

    `idle_w` and `active_w` are per GPU: the baseline, and the model of power where none is metered. A host's
    capacity is that of its GPUs together. `contract` names the terms under which it is had (spot, reserved, ...).
    """

    node = models.ForeignKey(Node, models.CASCADE)
    uid = models.CharField(max_length=200)
    kind = models.CharField(max_length=10, default="gpu")
    sku = models.CharField(max_length=100)
    contract = models.CharField(max_length=100, blank=True, default="")
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


class Dedication(models.Model):
    """A device is kept for an account: what it costs while nobody uses it is that account's to answer for."""

    device = models.ForeignKey(Device, models.CASCADE)
    account = models.CharField(max_length=200)
    valid_from_at = models.DateTimeField()
    valid_to_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        db_table = "dedication"
        constraints = [models.UniqueConstraint(fields=["device", "valid_from_at"], name="dedication_once")]


class IdleObservation(models.Model):
    """The power that a device was seen to draw while nobody held it, on one UTC day."""

    device = models.ForeignKey(Device, models.CASCADE)
    day = models.DateField()
    idle_w = models.FloatField()
    seconds = models.PositiveIntegerField()

    class Meta:
        db_table = "idle_observation"
        constraints = [models.UniqueConstraint(fields=["device", "day"], name="idle_observation_once")]
