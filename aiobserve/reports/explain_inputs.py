"""What a figure was worked out from: devices, samples and the batches that brought them; prices, factors and their sources."""

from datetime import datetime

from aiobserve.domain.quality import Quality
from aiobserve.domain.window import Span
from aiobserve.reports.scope import Scope
from aiobserve.store.read import fleet, terms
from aiobserve.store.read.provenance import DeviceUse, batches_of, devices_of, rates_of, samples_of, series_of
from aiobserve.store.read.trail import Trail

SIGNALS = (
    "electricity_usd_per_mwh", "carbon_lifecycle_g_per_kwh", "carbon_direct_g_per_kwh", "carbon_residual_g_per_kwh",
    "pue_ratio", "water_l_per_kwh",
)  # fmt: skip
BROUGHT = ("telemetry", "intervals", "activity")


def input_lines(scope: Scope, found: Trail, *, first: int) -> list[str]:
    """Return devices, samples and source batches of the postings' jobs, or of the whole sites where no job bears them."""
    devices = _devices(scope, found)
    whose = f"held by {len(found.job_ids):,} jobs" if found.job_ids else f"of {', '.join(found.sites)}"
    lines = [f"{len(devices):,} devices {whose}, {sum(one.intervals for one in devices):,} intervals"]
    lines += [_device_line(one) for one in devices[:first]]
    if len(devices) > first:
        lines.append(f"... {len(devices) - first} devices more")
    span = _span(scope, devices)
    stored = samples_of([one.device_id for one in devices], span)
    if stored.samples:
        lines.append(
            f"{stored.samples:,} samples are stored of these devices in the pieces that touch {_at(span.start_at)} to "
            f"{_at(span.end_at)}; the first {_at(stored.first_at)}, the last {_at(stored.last_at)}"
        )
    else:
        lines.append("no sample is stored of these devices then: their energy was modelled and is estimated")
    batches = batches_of(scope.organisation.pk, BROUGHT, span)
    lines.append(f"brought by {len(batches):,} ingest batches")
    lines += [
        f"batch {one.pk}: {one.source}, {one.batch_id}: {one.rows:,} rows of {one.frame}, recorded {_at(one.recorded_at)}"
        for one in batches[:first]
    ]
    return [*lines, *([f"... {len(batches) - first} batches more"] if len(batches) > first else [])]


def price_lines(scope: Scope, found: Trail) -> list[str]:
    """Return the prices, signals, contracts and factors that hold, with validity, source and batch."""
    organisation_id = scope.organisation.pk
    devices = _devices(scope, found)
    skus = sorted({one.sku for one in devices})
    span = _span(scope, devices)
    lines = [
        f"price {one.pk}: {one.sku}{f' at {one.site}' if one.site else ''} {one.usd_per_gpu_hour:.6g} USD/GPU-h"
        f"{'' if one.list_usd_per_gpu_hour is None else f' (list {one.list_usd_per_gpu_hour:.6g})'}, "
        f"{'electricity included' if one.includes_electricity else 'without electricity'}, valid {_at(one.valid_from_at)} to "
        f"{_at(one.valid_to_at)}, {Quality(one.quality).label}, source {one.source}"
        for one in rates_of(organisation_id, found.sites, skus, span)
    ]
    for one in series_of(organisation_id, found.sites, SIGNALS, span):
        lines.append(
            f"{one.kind} of {one.scope}: {one.steps:,} steps, {one.least:.6g} to {one.most:.6g}, mean {one.mean:.6g}, at worst "
            f"{Quality(one.worst_quality).label}, {one.revised} revised, source {one.source}, batch {', '.join(map(str, one.batches))}"
        )
    embodied = terms.embodied(organisation_id)
    lines += [f"embodied: {sku} {embodied[sku]:.6g} gCO2e a GPU-hour of life" for sku in skus if sku in embodied]
    for site in fleet.sites(organisation_id):
        if site.name in found.sites:
            lines += [
                f"contract {row.name} at {site.name}: {row.kind}, {row.g_per_kwh:.6g} g/kWh, source {row.source}"
                for row in terms.energy_contracts(site.pk, span)
            ]
            lines += [
                f"pool {row.pk} {row.name} at {site.name}: {row.power_w:.6g} W, {row.usd_per_hour:.6g} USD/h, shared by {row.shared_by}"
                for row in terms.pools(site.pk, span)
            ]
    return lines or ["no price or factor is known for this span"]


def _devices(scope: Scope, found: Trail) -> list[DeviceUse]:
    jobs = found.job_ids or None
    return devices_of(found.sites, scope.organisation.pk, scope.span, jobs)


def _span(scope: Scope, devices: list[DeviceUse]) -> Span:
    """Return the part of the scope in which the devices were held."""
    starts = [one.first_at for one in devices if one.first_at is not None]
    ends = [one.last_at for one in devices]
    start_at = max(scope.span.start_at, min(starts)) if starts else scope.span.start_at
    known = [at for at in ends if at is not None]
    end_at = min(scope.span.end_at, max(known)) if known and len(known) == len(ends) else scope.span.end_at
    return Span(start_at, max(start_at, end_at))


def _device_line(one: DeviceUse) -> str:
    held = f": {one.intervals} intervals from {_at(one.first_at)} to {_at(one.last_at)}" if one.intervals else ""
    return f"{one.sku} {one.uid} in {one.node} at {one.site}{held}"


def _at(instant: datetime | None) -> str:
    return "further on" if instant is None else f"{instant:%Y-%m-%d %H:%M}Z"
