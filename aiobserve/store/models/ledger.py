"""The double-entry ledger: postings that are never edited, in batches that are reversed, never removed."""

from django.contrib.postgres.indexes import BrinIndex
from django.db import models

from aiobserve.store.models.fleet import Site
from aiobserve.store.models.organisation import AiModel, Organisation, Project, Team
from aiobserve.store.models.workloads import Job


class LedgerBatch(models.Model):
    """All postings of one site and UTC day, from one reading of the inputs; or the reversal of such a batch."""

    organisation = models.ForeignKey(Organisation, models.PROTECT)
    site = models.ForeignKey(Site, models.PROTECT)
    day = models.DateField()
    sequence = models.PositiveIntegerField()
    reverses = models.OneToOneField("self", models.PROTECT, null=True, blank=True, related_name="reversed_by")
    # What the inputs were: the same digest again means that nothing has to be posted.
    input_digest = models.CharField(max_length=64)
    method_version = models.PositiveSmallIntegerField()
    postings = models.PositiveIntegerField()
    # Order-independent checksum of the postings, so that an alteration is found even when it balances.
    checksum = models.DecimalField(max_digits=40, decimal_places=0)
    posted_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        db_table = "ledger_batch"
        constraints = [models.UniqueConstraint(fields=["site", "day", "sequence"], name="ledger_batch_once")]


class Posting(models.Model):
    """One side of an entry: amounts of every measure for one window and account.

    Charged accounts are positive and the metered account is negative, so that each window sums to zero on
    each measure. Foreign keys other than the batch's carry no database constraint: rows enter by the million
    through COPY, from keys that were read in the same transaction.
    """

    batch = models.ForeignKey(LedgerBatch, models.PROTECT)
    organisation = models.ForeignKey(Organisation, models.DO_NOTHING, db_constraint=False, db_index=False)
    site = models.ForeignKey(Site, models.DO_NOTHING, db_constraint=False, db_index=False)
    window_start_at = models.DateTimeField()
    account = models.PositiveSmallIntegerField()
    component = models.PositiveSmallIntegerField()
    # The shared pool of an overhead, by id; empty for what belongs to a device, a job or a whole site.
    pool_id = models.BigIntegerField(null=True)
    team = models.ForeignKey(Team, models.DO_NOTHING, db_constraint=False, db_index=False, null=True)
    project = models.ForeignKey(Project, models.DO_NOTHING, db_constraint=False, db_index=False, null=True)
    model = models.ForeignKey(AiModel, models.DO_NOTHING, db_constraint=False, db_index=False, null=True)
    job = models.ForeignKey(Job, models.DO_NOTHING, db_constraint=False, db_index=False, null=True)
    energy_quality = models.PositiveSmallIntegerField()
    carbon_quality = models.PositiveSmallIntegerField()
    cost_quality = models.PositiveSmallIntegerField()
    gpu_millis = models.BigIntegerField()
    energy_millij = models.BigIntegerField()
    # How far off the energy may be, either way; it is split and summed like the energy itself.
    energy_error_millij = models.BigIntegerField(db_default=0)
    carbon_microg = models.BigIntegerField()
    carbon_market_microg = models.BigIntegerField(db_default=0)
    embodied_microg = models.BigIntegerField(db_default=0)
    water_microl = models.BigIntegerField(db_default=0)
    capacity_microusd = models.BigIntegerField()
    electricity_microusd = models.BigIntegerField()
    api_microusd = models.BigIntegerField(db_default=0)
    list_microusd = models.BigIntegerField(db_default=0)

    class Meta:
        db_table = "posting"
        indexes = [
            models.Index(fields=["organisation", "window_start_at"], name="posting_window"),
            BrinIndex(fields=["job"], name="posting_job"),
        ]
