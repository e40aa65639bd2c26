"""Writes a batch of frames exactly once: its row in the batch ledger commits together with its rows.

A batch that says what holds (a price, a contract, a bill) is written again where another has said otherwise since.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime

import pandas as pd
from django.db import connection, transaction
from django.db.models import Max

from aiobserve.store.models import IngestBatch, IngestRejection
from aiobserve.store.write.billing import restore_documents, write_bill_lines, write_bill_rules
from aiobserve.store.write.checkpoints import write_checkpoints
from aiobserve.store.write.contents import write_contents
from aiobserve.store.write.fleet import write_devices, write_sites
from aiobserve.store.write.labels import write_labels
from aiobserve.store.write.organisation import write_accounts
from aiobserve.store.write.rates import restore_signals, write_rates, write_signals
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

# What holds until somebody says otherwise; these writers change what differs alone, and return how many rows did.
STANDING = {
    "sites": write_sites,
    "devices": write_devices,
    "accounts": write_accounts,
    "rates": write_rates,
    "dedications": write_dedications,
    "pools": write_pools,
    "commitments": write_commitments,
    "energy_contracts": write_energy_contracts,
    "embodied": write_embodied,
    "token_prices": write_token_prices,
    "bill_rules": write_bill_rules,
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
    last_wins: bool = False,
) -> bool:
    """Write the frames and notices of a batch in one transaction, unless it was written before; return whether it was.

    Args:
        frames: by schema name; written in the order in which they refer to each other.
        rejected: how many records were refused.
        notices: (position, reason, excerpt) of each fault: a record that was refused, several with one fault, or a gap.
        hot_from_at: telemetry from this instant on goes to the hot table, earlier telemetry into chunks.
        last_wins: what it says and what was replaced since it was written is written again.
    """
    rows = sum(len(frame) for frame in frames.values())
    with transaction.atomic():
        ledger_id = _claim(organisation_id, source, batch_id, rows, rejected)
        if ledger_id is None:
            return last_wins and _restore(organisation_id, source, batch_id, frames, rejected, notices)
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


def _restore(
    organisation_id: int,
    source: str,
    batch_id: str,
    frames: Mapping[str, pd.DataFrame],
    rejected: int,
    notices: Sequence[tuple[int, str, str]],
) -> bool:
    """Write again what counts no more of a batch that was written before, as another take of it; False: all counts."""
    with transaction.atomic():
        ledger_id = _claim_again(organisation_id, source, batch_id, sum(map(len, frames.values())), rejected)
        changed = sum(write(organisation_id, frames[name]) for name, write in STANDING.items() if name in frames)
        if "signals" in frames:
            changed += restore_signals(organisation_id, ledger_id, frames["signals"])
        if "bill_lines" in frames:
            changed += restore_documents(organisation_id, frames["bill_lines"])
        if not changed:
            transaction.set_rollback(True)
            return False
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


def _claim_again(organisation_id: int, source: str, batch_id: str, rows: int, rejected: int) -> int:
    """Insert the row of another take of a batch. Who takes the same batch again at the same time waits here."""
    takes = IngestBatch.objects.filter(organisation_id=organisation_id, source=source, batch_id=batch_id)
    takes.select_for_update().get(take=1)
    last = takes.aggregate(last=Max("take"))["last"]
    again = {"organisation_id": organisation_id, "source": source, "batch_id": batch_id, "take": last + 1}
    return int(IngestBatch.objects.create(**again, rows=rows, rejected=rejected).pk)


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
