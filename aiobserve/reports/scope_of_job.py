"""The days that a job ran on, for a report on all of it."""

from datetime import UTC, datetime, timedelta

from aiobserve.reports.scope import BadScope, organisation_of, present
from aiobserve.store.read.jobs import job_facts


def days_of_job(organisation: str | None, key: str, *, clock_at: datetime) -> tuple[str, str]:
    """Return the first UTC day of a job and the one after its last, as ISO dates; a job that goes on ends at the present.

    Raises:
        BadScope: there is no such organisation or job.
    """
    chosen = organisation_of(organisation)
    job = None if "\0" in key else job_facts(chosen.pk, key)
    if job is None:
        raise BadScope(f"no job {key[:200]!r}; `aiobserve export csv --group-by job` lists the keys")
    start_at = job.started_at or job.submitted_at
    end_at = job.ended_at or max(present(chosen, clock_at), start_at)
    return start_at.astimezone(UTC).date().isoformat(), (end_at.astimezone(UTC).date() + timedelta(days=1)).isoformat()
