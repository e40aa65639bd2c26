"""Reads the names behind ids, and which names an organisation knows."""

from collections.abc import Sequence

import pandas as pd

from aiobserve.store.models import AiModel, Job, Project, Site, Team


def names_of_teams(ids: Sequence[int], *, of: str = "team") -> dict[int, str]:
    """Return the names of teams, or of projects or models, by id."""
    if of == "model":
        return dict(AiModel.objects.filter(pk__in=ids).values_list("pk", "name"))
    rows = Project.objects.filter(pk__in=ids) if of == "project" else Team.objects.filter(pk__in=ids)
    return dict(rows.values_list("pk", "name"))


def names_of_jobs(ids: Sequence[int]) -> pd.DataFrame:
    """Return what names a job by: index id; job (its key), job_name, workload_type, model ("" for none)."""
    rows = Job.objects.filter(pk__in=ids).values_list("pk", "key", "name", "workload_type", "model__name")
    frame = pd.DataFrame(list(rows), columns=["pk", "job", "job_name", "workload_type", "model"]).set_index("pk")
    return frame.fillna("")


def names(organisation_id: int, dimension: str) -> list[str]:
    """Return the sorted names that an organisation knows of a dimension: team, project, model, site, job, job_name, workload_type."""
    of = {"team": Team, "project": Project, "model": AiModel, "site": Site}.get(dimension, Job)
    column = {"job": "key", "workload_type": "workload_type"}.get(dimension, "name")
    found = of._default_manager.filter(organisation_id=organisation_id)  # noqa: SLF001 - the public name is untyped here
    return sorted(set(found.values_list(column, flat=True)))
