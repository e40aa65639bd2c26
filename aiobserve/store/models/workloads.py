"""What ran: jobs, and what each held of which device."""

from django.db import models
from django.db.models import Q

from aiobserve.store.models.fleet import Device, Site
from aiobserve.store.models.organisation import AiModel, Organisation


class Job(models.Model):
    """One attempt of a piece of work. A requeued job is two rows with the same name."""

    organisation = models.ForeignKey(Organisation, models.CASCADE)
    site = models.ForeignKey(Site, models.PROTECT)
    key = models.CharField(max_length=300)
    name = models.CharField(max_length=300)
    account = models.CharField(max_length=200)
    user = models.CharField(max_length=200, blank=True, default="")
    model = models.ForeignKey(AiModel, models.PROTECT, null=True, blank=True)
    workload_type = models.CharField(max_length=30)
    tier = models.CharField(max_length=20)
    state = models.CharField(max_length=20)
    attempt = models.PositiveSmallIntegerField(default=1)
    gpus = models.PositiveIntegerField()
    sku = models.CharField(max_length=100, blank=True, default="")
    submitted_at = models.DateTimeField()
    started_at = models.DateTimeField(null=True, blank=True)
    ended_at = models.DateTimeField(null=True, blank=True)
    runtime_s = models.FloatField(null=True, blank=True)
    max_wait_s = models.FloatField(null=True, blank=True)
    deadline_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        db_table = "job"
        constraints = [models.UniqueConstraint(fields=["organisation", "key"], name="job_once")]
        indexes = [
            models.Index(fields=["organisation", "submitted_at"], condition=Q(state="pending"), name="job_pending")
        ]


class JobInterval(models.Model):
    """A job held `share_millis` thousandths of one GPU of a device, from start until end."""

    job = models.ForeignKey(Job, models.CASCADE)
    device = models.ForeignKey(Device, models.PROTECT)
    start_at = models.DateTimeField()
    end_at = models.DateTimeField(null=True, blank=True)
    share_millis = models.PositiveIntegerField()

    class Meta:
        db_table = "job_interval"
        constraints = [models.UniqueConstraint(fields=["job", "device", "start_at"], name="job_interval_once")]
        indexes = [models.Index(fields=["device", "start_at"], name="job_interval_device")]


class JobActivity(models.Model):
    """How busy a job kept a device that it shared: only the proportion among its holders counts."""

    job = models.ForeignKey(Job, models.CASCADE)
    device = models.ForeignKey(Device, models.PROTECT)
    start_at = models.DateTimeField()
    end_at = models.DateTimeField()
    level = models.FloatField()

    class Meta:
        db_table = "job_activity"
        constraints = [models.UniqueConstraint(fields=["job", "device", "start_at"], name="job_activity_once")]
        indexes = [models.Index(fields=["device", "start_at"], name="job_activity_device")]
