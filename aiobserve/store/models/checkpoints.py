"""When a job saved its work: what came before survives a failure."""

from django.db import models

from aiobserve.store.models.workloads import Job


class Checkpoint(models.Model):
    """An instant at which a job wrote a checkpoint from which a later attempt can go on."""

    job = models.ForeignKey(Job, models.CASCADE)
    at = models.DateTimeField()

    class Meta:
        db_table = "checkpoint"
        constraints = [models.UniqueConstraint(fields=["job", "at"], name="checkpoint_once")]
