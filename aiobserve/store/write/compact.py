"""Moves telemetry from where it is quick to write to where it is small to keep: hot rows, hour chunks, day chunks.

Every step is one transaction, so a sample is in one place and never in both or in none; a process that is killed
leaves the step to the next tick. Only one process compacts at a time. Writers are never in the way: a sample that
comes late for a compacted hour is a loose chunk of its own until its day is merged.
"""

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from typing import Any

import numpy as np
from django.db import OperationalError, connection, transaction
from psycopg import errors, sql

from aiobserve.store.codec.chunk import READINGS, unpack_chunks
from aiobserve.store.hot import hot_samples
from aiobserve.store.write.chunks import HOUR_US, write_packed
from aiobserve.store.write.telemetry import HOUR

# Any constant of ours: whoever holds it compacts.
TURN = 7_402_001
# A partition that somebody writes to for longer than this is left to the next tick.
LOCK_TIMEOUT = "2s"
# An empty partition stays this long, for writers that decided on it before its hour was compacted.
KEPT_EMPTY = timedelta(days=1)
# Device-days that are merged in one transaction.
MERGED_AT_ONCE = 200


def compact_hours(before_at: datetime) -> int:
    """Pack the hot samples of UTC hours that ended by `before_at`, an hour a transaction; returns samples moved."""
    return sum(_pack_hour(name) for name, start_at, filled in _partitions() if filled and start_at + HOUR <= before_at)


def drop_emptied(before_at: datetime) -> int:
    """Drop the partitions of hours that ended a day before `before_at` and hold nothing; returns how many."""
    old = [name for name, start_at, filled in _partitions() if not filled and start_at + HOUR + KEPT_EMPTY <= before_at]
    dropped = 0
    for name in old:
        try:
            with transaction.atomic(), connection.cursor() as cursor:
                cursor.execute(sql.SQL("SET LOCAL lock_timeout = {}").format(sql.Literal(LOCK_TIMEOUT)))
                cursor.execute(sql.SQL("LOCK TABLE {} IN ACCESS EXCLUSIVE MODE").format(sql.Identifier(name)))
                cursor.execute(sql.SQL("SELECT NOT EXISTS (SELECT FROM {})").format(sql.Identifier(name)))
                if (cursor.fetchone() or (False,))[0]:
                    cursor.execute(sql.SQL("DROP TABLE {}").format(sql.Identifier(name)))
                    dropped += 1
        except OperationalError as error:
            _only_busy(error)
    return dropped


def merge_days(before_at: datetime, *, most: int = 2000) -> int:
    """Merge the chunks of each device and UTC day that ended by `before_at`; returns device-days merged.

    Args:
        most: device-days to merge at the most; the rest are found again.
    """
    last_day = before_at.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    merged = 0
    while merged < most:
        with transaction.atomic():
            if not _our_turn():
                return merged
            found = _loose_days(last_day, min(MERGED_AT_ONCE, most - merged))
            if not found:
                return merged
            _merge(found)
        merged += len(found)
    return merged


def _pack_hour(name: str) -> int:
    try:
        with transaction.atomic(), connection.cursor() as cursor:
            if not _our_turn():
                return 0
            cursor.execute(sql.SQL("SET LOCAL lock_timeout = {}").format(sql.Literal(LOCK_TIMEOUT)))
            # Waits for those who write to this hour, and keeps others from it; the hours beside it are free.
            cursor.execute(sql.SQL("LOCK TABLE {} IN ACCESS EXCLUSIVE MODE").format(sql.Identifier(name)))
            found = hot_samples(name, READINGS)
            device_id = np.repeat(found.device_ids, found.counts)
            write_packed(device_id, found.at_us, found.readings, every_us=HOUR_US, loose=True)
            cursor.execute(sql.SQL("TRUNCATE {}").format(sql.Identifier(name)))
            return len(found.at_us)
    except OperationalError as error:
        _only_busy(error)
        return 0


def _loose_days(before_at: datetime, most: int) -> list[tuple[int, date]]:
    with connection.cursor() as cursor:
        cursor.execute(
            """SELECT DISTINCT device_id, (start_at AT TIME ZONE 'UTC')::date AS day FROM telemetry_chunk
               WHERE loose AND start_at < %s ORDER BY day, device_id LIMIT %s""",
            [before_at, most],
        )
        return [(int(device_id), day) for device_id, day in cursor.fetchall()]


def _merge(found: list[tuple[int, date]]) -> None:
    """Replace the chunks of device-days by one each; a chunk that is alone stays and is marked as whole."""
    chosen = """FROM unnest(%s::bigint[], %s::date[]) AS wanted (device_id, day)
                WHERE chunk.device_id = wanted.device_id AND chunk.start_at >= wanted.day::timestamp AT TIME ZONE 'UTC'
                AND chunk.start_at < (wanted.day + 1)::timestamp AT TIME ZONE 'UTC'"""
    days: list[Any] = [[device_id for device_id, _ in found], [day for _, day in found]]
    with connection.cursor() as cursor:
        cursor.execute(
            f"""UPDATE telemetry_chunk AS chunk SET loose = false {chosen} AND chunk.format_version > 1 AND NOT EXISTS (
                    SELECT FROM telemetry_chunk AS other
                    WHERE other.device_id = chunk.device_id AND other.id <> chunk.id
                    AND other.start_at >= wanted.day::timestamp AT TIME ZONE 'UTC'
                    AND other.start_at < (wanted.day + 1)::timestamp AT TIME ZONE 'UTC')""",  # noqa: S608 - our own text
            days,
        )
        cursor.execute(
            f"""WITH gone AS (
                    DELETE FROM telemetry_chunk AS chunk USING {chosen[4:]}
                    AND (chunk.format_version = 1 OR EXISTS (
                        SELECT FROM telemetry_chunk AS other
                        WHERE other.device_id = chunk.device_id AND other.id <> chunk.id
                        AND other.start_at >= wanted.day::timestamp AT TIME ZONE 'UTC'
                        AND other.start_at < (wanted.day + 1)::timestamp AT TIME ZONE 'UTC'))
                    RETURNING chunk.id, chunk.device_id, chunk.payload, chunk.counter_bytes)
                SELECT id, device_id, substring(payload FROM 1 FOR coalesce(counter_bytes, length(payload))),
                       CASE WHEN counter_bytes IS NULL THEN '' ELSE substring(payload FROM counter_bytes + 1) END
                FROM gone ORDER BY id""",  # noqa: S608 - our own text
            days,
        )
        rows = cursor.fetchall()
    if not rows:
        return
    ids, devices, payloads, details = zip(*rows, strict=True)
    samples = unpack_chunks(list(map(bytes, payloads)), list(map(bytes, details)), columns=READINGS, names=ids)
    counts = np.diff(np.r_[samples.starts, len(samples.at_us)])
    write_packed(np.repeat(np.array(devices, np.int64), counts), samples.at_us, samples.readings, loose=False)


def _partitions() -> Iterator[tuple[str, datetime, bool]]:
    """Yield name, hour and whether it holds anything, of the hot table's partitions in order of time."""
    with connection.cursor() as cursor:
        cursor.execute(
            """SELECT inhrelid::regclass::text, pg_relation_size(inhrelid) > 0 FROM pg_inherits
               WHERE inhparent = 'telemetry_sample'::regclass ORDER BY 1"""
        )
        rows = cursor.fetchall()
    for name, filled in rows:
        yield name, datetime.strptime(name.rsplit("_", 1)[1], "%Y%m%d%H").replace(tzinfo=UTC), filled


def _our_turn() -> bool:
    """Take the compactors' lock until the transaction ends; False when somebody else compacts."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_xact_lock(%s)", [TURN])
        return bool((cursor.fetchone() or (False,))[0])


def _only_busy(error: OperationalError) -> None:
    """Let pass that a lock was not to be had in time; the next tick tries again."""
    if not isinstance(error.__cause__, errors.LockNotAvailable):
        raise error
