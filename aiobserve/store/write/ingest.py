"""Writes a batch of frames exactly once: its row in the batch ledger commits together with its rows."""

from collections.abc import Mapping, Sequence
from datetime import datetime

import pandas as pd
from django.db import connection, transaction

from aiobserve.store.models import IngestRejection
from aiobserve.store.write.billing import write_bill_lines, write_bill_rules
from aiobserve.store.write.checkpoints import write_checkpoints
from aiobserve.store.write.contents import write_contents
from aiobserve.store.write.fleet import write_devices, write_sites
from aiobserve.store.write.labels import write_labels
from aiobserve.store.write.organisation import write_accounts
from aiobserve.store.write.rates import write_rates, write_signals
from aiobserve.store.write.samples import write_samples
from aiobserve.store.write.terms import (
    write_commitments,
    write_dedications,
    write_embodied,
    write_energy_contracts,
    write_pools,
)
from aiobserve.store.write.tokens import write_serving_counters, write_token_prices, write_token_usage
from aiobserve.store.write.workloads import write_activity, write_intervals, write_jobs

EXCERPT_LENGTH = 500
# Frames that refer to sites, devices and jobs and to nothing else.
DECLARED = {
    "activity": write_activity,
    "dedications": write_dedications,
    "pools": write_pools,
    "commitments": write_commitments,
    "energy_contracts": write_energy_contracts,
    "embodied": write_embodied,
    "labels": write_labels,
    "checkpoints": write_checkpoints,
    "token_prices": write_token_prices,
    "serving_counters": write_serving_counters,
    "token_usage": write_token_usage,
}


def write_batch(
    organisation_id: int,
    *,
    source: str,
    batch_id: str,
    frames: Mapping[str, pd.DataFrame],
    rejected: int,
    notices: Sequence[tuple[int, str, str]],
    hot_from_at: datetime,
) -> bool:
    """Write the frames and notices of a batch in one transaction, unless it was written before; return whether it was new.

    Args:
        frames: by schema name; written in the order in which they refer to each other.
        rejected: how many records were refused.
        notices: (position, reason, excerpt) of each fault: a record that was refused, several with one fault, or a gap.
        hot_from_at: telemetry from this instant on goes to the hot table, earlier telemetry into chunks.
    """
    rows = sum(len(frame) for frame in frames.values())
    with transaction.atomic():
        ledger_id = _claim(organisation_id, source, batch_id, rows, rejected)
        if ledger_id is None:
            return False
        if "sites" in frames:
            write_sites(organisation_id, frames["sites"])
        if "devices" in frames:
            write_devices(organisation_id, frames["devices"])
        if "accounts" in frames:
            write_accounts(organisation_id, frames["accounts"])
        if "rates" in frames:
            write_rates(organisation_id, frames["rates"])
        if "signals" in frames:
            write_signals(organisation_id, ledger_id, frames["signals"])
        if "jobs" in frames:
            write_jobs(organisation_id, frames["jobs"])
        if "intervals" in frames:
            write_intervals(organisation_id, frames["intervals"])
        for name, write in DECLARED.items():
            if name in frames:
                write(organisation_id, frames[name])
        if "telemetry" in frames:
            write_samples(organisation_id, frames["telemetry"], hot_from_at=hot_from_at)
        if "bill_lines" in frames:
            write_bill_lines(organisation_id, ledger_id, frames["bill_lines"])
        if "bill_rules" in frames:
            write_bill_rules(organisation_id, frames["bill_rules"])
        write_contents(ledger_id, frames)
        _write_notices(ledger_id, notices)
    return True


def _claim(organisation_id: int, source: str, batch_id: str, rows: int, rejected: int) -> int | None:
    """Insert the batch's ledger row; None when it is there. A concurrent writer of the same batch waits here."""
    with connection.cursor() as cursor:
        cursor.execute(
            """INSERT INTO ingest_batch (organisation_id, source, batch_id, rows, rejected, recorded_at)
               VALUES (%s, %s, %s, %s, %s, now()) ON CONFLICT DO NOTHING RETURNING id""",
            [organisation_id, source, batch_id, rows, rejected],
        )
        found = cursor.fetchone()
    return None if found is None else int(found[0])


def _write_notices(ledger_id: int, notices: Sequence[tuple[int, str, str]]) -> None:
    IngestRejection.objects.bulk_create(
        [
            IngestRejection(
                batch_id=ledger_id,
                position=position,
                reason=_storable(reason),
                excerpt=_storable(excerpt),
            )
            for position, reason, excerpt in notices
        ],
        batch_size=1000,
    )


def _storable(text: str) -> str:
    """Cut to length, and show the NUL that PostgreSQL's text cannot hold."""
    return text.replace("\0", "\\0")[:EXCERPT_LENGTH]
