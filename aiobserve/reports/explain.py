"""Explains what a job cost: from the figure to postings, inputs, factors and formula."""

from dataclasses import dataclass

from aiobserve.domain.quality import Quality
from aiobserve.domain.units import (
    GPU_MILLIS_PER_GPU_HOUR,
    MICROG_PER_G,
    MICROUSD_PER_USD,
    MILLIJ_PER_KWH,
    MILLIJ_PER_MWH,
    usd,
)
from aiobserve.reports.amounts import Amounts
from aiobserve.store.read.jobs import JobFacts, PostingTrail, job_facts, posting_trail


class NoSuchJob(LookupError):
    """No job has the key that was asked about."""


@dataclass(frozen=True)
class Explanation:
    """A job, what it came to, where that stands in the ledger, and the sentences that say how."""

    job: JobFacts
    amounts: Amounts
    trail: PostingTrail
    lines: tuple[str, ...]


def explain_job(organisation_id: int, key: str) -> Explanation:
    """Return the explanation of one job.

    Raises:
        NoSuchJob: the message says how to find keys.
    """
    job = job_facts(organisation_id, key)
    if job is None:
        raise NoSuchJob(f"no job {key!r}; `aiobserve export csv --group-by job` lists the keys")
    trail = posting_trail(organisation_id, job.pk)
    amounts = Amounts(
        **trail.sums,
        energy_quality=trail.energy_quality,
        carbon_quality=trail.energy_quality,
        cost_quality=trail.energy_quality,
    )
    return Explanation(job, amounts, trail, tuple(_lines(job, amounts, trail)))


def _lines(job: JobFacts, amounts: Amounts, trail: PostingTrail) -> list[str]:
    lines = [
        f"{job.name} ({job.key}), attempt {job.attempt}, {job.state}; {job.workload_type} on {job.model or 'no named model'}",
        f"account {job.account} -> team {', '.join(trail.teams) or 'nobody: unattributed'}; {job.gpus} GPU at {job.site}",
        f"submitted {_at(job.submitted_at)}, started {_at(job.started_at)}, ended {_at(job.ended_at)}",
    ]
    if not trail.postings:
        return [*lines, "the ledger has no posting for it yet: it waits, or its days are not attributed"]
    return [*lines, *_amount_lines(amounts), *_trail_lines(amounts, trail)]


def _amount_lines(amounts: Amounts) -> list[str]:
    usd_per_hour = _ratio(amounts.capacity_microusd / MICROUSD_PER_USD, amounts.gpu_millis / GPU_MILLIS_PER_GPU_HOUR)
    usd_per_mwh = _ratio(amounts.electricity_microusd / MICROUSD_PER_USD, amounts.energy_millij / MILLIJ_PER_MWH)
    g_per_kwh = _ratio(amounts.carbon_microg / MICROG_PER_G, amounts.energy_millij / MILLIJ_PER_KWH)
    return [
        f"GPU time   {amounts.gpu_hours} GPU-hours = sum of shares held x time held",
        f"energy     {amounts.energy_kwh} kWh = its share of idle power + of what the GPUs drew above it, window by window",
        f"capacity   {usd(amounts.capacity_microusd)} USD = GPU-hours x {usd_per_hour:.4f} USD per GPU-hour (mean of the dated price)",
        f"electricity {usd(amounts.electricity_microusd)} USD = energy x {usd_per_mwh:.2f} USD/MWh "
        "(mean over its windows; 0 where the rent includes it)",
        f"cost       {amounts.cost_usd} USD = capacity + electricity",
        f"carbon     {amounts.carbon_kg} kgCO2e = energy x {g_per_kwh:.1f} g/kWh "
        "(location-based, hourly, mean over its windows); the facility's part is overhead",
    ]


def _trail_lines(amounts: Amounts, trail: PostingTrail) -> list[str]:
    shares = ", ".join(f"{quality.label} {amounts.quality_share(quality):.1%}" for quality in Quality)
    return [
        f"energy is {shares}",
        f"{trail.postings} postings in {trail.windows} windows from {_at(trail.first_at)}, ledger batches "
        f"{', '.join(map(str, trail.batches))}, method version {', '.join(map(str, trail.method_versions))}",
    ]


def _ratio(part: float, whole: float) -> float:
    return part / whole if whole else 0.0


def _at(instant: object) -> str:
    return "not yet" if instant is None else f"{instant:%Y-%m-%d %H:%M}Z"
