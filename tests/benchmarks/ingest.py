"""Ingest against the floor: our COPY of telemetry beside a server-side COPY of the same rows from a file."""

import tempfile
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pandas as pd
from django.db import connection, transaction
from psycopg import sql

from aiobserve.store.chunk_codec import pack
from aiobserve.store.write import telemetry
from tests.benchmarks.cpu import interleaved

ROWS = 500_000
DEVICES = 100
DAY_AT = datetime(2026, 3, 2, tzinfo=UTC)


def measure() -> dict[str, float]:
    """Return CPU seconds a million rows of each arm, and the bytes that a packed sample takes."""
    samples = synthetic()
    telemetry.ensure_partitions(DAY_AT, DAY_AT)
    with tempfile.TemporaryDirectory(dir="/tmp") as folder:  # noqa: S108 - the server must be able to read it
        Path(folder).chmod(0o755)
        path = Path(folder) / "rows.bin"
        path.write_bytes(
            telemetry.BINARY_COPY_HEADER + telemetry.hot_rows(samples).tobytes() + telemetry.BINARY_COPY_TRAILER
        )
        path.chmod(0o644)
        medians = interleaved(
            {
                "server_side_copy": lambda: fill(lambda: server_side(path)),
                "ingest": lambda: fill(lambda: telemetry.copy_hot(samples)),
                "ingest_exactly_once": lambda: fill(lambda: with_ledger(samples)),
            },
            with_backend=True,
        )
    packed = [len(pack(telemetry.readings_of(one))) for _, one in samples.groupby("device_uid")]
    per_million = 1_000_000 / ROWS
    return {
        "server_side_copy_cpu_s_per_million": medians["server_side_copy"] * per_million,
        "ingest_cpu_s_per_million": medians["ingest"] * per_million,
        "ingest_ratio": medians["ingest"] / medians["server_side_copy"],
        "exactly_once_ratio": medians["ingest_exactly_once"] / medians["ingest"],
        "packed_bytes_per_sample": sum(packed) / ROWS,
    }


def fill(copy) -> None:  # type: ignore[no-untyped-def]
    """Copy into the hot table and undo it."""
    with transaction.atomic():
        copy()
        transaction.set_rollback(True)


def server_side(path: Path) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            sql.SQL("COPY telemetry_sample ({}) FROM {} (FORMAT BINARY)").format(
                sql.SQL(", ").join(map(sql.Identifier, telemetry.HOT_COLUMNS)), sql.Literal(str(path))
            )
        )


def with_ledger(samples: pd.DataFrame) -> None:
    """Do what `write_batch` does around the COPY: claim the batch first, in the same transaction."""
    with connection.cursor() as cursor:
        cursor.execute(
            """INSERT INTO organisation (slug, name, simulated, created_at) VALUES ('bench', 'bench', true, now())
               ON CONFLICT (slug) DO UPDATE SET name = 'bench' RETURNING id"""
        )
        (organisation_id,) = cursor.fetchone() or (0,)
        cursor.execute(
            """INSERT INTO ingest_batch (organisation_id, source, batch_id, rows, rejected, recorded_at)
               VALUES (%s, 'bench', 'one', %s, 0, now()) ON CONFLICT DO NOTHING RETURNING id""",
            [organisation_id, len(samples)],
        )
    telemetry.copy_hot(samples)


def synthetic() -> pd.DataFrame:
    """Return half a million samples of a hundred devices, 15 seconds apart."""
    rng = np.random.default_rng(3)
    each = ROWS // DEVICES
    power = np.round(rng.normal(300, 40, (DEVICES, each)), 3)
    seconds = np.arange(each) * 15 + rng.uniform(0, 1, (DEVICES, each))
    return pd.DataFrame(
        {
            "device_uid": np.repeat([f"gpu-{i}" for i in range(DEVICES)], each),
            "device_id": np.repeat(np.arange(DEVICES), each),
            "at": pd.to_datetime(
                np.rint((seconds.ravel() + DAY_AT.timestamp()) * 1e6).astype("int64"), unit="us", utc=True
            ),
            "energy_millij": np.rint(np.cumsum(power * 15_000, axis=1)).ravel(),
            "power_w": power.ravel(),
            "utilisation_ratio": np.round(rng.uniform(0, 1, ROWS), 2),
            "memory_mib": np.round(rng.normal(40_000, 500, ROWS)),
        }
    )
