"""Writes changes of the organisation map's rules: rows are added and withdrawn, never edited; what they touch becomes due."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

import pandas as pd

from aiobserve.domain.reason import Reason
from aiobserve.store.models import Organisation, OrganisationRule, Project, Site, Team
from aiobserve.store.write.organisation import named_ids
from aiobserve.store.write.watermark import want_again


def lock_rules(organisation_id: int) -> None:
    """Hold the organisation's rules until the transaction ends, so that two changes cannot contradict each other."""
    Organisation.objects.select_for_update().get(pk=organisation_id)


def set_standing(organisation_id: int, *, withdraw: Sequence[int], restore: Sequence[int], at: datetime) -> None:
    """Withdraw rules and let withdrawn ones stand again."""
    rules = OrganisationRule.objects.filter(organisation_id=organisation_id)
    rules.filter(pk__in=withdraw).update(withdrawn_at=at)
    rules.filter(pk__in=restore).update(withdrawn_at=None)


def add_rule(organisation_id: int, *, team: str, project: str, **fields: Any) -> int:
    """Add a rule, making its team and project where there are none; returns its number."""
    teams = named_ids(Team, organisation_id, pd.Series([team]))
    projects = named_ids(Project, organisation_id, pd.Series([project]))
    made = OrganisationRule.objects.create(
        organisation_id=organisation_id, team_id=teams[team], project_id=projects[project], **fields
    )
    return int(made.pk)


def want_ruled_days(organisation_id: int, spans: Iterable[tuple[str, datetime, datetime | None]]) -> None:
    """Mark the days as due that rules touch.

    Args:
        spans: name of the site ("" for all), first and last instant (None: without end) of each rule that changed.
    """
    for site, first_at, last_at in spans:
        sites = Site.objects.filter(organisation_id=organisation_id)
        want_again(
            (sites.filter(name=site) if site else sites).values_list("pk", flat=True),
            first_at,
            last_at,
            reason=Reason.ORGANISATION,
        )
