"""Who pays: organisations, their teams and projects, and the dated map from accounts to them."""

from django.db import models
from django.db.models import F, Q


class Organisation(models.Model):
    """A company. A simulated one is marked as such and lives at a fixed instant."""

    slug = models.SlugField(max_length=63, unique=True)
    name = models.CharField(max_length=200)
    simulated = models.BooleanField(default=False)
    # The present of a simulated company; empty for a real one, whose present is the clock's.
    now_at = models.DateTimeField(null=True, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        db_table = "organisation"


class Team(models.Model):
    """A team of an organisation: the unit that is billed."""

    organisation = models.ForeignKey(Organisation, models.CASCADE)
    name = models.CharField(max_length=200)

    class Meta:
        db_table = "team"
        constraints = [models.UniqueConstraint(fields=["organisation", "name"], name="team_once")]


class Project(models.Model):
    """A piece of work of an organisation; which team owns it is in the account map, because that changes."""

    organisation = models.ForeignKey(Organisation, models.CASCADE)
    name = models.CharField(max_length=200)

    class Meta:
        db_table = "project"
        constraints = [models.UniqueConstraint(fields=["organisation", "name"], name="project_once")]


class AiModel(models.Model):
    """An AI model that is trained or served."""

    organisation = models.ForeignKey(Organisation, models.CASCADE)
    name = models.CharField(max_length=200)

    class Meta:
        db_table = "ai_model"
        constraints = [models.UniqueConstraint(fields=["organisation", "name"], name="ai_model_once")]


class AccountMapping(models.Model):
    """An account (Slurm account, namespace, API team) belongs to a team and project, for a span of time."""

    organisation = models.ForeignKey(Organisation, models.CASCADE)
    account = models.CharField(max_length=200)
    team = models.ForeignKey(Team, models.PROTECT)
    project = models.ForeignKey(Project, models.PROTECT)
    valid_from_at = models.DateTimeField()
    valid_to_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        db_table = "account_mapping"
        constraints = [
            models.UniqueConstraint(fields=["organisation", "account", "valid_from_at"], name="account_mapping_once"),
            models.CheckConstraint(
                condition=Q(valid_to_at__isnull=True) | Q(valid_to_at__gt=F("valid_from_at")),
                name="account_mapping_span",
            ),
        ]
