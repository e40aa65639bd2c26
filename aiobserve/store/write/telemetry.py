"""Telemetry in: recent samples to the hot table by COPY, older ones straight into packed chunks."""

from datetime import UTC, datetime, timedelta

import numpy as np
import numpy.typing as npt
import pandas as pd
from django.db import connection
from psycopg import sql

from aiobserve.store.codec.chunk import READINGS, as_kept
from aiobserve.store.cursor import POSTGRES_EPOCH_US
from aiobserve.store.write.chunks import write_packed

HOT_COLUMNS = ("device_id", "at", *READINGS)
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
HOUR = timedelta(hours=1)
# So long after its end an hour still takes samples into the hot table; what comes later is packed at once.
GRACE = timedelta(minutes=15)


def open_hour(now_at: datetime) -> datetime:
    """Return the start of the earliest UTC hour that is not compacted yet; older samples go straight into chunks."""
    return (now_at - GRACE).astimezone(UTC).replace(minute=0, second=0, microsecond=0)


def write_telemetry(telemetry: pd.DataFrame, device_ids: dict[str, int], *, hot_from_at: datetime) -> None:
    """Write samples: those from `hot_from_at` on to the hot table, earlier ones as packed chunks by device and day."""
    recent = (telemetry["at"] >= hot_from_at).to_numpy()
    write_chunks(telemetry[~recent] if recent.any() else telemetry, device_ids)
    if recent.any():
        hot = telemetry[recent]
        ensure_partitions(hot["at"].min(), hot["at"].max())
        copy_hot(hot.assign(device_id=device_numbers(hot["device_uid"], device_ids)))


def copy_hot(samples: pd.DataFrame) -> None:
    """COPY samples (with `device_id`) into the hot table; their hours' partitions must be there."""
    with (
        connection.cursor() as cursor,
        cursor.copy(f"COPY telemetry_sample ({', '.join(HOT_COLUMNS)}) FROM STDIN (FORMAT BINARY)") as copy,
    ):
        copy.write(BINARY_COPY_HEADER + hot_rows(samples).tobytes() + BINARY_COPY_TRAILER)


def hot_rows(samples: pd.DataFrame) -> npt.NDArray[np.void]:
    """Return the samples as rows of PostgreSQL's binary COPY format, shape (n,), at the precision that is kept."""
    rows = np.empty(len(samples), dtype=HOT_ROW)
    rows["fields"] = len(HOT_COLUMNS)
    for name in HOT_ROW.names or ():
        if name.endswith("_length"):
            rows[name] = 8
    rows["device_id"] = samples["device_id"].to_numpy()
    rows["at"] = microseconds(samples["at"]) - POSTGRES_EPOCH_US
    for name in READINGS:
        rows[name] = as_kept(name, samples[name].to_numpy(dtype=np.float64))
    return rows


def write_chunks(telemetry: pd.DataFrame, device_ids: dict[str, int]) -> None:
    """Pack samples into one chunk per device and UTC day, and write them."""
    write_packed(
        device_numbers(telemetry["device_uid"], device_ids),
        microseconds(telemetry["at"]),
        {name: telemetry[name].to_numpy(dtype=np.float64) for name in READINGS},
        loose=True,
    )


def ensure_partitions(first_at: datetime, last_at: datetime) -> None:
    """Make the hot table's partition of each UTC hour from first to last, where it is not there yet."""
    hour = first_at.astimezone(UTC).replace(minute=0, second=0, microsecond=0)
    with connection.cursor() as cursor:
        while hour <= last_at:
            cursor.execute(
                sql.SQL(
                    "CREATE TABLE IF NOT EXISTS {} PARTITION OF telemetry_sample FOR VALUES FROM ({}) TO ({})"
                ).format(
                    sql.Identifier(f"telemetry_sample_{hour:%Y%m%d%H}"),
                    sql.Literal(hour.isoformat()),
                    sql.Literal((hour + HOUR).isoformat()),
                )
            )
            hour += HOUR


def device_numbers(uids: "pd.Series[str]", device_ids: dict[str, int]) -> npt.NDArray[np.int64]:
    """Return the device id of each row; the names are looked up once each, not once a sample."""
    codes, names = pd.factorize(uids)
    return np.array([device_ids[str(name)] for name in names], dtype=np.int64)[codes]


def microseconds(instants: "pd.Series[pd.Timestamp]") -> npt.NDArray[np.int64]:
    """Return epoch microseconds of aware instants."""
    return instants.astype("datetime64[us, UTC]").astype("int64").to_numpy()
