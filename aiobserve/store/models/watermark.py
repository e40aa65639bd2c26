"""How far attribution has come: one row a site and UTC day, and which part of the day has changed since."""

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import F, Q

from aiobserve.store.models.fleet import Site


class Watermark(models.Model):
    """A day of a site that is to be attributed whenever `wanted_version` is ahead of `done_version`.

    Whoever writes input raises the wanted version in the same transaction. Whoever attributes locks the
    row, works, posts and sets the done version in one transaction: a worker that dies leaves no trace and
    the day is found again.
    """

    site = models.ForeignKey(Site, models.CASCADE)
    day = models.DateField()
    wanted_version = models.PositiveIntegerField(default=1)
    done_version = models.PositiveIntegerField(default=0)
    # Empty, or why the day could not be attributed and what to do.
    blocked_reason = models.TextField(blank=True, default="")
    # While the day is due: the span of it that changed; both empty for the whole day.
    dirty_from_at = models.DateTimeField(null=True, blank=True)
    dirty_to_at = models.DateTimeField(null=True, blank=True)
    # While the day is due: what changed, as `domain.reason` names it.
    reasons = ArrayField(models.TextField(), default=list, blank=True)
    # Windows of the day that ended by then have been attributed at least once.
    done_until_at = models.DateTimeField(null=True, blank=True)
    done_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        db_table = "watermark"
        constraints = [models.UniqueConstraint(fields=["site", "day"], name="watermark_once")]
        indexes = [
            models.Index(
                fields=["site", "day"], condition=Q(wanted_version__gt=F("done_version")), name="watermark_due"
            )
        ]
