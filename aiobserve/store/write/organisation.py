"""Writes organisations, teams, projects and the dated account map."""

from datetime import datetime
from typing import Any

import pandas as pd

from aiobserve.domain import identity
from aiobserve.domain.reason import Reason
from aiobserve.store.models import Organisation, Project, Site, Team
from aiobserve.store.write.copy import merge_frame
from aiobserve.store.write.watermark import want_again


def ensure_organisation(slug: str, *, name: str, simulated: bool = False, now_at: datetime | None = None) -> int:
    """Return the id of the organisation, making it when it is not there; a new `now_at` replaces the old.

    Raises:
        BadSlug: the slug could be taken for a path or a query.
    """
    organisation, made = Organisation.objects.get_or_create(
        slug=identity.slug(slug), defaults={"name": name, "simulated": simulated, "now_at": now_at}
    )
    if not made and now_at is not None and organisation.now_at != now_at:
        Organisation.objects.filter(pk=organisation.pk).update(now_at=now_at)
    return int(organisation.pk)


def write_accounts(organisation_id: int, accounts: pd.DataFrame) -> int:
    """Write teams, projects and the dated map of accounts to them; returns rows changed."""
    teams = named_ids(Team, organisation_id, accounts["team"])
    projects = named_ids(Project, organisation_id, accounts["project"])
    rows = accounts.assign(
        organisation_id=organisation_id,
        team_id=accounts["team"].map(teams),
        project_id=accounts["project"].map(projects),
    )
    columns = {
        "organisation_id": "int8",
        "account": "varchar",
        "team_id": "int8",
        "project_id": "int8",
        "valid_from_at": "timestamptz",
        "valid_to_at": "timestamptz",
    }
    changed = merge_frame(
        "account_mapping",
        columns,
        rows,
        key=("organisation_id", "account", "valid_from_at"),
        update=("team_id", "project_id", "valid_to_at"),
    )
    if changed:
        sites = Site.objects.filter(organisation_id=organisation_id).values_list("pk", flat=True)
        want_again(sites, accounts["valid_from_at"].min(), None, reason=Reason.ORGANISATION)
    return changed


def named_ids(model: Any, organisation_id: int, names: "pd.Series[str]") -> dict[str, int]:
    """Return the id of each name of a model (Team, Project, AiModel) in the organisation, making rows for new ones."""
    wanted = sorted(set(names.dropna()))
    model.objects.bulk_create(
        [model(organisation_id=organisation_id, name=name) for name in wanted], ignore_conflicts=True
    )
    found = model.objects.filter(organisation_id=organisation_id, name__in=wanted)
    return dict(found.values_list("name", "pk"))
