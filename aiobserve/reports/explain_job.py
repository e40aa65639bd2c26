"""Says of a job what it is, when it ran and whose it is."""

from datetime import datetime

from aiobserve.inputs.bearers import bearers
from aiobserve.store.read.jobs import JobFacts
from aiobserve.store.read.names import names_of_teams


def job_lines(organisation_id: int, job: JobFacts) -> list[str]:
    """Return the lines of a job; whose it is comes from the map, so that a job that waits has a team too."""
    return [
        f"{job.name} ({job.key}), attempt {job.attempt}, {job.state}; {job.workload_type} on {job.model or 'no named model'}",
        f"account {job.account} -> {_bearer(organisation_id, job)}; {job.gpus} GPU at {job.site}",
        f"submitted {_at(job.submitted_at)}, started {_at(job.started_at)}, ended {_at(job.ended_at)}",
    ]


def _bearer(organisation_id: int, job: JobFacts) -> str:
    """Return the team and project by the dated map and the rules at the start, or at the submission of what waits."""
    bearing = bearers(organisation_id, [job.pk])
    key = job.account if bearing.key is None else str(bearing.key[job.pk])
    at_s = (job.started_at or job.submitted_at).timestamp()
    dated = bearing.dated
    held = dated[(dated["account"] == key) & (dated["valid_from_s"] <= at_s) & (dated["valid_to_s"] > at_s)]
    if held.empty:
        return "nobody: unattributed"
    team_id, project_id = int(held["team_id"].iloc[0]), int(held["project_id"].iloc[0])
    team = names_of_teams([team_id])[team_id]
    project = names_of_teams([project_id], of="project")[project_id]
    return f"team {team}, project {project}"


def _at(instant: datetime | None) -> str:
    return "not yet" if instant is None else f"{instant:%Y-%m-%d %H:%M}Z"
