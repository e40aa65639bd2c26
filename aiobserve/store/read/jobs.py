"""Reads one job."""

from dataclasses import dataclass
from datetime import datetime

from aiobserve.store.models import Job


@dataclass(frozen=True)
class JobFacts:
    """What is known of a job."""

    pk: int
    key: str
    name: str
    account: str
    site: str
    model: str
    workload_type: str
    state: str
    attempt: int
    gpus: int
    submitted_at: datetime
    started_at: datetime | None
    ended_at: datetime | None


def job_facts(organisation_id: int, key: str) -> JobFacts | None:
    """Return a job by its key; None when there is none."""
    row = Job.objects.filter(organisation_id=organisation_id, key=key).select_related("site", "model").first()
    if row is None:
        return None
    return JobFacts(
        row.pk, row.key, row.name, row.account, row.site.name, row.model.name if row.model else "", row.workload_type, row.state,
        row.attempt, row.gpus, row.submitted_at, row.started_at, row.ended_at,
    )  # fmt: skip
