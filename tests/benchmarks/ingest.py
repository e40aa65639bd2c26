"""Ingest against the floor: our COPY of telemetry beside a server-side COPY of the same rows from a file."""

import tempfile
from datetime import timedelta
from pathlib import Path

import numpy as np
import pandas as pd
from django.db import connection, transaction
from psycopg import sql

from aiobserve.store.write import telemetry
from aiobserve.store.write.chunks import DAY_US, HOUR_US, write_packed
from tests.benchmarks.cpu import interleaved
from tests.benchmarks.fleet import DAY_AT, fleet, noise

ROWS = 500_000
DEVICES = 100
HOURS = ROWS / DEVICES * 15 / 3600


def measure() -> dict[str, float]:
    """Return CPU seconds a million rows of each arm, and the bytes that a packed sample takes in the database."""
    samples = noise(np.arange(DEVICES), DAY_AT, HOURS, every_s=15).frame()
    telemetry.ensure_partitions(DAY_AT, DAY_AT + timedelta(hours=HOURS))
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
    per_million = 1_000_000 / ROWS
    return {
        "server_side_copy_cpu_s_per_million": medians["server_side_copy"] * per_million,
        "ingest_cpu_s_per_million": medians["ingest"] * per_million,
        "ingest_ratio": medians["ingest"] / medians["server_side_copy"],
        "exactly_once_ratio": medians["ingest_exactly_once"] / medians["ingest"],
        "packed_bytes_per_sample": stored_bytes(DAY_US),
        "packed_bytes_per_sample_by_hour": stored_bytes(HOUR_US),
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


def stored_bytes(every_us: int) -> float:
    """Return what the table of chunks takes a sample: heap, TOAST, their maps and all indices, of a day of 100 GPUs."""
    made = fleet("bench-bytes", sites=1, gpus=DEVICES, start_at=DAY_AT, hours=24, allocations=1)
    samples = noise(made.devices[0], DAY_AT, 24, every_s=15)
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("TRUNCATE telemetry_chunk")
        write_packed(samples.device_id, samples.at_us, samples.readings, every_us=every_us, loose=every_us < DAY_US)
        cursor.execute("SELECT pg_total_relation_size('telemetry_chunk')")
        (taken,) = cursor.fetchone() or (0,)
        transaction.set_rollback(True)
    return float(taken) / len(samples.at_us)
