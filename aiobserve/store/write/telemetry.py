"""Telemetry in: recent samples to the hot table by COPY, older ones straight into packed chunks."""

from datetime import UTC, datetime, timedelta

import numpy as np
import numpy.typing as npt
import pandas as pd
from django.db import connection
from psycopg import sql

from aiobserve.domain.units import SECONDS_PER_DAY
from aiobserve.store.chunk_codec import FORMAT_VERSION, Readings, pack
from aiobserve.store.models import TelemetryChunk

HOT_COLUMNS = ("device_id", "at", "energy_millij", "power_w", "utilisation_ratio", "memory_mib")
# PostgreSQL counts microseconds from 2000-01-01.
POSTGRES_EPOCH_US = 946_684_800_000_000
BINARY_COPY_HEADER = b"PGCOPY\n\xff\r\n\0" + bytes(8)
BINARY_COPY_TRAILER = b"\xff\xff"
# One row of the hot table as PostgreSQL's binary COPY wants it: field count, then length and value of each.
HOT_ROW = np.dtype(
    [
        ("fields", ">i2"),
        ("device_length", ">i4"), ("device_id", ">i8"),
        ("at_length", ">i4"), ("at", ">i8"),
        ("energy_length", ">i4"), ("energy_millij", ">f8"),
        ("power_length", ">i4"), ("power_w", ">f8"),
        ("utilisation_length", ">i4"), ("utilisation_ratio", ">f8"),
        ("memory_length", ">i4"), ("memory_mib", ">f8"),
    ]
)  # fmt: skip


def write_telemetry(telemetry: pd.DataFrame, device_ids: dict[str, int], *, hot_from_at: datetime) -> None:
    """Write samples: those from `hot_from_at` on to the hot table, earlier ones as packed chunks by device and day."""
    recent = telemetry["at"] >= hot_from_at
    write_chunks(telemetry[~recent], device_ids)
    hot = telemetry[recent]
    if len(hot):
        ensure_partitions(hot["at"].min(), hot["at"].max())
        copy_hot(hot.assign(device_id=hot["device_uid"].map(device_ids)))


def copy_hot(samples: pd.DataFrame) -> None:
    """COPY samples (with `device_id`) into the hot table; their days' partitions must be there."""
    with (
        connection.cursor() as cursor,
        cursor.copy(f"COPY telemetry_sample ({', '.join(HOT_COLUMNS)}) FROM STDIN (FORMAT BINARY)") as copy,
    ):
        copy.write(BINARY_COPY_HEADER + hot_rows(samples).tobytes() + BINARY_COPY_TRAILER)


def hot_rows(samples: pd.DataFrame) -> npt.NDArray[np.void]:
    """Return the samples as rows of PostgreSQL's binary COPY format, shape (n,)."""
    rows = np.empty(len(samples), dtype=HOT_ROW)
    rows["fields"] = len(HOT_COLUMNS)
    for name in HOT_ROW.names or ():
        if name.endswith("_length"):
            rows[name] = 8
    rows["device_id"] = samples["device_id"].to_numpy()
    rows["at"] = microseconds(samples["at"]) - POSTGRES_EPOCH_US
    for name in HOT_COLUMNS[2:]:
        rows[name] = samples[name].to_numpy()
    return rows


def write_chunks(telemetry: pd.DataFrame, device_ids: dict[str, int]) -> None:
    """Pack samples into one chunk per device and UTC day, and write them."""
    chunks = []
    for uid, samples in telemetry.groupby("device_uid", sort=False):
        readings = readings_of(samples)
        edges = np.flatnonzero(np.diff(readings.at_us // (SECONDS_PER_DAY * 1_000_000))) + 1
        for first, last in zip(np.r_[0, edges], np.r_[edges, len(readings.at_us)], strict=True):
            chunks.append(packed_chunk(device_ids[str(uid)], readings.slice(int(first), int(last))))
    TelemetryChunk.objects.bulk_create(chunks, batch_size=500)


def packed_chunk(device_id: int, readings: Readings) -> TelemetryChunk:
    """Return the unsaved chunk that holds the readings of one device, sorted by time and not empty."""
    counter = readings.energy_millij[~np.isnan(readings.energy_millij)]
    return TelemetryChunk(
        device_id=device_id,
        start_at=datetime.fromtimestamp(readings.at_us[0] / 1_000_000, UTC),
        end_at=datetime.fromtimestamp(readings.at_us[-1] / 1_000_000, UTC),
        samples=len(readings.at_us),
        first_energy_millij=float(counter[0]) if counter.size else None,
        last_energy_millij=float(counter[-1]) if counter.size else None,
        has_reset=bool((np.diff(counter) < 0).any()),
        format_version=FORMAT_VERSION,
        payload=pack(readings),
    )


def compact(before_at: datetime) -> int:
    """Move hot samples of whole UTC days before `before_at` into chunks and drop their partitions; returns samples moved.

    One transaction is the caller's: a sample is in the hot table or in a chunk, never in both or in none.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT inhrelid::regclass::text FROM pg_inherits WHERE inhparent = 'telemetry_sample'::regclass"
        )
        partitions = sorted(row[0] for row in cursor.fetchall())
    return sum(_compact_partition(name) for name in partitions if _partition_day(name) + timedelta(days=1) <= before_at)


def _compact_partition(name: str) -> int:
    with connection.cursor() as cursor:
        cursor.execute(
            sql.SQL("SELECT {} FROM {} ORDER BY device_id, at").format(
                sql.SQL(", ").join(map(sql.Identifier, HOT_COLUMNS)), sql.Identifier(name)
            )
        )
        rows = pd.DataFrame(cursor.fetchall(), columns=list(HOT_COLUMNS))
        for device_id, samples in rows.groupby("device_id"):
            readings = readings_of(samples.assign(at=pd.to_datetime(samples["at"], utc=True)))
            packed_chunk(int(str(device_id)), readings).save()
        cursor.execute(sql.SQL("DROP TABLE {}").format(sql.Identifier(name)))
    return len(rows)


def ensure_partitions(first_at: datetime, last_at: datetime) -> None:
    """Make the hot table's partition of each UTC day from first to last, where it is not there yet."""
    day = first_at.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    with connection.cursor() as cursor:
        while day <= last_at:
            cursor.execute(
                sql.SQL(
                    "CREATE TABLE IF NOT EXISTS {} PARTITION OF telemetry_sample FOR VALUES FROM ({}) TO ({})"
                ).format(
                    sql.Identifier(f"telemetry_sample_{day:%Y%m%d}"),
                    sql.Literal(day.isoformat()),
                    sql.Literal((day + timedelta(days=1)).isoformat()),
                )
            )
            day += timedelta(days=1)


def readings_of(samples: pd.DataFrame) -> Readings:
    """Return the readings of one device in order of time; of two samples at one instant the first is kept."""
    at_us = microseconds(samples["at"])
    _, first = np.unique(at_us, return_index=True)
    return Readings(
        at_us=at_us[first],
        energy_millij=samples["energy_millij"].to_numpy(dtype=np.float64)[first],
        power_w=samples["power_w"].to_numpy(dtype=np.float64)[first],
        utilisation_ratio=samples["utilisation_ratio"].to_numpy(dtype=np.float64)[first],
        memory_mib=samples["memory_mib"].to_numpy(dtype=np.float64)[first],
    )


def microseconds(instants: "pd.Series[pd.Timestamp]") -> npt.NDArray[np.int64]:
    """Return epoch microseconds of aware instants."""
    return instants.astype("datetime64[us, UTC]").astype("int64").to_numpy()


def _partition_day(name: str) -> datetime:
    return datetime.strptime(name.rsplit("_", 1)[1], "%Y%m%d").replace(tzinfo=UTC)
