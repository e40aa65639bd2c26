"""Tokens: what model servers counted, who used them, what bought tokens cost, and who had which part of a window."""

from django.db import models
from django.db.models import F, Q

from aiobserve.store.models.fleet import Site
from aiobserve.store.models.organisation import AiModel, Organisation, Project, Team
from aiobserve.store.models.workloads import Job


class ServingCounter(models.Model):
    """One reading of a server process's counters, all since the process started."""

    job = models.ForeignKey(Job, models.CASCADE, db_index=False)
    replica = models.CharField(max_length=200)
    at = models.DateTimeField()
    process_started_at = models.DateTimeField(null=True, blank=True)
    prefill_tokens = models.FloatField()
    cached_tokens = models.FloatField()
    decode_tokens = models.FloatField()
    requests = models.FloatField()
    prefill_s = models.FloatField(null=True)
    decode_s = models.FloatField(null=True)
    finished_prompt_tokens = models.FloatField(null=True)
    finished_decode_tokens = models.FloatField(null=True)

    class Meta:
        db_table = "serving_counter"
        constraints = [models.UniqueConstraint(fields=["job", "replica", "at"], name="serving_counter_once")]


class TokenUsage(models.Model):
    """Tokens that an account used of a model, on a server of ours (`job`) or from a provider (the site, no job)."""

    organisation = models.ForeignKey(Organisation, models.CASCADE, db_index=False)
    key = models.CharField(max_length=300)
    site = models.ForeignKey(Site, models.CASCADE, db_index=False)
    job = models.ForeignKey(Job, models.CASCADE, null=True, blank=True)
    account = models.CharField(max_length=200)
    model = models.ForeignKey(AiModel, models.PROTECT, null=True, blank=True)
    start_at = models.DateTimeField()
    end_at = models.DateTimeField()
    requests = models.BigIntegerField()
    input_tokens = models.BigIntegerField()
    cached_read_tokens = models.BigIntegerField()
    cache_write_tokens = models.BigIntegerField()
    output_tokens = models.BigIntegerField()
    reasoning_tokens = models.BigIntegerField()

    class Meta:
        db_table = "token_usage"
        constraints = [
            models.UniqueConstraint(fields=["organisation", "key"], name="token_usage_once"),
            models.CheckConstraint(condition=Q(end_at__gte=F("start_at")), name="token_usage_span"),
        ]
        indexes = [models.Index(fields=["site", "start_at"], name="token_usage_site")]


class TokenPrice(models.Model):
    """Dated price of a million tokens of a kind (`domain.tokens.TokenKind`) of a model at a provider, which is a site."""

    site = models.ForeignKey(Site, models.CASCADE)
    model = models.ForeignKey(AiModel, models.PROTECT)
    kind = models.PositiveSmallIntegerField()
    usd_per_million = models.FloatField()
    list_usd_per_million = models.FloatField()
    valid_from_at = models.DateTimeField()
    valid_to_at = models.DateTimeField(null=True, blank=True)
    quality = models.PositiveSmallIntegerField()
    source = models.CharField(max_length=300)

    class Meta:
        db_table = "token_price"
        constraints = [
            models.UniqueConstraint(fields=["site", "model", "kind", "valid_from_at"], name="token_price_once")
        ]


class TokenShare(models.Model):
    """How a posting divides over kinds of token: tokens, and parts in proportion. Holds no amounts: the ledger does.

    Belongs to the postings of the same site, window, job, team, project and model as they stand, and is replaced
    whenever its site-day is attributed. Keys carry no database constraint, as with postings.
    """

    organisation = models.ForeignKey(Organisation, models.CASCADE, db_index=False)
    site = models.ForeignKey(Site, models.CASCADE, db_index=False)
    day = models.DateField()
    window_start_at = models.DateTimeField()
    job = models.ForeignKey(Job, models.DO_NOTHING, db_constraint=False, null=True, db_index=False)
    team = models.ForeignKey(Team, models.DO_NOTHING, db_constraint=False, null=True, db_index=False)
    project = models.ForeignKey(Project, models.DO_NOTHING, db_constraint=False, null=True, db_index=False)
    model = models.ForeignKey(AiModel, models.DO_NOTHING, db_constraint=False, null=True, db_index=False)
    input_tokens = models.BigIntegerField()
    cached_read_tokens = models.BigIntegerField()
    cache_write_tokens = models.BigIntegerField()
    output_tokens = models.BigIntegerField()
    reasoning_tokens = models.BigIntegerField()
    input_parts = models.BigIntegerField()
    cached_parts = models.BigIntegerField()
    output_parts = models.BigIntegerField()
    idle_parts = models.BigIntegerField()

    class Meta:
        db_table = "token_share"
        indexes = [
            models.Index(fields=["site", "day"], name="token_share_day"),
            models.Index(fields=["organisation", "window_start_at"], name="token_share_window"),
        ]


class TokenShareSeal(models.Model):
    """What the shares of a site-day were when they were written: how many, and a checksum. A day without any has none."""

    site = models.ForeignKey(Site, models.CASCADE, db_index=False)
    day = models.DateField()
    shares = models.BigIntegerField()
    checksum = models.DecimalField(max_digits=40, decimal_places=0)

    class Meta:
        db_table = "token_share_seal"
        constraints = [models.UniqueConstraint(fields=["site", "day"], name="token_share_seal_once")]


class ServingWeight(models.Model):
    """The work of a token that a site-day of a server was split by, and where that came from."""

    site = models.ForeignKey(Site, models.CASCADE, db_index=False)
    day = models.DateField()
    job = models.ForeignKey(Job, models.CASCADE)
    prefill_s = models.FloatField()
    cached_s = models.FloatField()
    decode_s = models.FloatField()
    quality = models.PositiveSmallIntegerField()
    source = models.CharField(max_length=400)

    class Meta:
        db_table = "serving_weight"
        constraints = [models.UniqueConstraint(fields=["site", "day", "job"], name="serving_weight_once")]
