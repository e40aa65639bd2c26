"""From PostgreSQL to the posted ledger: packed chunks beside hot rows, and one new hour of ten thousand GPUs.

Both ways run `pipeline.attribute.attribute_day` whole, in a transaction that is undone; they differ in where the
samples lie and in how they are read: the row way reads them as an ordinary program would, by arrays of a cursor.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from unittest.mock import patch

import numpy as np
from django.db import connection, transaction

from aiobserve.domain.window import Span
from aiobserve.pipeline.attribute import attribute_day
from aiobserve.store.codec.chunk import READINGS
from aiobserve.store.read import telemetry as read
from aiobserve.store.write import telemetry as write
from aiobserve.store.write.chunks import HOUR_US, write_packed
from aiobserve.store.write.watermark import want_days
from tests.benchmarks.cpu import interleaved
from tests.benchmarks.fleet import DAY_AT, Fleet, fleet, noise

# A day of these, with jobs as dense as in a recorded cluster (9.5 a GPU and day).
GPUS, ALLOCATIONS_A_DAY = 500, 9.5
NEW_GPUS, NEW_ALLOCATIONS = 10_000, 1.6
HOUR = timedelta(hours=1)
ROWS_AT = DAY_AT + timedelta(days=7)


def measure() -> dict[str, float]:
    """Return samples per CPU second of both ways and their ratio, and the CPU seconds of the new hour."""
    return {**packed_beside_rows(), **new_hour()}


def packed_beside_rows() -> dict[str, float]:
    """Attribute and post one day of 500 GPUs at 15 s, from day chunks and from hot rows."""
    packed = fleet("bench-packed", sites=1, gpus=GPUS, start_at=DAY_AT, hours=24, allocations=ALLOCATIONS_A_DAY)
    # On a day of their own, so that the packed way does not wade through the other's rows.
    rows = fleet("bench-rows", sites=1, gpus=GPUS, start_at=ROWS_AT, hours=24, allocations=ALLOCATIONS_A_DAY)
    # From an hour before midnight to an hour after the next, so that the whole day is known.
    samples = noise(packed.devices[0], DAY_AT - HOUR, 26, every_s=15)
    write_packed(samples.device_id, samples.at_us, samples.readings, loose=False)
    hot = noise(rows.devices[0], ROWS_AT - HOUR, 26, every_s=15)
    write.ensure_partitions(ROWS_AT - HOUR, ROWS_AT + 25 * HOUR)
    write.copy_hot(hot.frame())
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")
    posted: dict[str, int] = {}
    arms: dict[str, Callable[[], object]] = {
        "packed": lambda: posted.update(packed=attributed(packed, DAY_AT, until_at=DAY_AT + 48 * HOUR)),
        "rows": lambda: posted.update(rows=by_rows(rows)),
    }
    for arm in arms.values():
        arm()
    taken = interleaved(arms, with_backend=True)
    if posted["packed"] != posted["rows"]:
        raise AssertionError(f"the two ways posted differently: {posted}")
    count = GPUS * 24 * 240
    return {
        "packed_to_ledger_samples_per_cpu_s": count / taken["packed"],
        "rows_to_ledger_samples_per_cpu_s": count / taken["rows"],
        "packed_to_ledger_ratio": taken["rows"] / taken["packed"],
        "packed_to_ledger_postings": float(posted["packed"]),
    }


def new_hour() -> dict[str, float]:
    """Attribute and post the first hour of a day of 10,000 GPUs at 15 s, from hour chunks."""
    made = fleet("bench-hour", sites=1, gpus=NEW_GPUS, start_at=DAY_AT, hours=1, allocations=NEW_ALLOCATIONS)
    for devices in np.array_split(made.devices[0], 10):
        samples = noise(devices, DAY_AT - HOUR, 3, every_s=15)
        write_packed(samples.device_id, samples.at_us, samples.readings, every_us=HOUR_US, loose=True)
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")
    posted: list[int] = [attributed(made, DAY_AT, until_at=DAY_AT + HOUR)]
    taken = interleaved(
        {"hour": lambda: posted.append(attributed(made, DAY_AT, until_at=DAY_AT + HOUR))}, with_backend=True
    )
    return {"new_hour_cpu_s": taken["hour"], "new_hour_postings": float(posted[0])}


def attributed(made: Fleet, day_at: datetime, *, until_at: datetime) -> int:
    """Attribute and post a day, count the postings, and undo it."""
    with transaction.atomic():
        want_days(made.sites[0], [day_at.date()])
        done = attribute_day(made.sites[0], day_at.date(), until_at=until_at)
        transaction.set_rollback(True)
    if done is None or done.blocked_reason or not done.posted:
        raise AssertionError(f"the day was not attributed: {done}")
    return done.posted


def by_rows(made: Fleet) -> int:
    """Attribute the day with the ordinary reader in place of ours."""
    with rows_reader() as calls:
        posted = attributed(made, ROWS_AT, until_at=ROWS_AT + 48 * HOUR)
    if not calls:
        raise AssertionError("attribution did not read its telemetry through store.read.telemetry")
    return posted


@contextmanager
def rows_reader() -> Iterator[list[str]]:
    """Replace the readers of telemetry by one of rows; yields the names of those that were called."""
    calls: list[str] = []

    def readings(device_ids: Sequence[int], span: Span) -> dict[int, read.Readings]:
        calls.append("readings")
        return dict(rows(device_ids, span))

    def read_series(
        device_ids: Sequence[int],
        span: Span,
        *,
        columns: tuple[str, ...] = read.COUNTER,
        margin: timedelta = timedelta(0),
    ) -> read.Series:
        calls.append("read_series")
        found = dict(rows(device_ids, Span(span.start_at - margin, span.end_at + margin)))
        counts = [len(found[one].at_us) if one in found else 0 for one in map(int, device_ids)]
        kept = [found[one] for one in map(int, device_ids) if one in found]
        return read.Series(
            np.asarray(device_ids, dtype=np.int64),
            np.r_[0, np.cumsum(counts)],
            np.concatenate([one.at_us for one in kept]) if kept else np.zeros(0, np.int64),
            {name: np.concatenate([getattr(one, name) for one in kept] or [np.zeros(0)]) for name in columns},
        )

    with patch.object(read, "readings", readings), patch.object(read, "read_series", read_series):
        yield calls


def rows(device_ids: Sequence[int], span: Span) -> Iterator[tuple[int, read.Readings]]:
    """Yield the hot samples of each device, as arrays that the server makes and the driver reads."""
    columns = ", ".join(f"array_agg({name} ORDER BY at)" for name in READINGS)
    with connection.cursor() as cursor:
        cursor.execute(
            f"""SELECT device_id, array_agg((extract(epoch FROM at) * 1000000)::bigint ORDER BY at), {columns}
                FROM telemetry_sample WHERE device_id = ANY(%s) AND at >= %s AND at < %s GROUP BY device_id""",
            [[int(one) for one in device_ids], span.start_at.astimezone(UTC), span.end_at.astimezone(UTC)],
        )
        for row in cursor.fetchall():
            values = [np.array(column, dtype=np.float64) for column in row[2:]]
            yield int(row[0]), read.Readings(np.array(row[1], dtype=np.int64), *values)
