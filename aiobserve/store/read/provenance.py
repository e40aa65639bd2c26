"""Reads where the inputs of a figure came from: devices, samples, prices, signals, and the batches that brought them."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db import connection

from aiobserve.domain.window import Span


@dataclass(frozen=True)
class DeviceUse:
    """A device, and how often and between which instants it was held by the jobs of a figure."""

    device_id: int
    uid: str
    sku: str
    node: str
    site: str
    intervals: int
    first_at: datetime | None
    last_at: datetime | None


@dataclass(frozen=True)
class SampleCount:
    """What is stored of some devices over a span: samples, first and last instant."""

    samples: int
    first_at: datetime | None
    last_at: datetime | None


@dataclass(frozen=True)
class SourceBatch:
    """An ingest batch that brought rows of a table for a span."""

    pk: int
    source: str
    batch_id: str
    frame: str
    rows: int
    recorded_at: datetime


@dataclass(frozen=True)
class RateRow:
    """A price per GPU-hour with its validity and source."""

    pk: int
    sku: str
    site: str
    usd_per_gpu_hour: float
    list_usd_per_gpu_hour: float | None
    includes_electricity: bool
    valid_from_at: datetime
    valid_to_at: datetime | None
    quality: int
    source: str


@dataclass(frozen=True)
class SeriesRow:
    """A signal over a span: its source, the steps that count, their range, and the batches of their latest revisions."""

    kind: str
    scope: str
    source: str
    steps: int
    least: float
    mean: float
    most: float
    worst_quality: int
    revised: int
    batches: Sequence[int]


def devices_of(
    site_names: Sequence[str], organisation_id: int, span: Span, job_ids: Sequence[int] | None
) -> list[DeviceUse]:
    """Return the devices that jobs held in a span, or every device of the sites when no jobs are given."""
    with connection.cursor() as cursor:
        cursor.execute(
            """SELECT device.id, device.uid, device.sku, node.name, site.name, count(held.id), min(held.start_at), max(held.end_at)
               FROM device JOIN node ON node.id = device.node_id JOIN site ON site.id = node.site_id
               LEFT JOIN job_interval AS held ON held.device_id = device.id AND held.start_at < %(end)s
                    AND (held.end_at IS NULL OR held.end_at > %(start)s) AND held.job_id = ANY(%(jobs)s)
               WHERE site.organisation_id = %(organisation)s AND site.name = ANY(%(sites)s)
                    AND device.valid_from_at < %(end)s AND (device.valid_to_at IS NULL OR device.valid_to_at > %(start)s)
               GROUP BY device.id, node.name, site.name HAVING count(held.id) > 0 OR %(all)s ORDER BY device.id""",
            {
                "start": span.start_at, "end": span.end_at, "jobs": list(job_ids or ()), "organisation": organisation_id,
                "sites": list(site_names), "all": job_ids is None,
            },
        )  # fmt: skip
        return [DeviceUse(*row) for row in cursor.fetchall()]


def samples_of(device_ids: Sequence[int], span: Span) -> SampleCount:
    """Return how many samples are stored of devices in the chunks and hot rows that touch a span."""
    with connection.cursor() as cursor:
        cursor.execute(
            """SELECT coalesce(sum(samples), 0)::bigint, min(first_at), max(last_at) FROM (
                 SELECT samples, start_at AS first_at, end_at AS last_at FROM telemetry_chunk
                 WHERE device_id = ANY(%(ids)s) AND start_at < %(end)s AND end_at >= %(start)s
                 UNION ALL SELECT count(*), min(at), max(at) FROM telemetry_sample
                 WHERE device_id = ANY(%(ids)s) AND at >= %(start)s AND at < %(end)s) AS stored""",
            {"ids": list(device_ids), "start": span.start_at, "end": span.end_at},
        )
        count, first_at, last_at = cursor.fetchone() or (0, None, None)
    return SampleCount(int(count), first_at, last_at)


def batches_of(organisation_id: int, frames: Sequence[str], span: Span) -> list[SourceBatch]:
    """Return the ingest batches that brought rows of some tables within a span, in order of arrival."""
    with connection.cursor() as cursor:
        cursor.execute(
            """SELECT batch.id, batch.source, batch.batch_id, content.frame, content.rows, batch.recorded_at
               FROM ingest_content AS content JOIN ingest_batch AS batch ON batch.id = content.batch_id
               WHERE batch.organisation_id = %s AND content.frame = ANY(%s) AND content.rows > 0
                    AND (content.first_at IS NULL OR content.first_at < %s) AND (content.last_at IS NULL OR content.last_at >= %s)
               ORDER BY batch.id, content.frame""",
            [organisation_id, list(frames), span.end_at, span.start_at],
        )
        return [SourceBatch(*row) for row in cursor.fetchall()]


def rates_of(organisation_id: int, site_names: Sequence[str], skus: Sequence[str], span: Span) -> list[RateRow]:
    """Return the prices that hold for kinds of GPU at sites in any part of a span."""
    with connection.cursor() as cursor:
        cursor.execute(
            """SELECT rate.id, rate.sku, coalesce(site.name, ''), usd_per_gpu_hour, list_usd_per_gpu_hour, includes_electricity,
                      rate.valid_from_at, rate.valid_to_at, rate.quality, rate.source
               FROM gpu_rate AS rate LEFT JOIN site ON site.id = rate.site_id
               WHERE rate.organisation_id = %s AND rate.sku = ANY(%s) AND (site.name IS NULL OR site.name = ANY(%s))
                    AND rate.valid_from_at < %s AND (rate.valid_to_at IS NULL OR rate.valid_to_at > %s)
               ORDER BY rate.sku, rate.valid_from_at, rate.id""",
            [organisation_id, list(skus), list(site_names), span.end_at, span.start_at],
        )
        return [RateRow(*row) for row in cursor.fetchall()]


def series_of(organisation_id: int, site_names: Sequence[str], kinds: Sequence[str], span: Span) -> list[SeriesRow]:
    """Return the signals of the sites and their grid zones over a span: of each series the latest revision of each step."""
    with connection.cursor() as cursor:
        cursor.execute(
            """SELECT kind, scope, source, count(*), min(value), avg(value), max(value), max(quality), sum(revisions - 1)::int,
                      array_agg(DISTINCT batch_id)
               FROM (SELECT DISTINCT ON (series.id, start_at) series.id, kind, scope, source, value, quality, batch_id,
                            count(*) OVER (PARTITION BY series.id, start_at) AS revisions
                     FROM signal_value JOIN signal_series AS series ON series.id = signal_value.series_id
                     WHERE series.organisation_id = %(organisation)s AND kind = ANY(%(kinds)s) AND issued_at IS NULL
                          AND start_at < %(end)s AND end_at > %(start)s AND scope IN (
                            SELECT unnest(ARRAY[name, grid_zone]) FROM site
                            WHERE organisation_id = %(organisation)s AND name = ANY(%(sites)s))
                     ORDER BY series.id, start_at, batch_id DESC) AS step
               GROUP BY id, kind, scope, source ORDER BY scope, kind, id""",
            {
                "organisation": organisation_id,
                "kinds": list(kinds),
                "sites": list(site_names),
                "start": span.start_at,
                "end": span.end_at,
            },
        )
        return [SeriesRow(*row) for row in cursor.fetchall()]
