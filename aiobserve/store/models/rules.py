"""Rules of the organisation map, and the labels that rules and shared pools go by."""

from django.db import models
from django.db.models import F, Q

from aiobserve.store.models.organisation import Organisation, Project, Team


class OrganisationRule(models.Model):
    """Jobs that look like this belong to this team and project, for a span of time; before the map of accounts.

    A condition that is empty matches every job. A rule is never edited: a changed one is a new row that replaces it, and
    the old row is withdrawn, so that every change can be seen and undone.
    """

    organisation = models.ForeignKey(Organisation, models.CASCADE)
    # Of several rules that match a job the one with the highest priority counts.
    priority = models.IntegerField()
    account = models.CharField(max_length=200, blank=True, default="")
    user = models.CharField(max_length=200, blank=True, default="")
    site = models.CharField(max_length=100, blank=True, default="")
    model = models.CharField(max_length=200, blank=True, default="")
    # With * for any text and ? for any character.
    job_name = models.CharField(max_length=300, blank=True, default="")
    label = models.CharField(max_length=200, blank=True, default="")
    team = models.ForeignKey(Team, models.PROTECT)
    project = models.ForeignKey(Project, models.PROTECT)
    valid_from_at = models.DateTimeField()
    valid_to_at = models.DateTimeField(null=True, blank=True)
    reason = models.CharField(max_length=500, blank=True, default="")
    replaces = models.ForeignKey("self", models.PROTECT, null=True, blank=True, related_name="replaced_by")
    made_at = models.DateTimeField(auto_now_add=True)
    withdrawn_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        db_table = "organisation_rule"
        constraints = [
            models.CheckConstraint(
                condition=Q(valid_to_at__isnull=True) | Q(valid_to_at__gt=F("valid_from_at")),
                name="organisation_rule_span",
            ),
            models.CheckConstraint(
                condition=~Q(account="", user="", site="", model="", job_name="", label=""),
                name="organisation_rule_condition",
            ),
        ]
        indexes = [
            models.Index(
                fields=["organisation", "priority"],
                condition=Q(withdrawn_at__isnull=True),
                name="organisation_rule_standing",
            )
        ]


class Label(models.Model):
    """A word that a team, project, model or job carries, by its name (a job by its key)."""

    organisation = models.ForeignKey(Organisation, models.CASCADE)
    kind = models.CharField(max_length=20)
    name = models.CharField(max_length=300)
    label = models.CharField(max_length=200)

    class Meta:
        db_table = "label"
        constraints = [models.UniqueConstraint(fields=["organisation", "kind", "name", "label"], name="label_once")]
