"""The double-entry ledger: postings that are never edited, in batches that are reversed, never removed."""

from django.contrib.postgres.indexes import BrinIndex
from django.db import models
from django.db.models import Q

from aiobserve.store.models.fleet import Site
from aiobserve.store.models.organisation import AiModel, Organisation, Project, Team
from aiobserve.store.models.periods import LedgerPeriod
from aiobserve.store.models.workloads import Job


class LedgerBatch(models.Model):
    """Postings of one site and UTC day that were made in one go: first ones, a reversal, or what replaces it.

    A batch is inserted with its seal after its postings and never changed; a trigger refuses it.
    """

    class Kind(models.IntegerChoices):
        """What a batch does to the windows that it names."""

        FIRST = 1
        REVERSAL = 2
        RESTATEMENT = 3

    organisation = models.ForeignKey(Organisation, models.PROTECT)
    site = models.ForeignKey(Site, models.PROTECT)
    day = models.DateField()
    sequence = models.PositiveIntegerField()
    kind = models.PositiveSmallIntegerField(choices=Kind.choices)
    # The reversal that a restatement follows; empty when nothing stood.
    restates = models.OneToOneField("self", models.PROTECT, null=True, blank=True, related_name="restated_by")
    # The closed period that it corrects; its postings stand in the open one.
    corrects_period = models.ForeignKey(LedgerPeriod, models.PROTECT, null=True, blank=True)
    # Why windows were worked out again, in words; empty on first postings.
    reason = models.TextField(blank=True, default="")
    method_version = models.PositiveSmallIntegerField()
    postings = models.PositiveIntegerField()
    # Order-independent checksum of the postings, so that an alteration is found even when it balances.
    checksum = models.DecimalField(max_digits=40, decimal_places=0)
    posted_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        db_table = "ledger_batch"
        constraints = [models.UniqueConstraint(fields=["site", "day", "sequence"], name="ledger_batch_once")]


class LedgerWindow(models.Model):
    """What was posted for one window of a site by one batch; it stands until another batch reverses it.

    Nothing but `reversed_by` changes, once; a trigger refuses the rest.
    """

    site = models.ForeignKey(Site, models.PROTECT, db_index=False)
    # The window in which the amounts were incurred.
    window_start_at = models.DateTimeField()
    batch = models.ForeignKey(LedgerBatch, models.PROTECT, related_name="windows")
    reversed_by = models.ForeignKey(LedgerBatch, models.PROTECT, null=True, blank=True, related_name="undone_windows")
    # The window whose sums the postings enter: the same one, or a later one when the period was closed.
    booked_at = models.DateTimeField()
    # Sum of the 64-bit hashes of its postings; the same again means that nothing has to be posted.
    digest = models.BigIntegerField(null=True)
    # Whether a price or an intensity was assumed for want of a signal; a late signal re-opens it.
    assumed = models.BooleanField()

    class Meta:
        db_table = "ledger_window"
        indexes = [models.Index(fields=["site", "window_start_at"], name="ledger_window_site")]
        constraints = [
            models.UniqueConstraint(
                fields=["site", "window_start_at"], condition=Q(reversed_by__isnull=True), name="ledger_window_once"
            )
        ]


class Posting(models.Model):
    """One side of an entry: amounts of every measure for one window and account.

    Charged accounts are positive and the metered account is negative, so that each window sums to zero on
    each measure. Foreign keys carry no database constraint: rows enter by the million through COPY, from keys that
    were read in the same transaction, and checking each would take half of the time. Neither a posting nor
    a batch can be removed: a trigger refuses UPDATE, DELETE and TRUNCATE, and the check of the ledger looks for
    postings without a batch.
    """

    batch = models.ForeignKey(LedgerBatch, models.PROTECT, db_constraint=False, db_index=False)
    organisation = models.ForeignKey(Organisation, models.DO_NOTHING, db_constraint=False, db_index=False)
    site = models.ForeignKey(Site, models.DO_NOTHING, db_constraint=False, db_index=False)
    window_start_at = models.DateTimeField()
    # The window in which a correction of a closed period was incurred; empty for everything else.
    corrects_window_start_at = models.DateTimeField(null=True)
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
            models.Index(fields=["batch", "window_start_at"], name="posting_batch"),
            BrinIndex(fields=["job"], name="posting_job"),
        ]
