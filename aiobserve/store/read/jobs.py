"""Reads one job and where it stands in the ledger."""

from dataclasses import dataclass
from datetime import datetime

from django.db.models import Count, Min, Sum

from aiobserve.domain.account import MEASURES
from aiobserve.domain.quality import Quality
from aiobserve.store.models import Job
from aiobserve.store.read.standing import standing_postings


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


@dataclass(frozen=True)
class PostingTrail:
    """The standing postings of a job: how many, in which windows and batches, and what they sum to."""

    postings: int
    windows: int
    first_at: datetime | None
    teams: tuple[str, ...]
    batches: tuple[int, ...]
    method_versions: tuple[int, ...]
    sums: dict[str, int]
    energy_quality: tuple[int, int, int]


def job_facts(organisation_id: int, key: str) -> JobFacts | None:
    """Return a job by its key; None when there is none."""
    row = Job.objects.filter(organisation_id=organisation_id, key=key).select_related("site", "model").first()
    if row is None:
        return None
    return JobFacts(
        row.pk, row.key, row.name, row.account, row.site.name, row.model.name if row.model else "", row.workload_type, row.state,
        row.attempt, row.gpus, row.submitted_at, row.started_at, row.ended_at,
    )  # fmt: skip


def posting_trail(organisation_id: int, job_id: int) -> PostingTrail:
    """Return where a job stands in the ledger; batches that were reversed, and their reversals, are left out."""
    standing = standing_postings(organisation_id).filter(job_id=job_id)
    head = standing.aggregate(
        postings=Count("pk"),
        windows=Count("window_start_at", distinct=True),
        first_at=Min("window_start_at"),
        **{f"sum_{name}": Sum(name) for name in MEASURES},
    )
    by_quality = dict(standing.values_list("energy_quality").annotate(Sum("energy_millij")))
    return PostingTrail(
        postings=head["postings"],
        windows=head["windows"],
        first_at=head["first_at"],
        teams=tuple(
            name for name in standing.order_by("team__name").values_list("team__name", flat=True).distinct() if name
        ),
        batches=tuple(standing.order_by("batch_id").values_list("batch_id", flat=True).distinct()),
        method_versions=tuple(
            standing.order_by("batch__method_version").values_list("batch__method_version", flat=True).distinct()
        ),
        sums={name: int(head[f"sum_{name}"] or 0) for name in MEASURES},
        energy_quality=(
            int(by_quality.get(int(Quality.MEASURED), 0)),
            int(by_quality.get(int(Quality.ESTIMATED), 0)),
            int(by_quality.get(int(Quality.ASSUMED), 0)),
        ),
    )
