"""Posts to the ledger: append only. A day that is read differently is reversed and posted anew."""

from dataclasses import dataclass
from datetime import date

import pandas as pd
from django.db import connection

from aiobserve.domain.account import MEASURES
from aiobserve.store.models import LedgerBatch
from aiobserve.store.write.copy import copy_frame

POSTING_COLUMNS = {
    "batch_id": "int8",
    "organisation_id": "int8",
    "site_id": "int8",
    "window_start_at": "timestamptz",
    "account": "int2",
    "component": "int2",
    "pool_id": "int8",
    "team_id": "int8",
    "project_id": "int8",
    "model_id": "int8",
    "job_id": "int8",
    "energy_quality": "int2",
    "carbon_quality": "int2",
    "cost_quality": "int2",
    **dict.fromkeys(MEASURES, "int8"),
}
# Order-independent and exact: the sum over the rows of a 64-bit hash of everything that a posting says.
CHECKSUM = "coalesce(sum(hash_record_extended(ROW("
CHECKSUM += ", ".join(f"posting.{name}" for name in list(POSTING_COLUMNS)[1:])
CHECKSUM += "), 0)::numeric), 0)"


@dataclass(frozen=True)
class DayPosted:
    """What posting a day did: rows reversed and rows posted; both zero when the inputs were the same as before."""

    reversed: int
    posted: int


def post_day(
    organisation_id: int, site_id: int, *, day: date, postings: pd.DataFrame, input_digest: str, method_version: int
) -> DayPosted:
    """Post a site-day, after reversing what stands for it; the caller holds the day's watermark and the transaction.

    Args:
        postings: `POSTING_COLUMNS` but for batch, organisation and site.
        input_digest: says what the postings were computed from; when the standing batch has the same, nothing is done.
    """
    standing = standing_batch(site_id, day)
    if standing is not None and standing.input_digest == input_digest:
        return DayPosted(reversed=0, posted=0)
    sequence = 0 if standing is None else standing.sequence + 1
    undone = 0
    if standing is not None:
        undone = _reverse(standing, sequence)
        sequence += 1
    batch = _open_batch(organisation_id, site_id, day, sequence, input_digest, method_version)
    rows = postings.assign(batch_id=batch.pk, organisation_id=organisation_id, site_id=site_id)
    posted = copy_frame("posting", POSTING_COLUMNS, rows)
    _seal(batch)
    return DayPosted(reversed=undone, posted=posted)


def standing_batch(site_id: int, day: date) -> LedgerBatch | None:
    """Return the batch that counts for a site-day: neither a reversal nor reversed."""
    return (
        LedgerBatch.objects.filter(site_id=site_id, day=day, reverses__isnull=True, reversed_by__isnull=True)
        .order_by("-sequence")
        .first()
    )


def _reverse(standing: LedgerBatch, sequence: int) -> int:
    reversal = _open_batch(
        standing.organisation_id, standing.site_id, standing.day, sequence, "", standing.method_version
    )
    LedgerBatch.objects.filter(pk=reversal.pk).update(reverses=standing)
    kept = list(POSTING_COLUMNS)[1 : -len(MEASURES)]
    with connection.cursor() as cursor:
        cursor.execute(
            f"""INSERT INTO posting (batch_id, {", ".join(kept)}, {", ".join(MEASURES)})
                SELECT %s, {", ".join(kept)}, {", ".join(f"-{measure}" for measure in MEASURES)}
                FROM posting WHERE batch_id = %s""",  # noqa: S608 - names are our own constants
            [reversal.pk, standing.pk],
        )
        undone = cursor.rowcount
    _seal(reversal)
    return int(undone)


def _open_batch(
    organisation_id: int, site_id: int, day: date, sequence: int, input_digest: str, method_version: int
) -> LedgerBatch:
    return LedgerBatch.objects.create(
        organisation_id=organisation_id,
        site_id=site_id,
        day=day,
        sequence=sequence,
        input_digest=input_digest,
        method_version=method_version,
        postings=0,
        checksum=0,
    )


def _seal(batch: LedgerBatch) -> None:
    """Record how many postings the batch has and their checksum, as the database holds them."""
    with connection.cursor() as cursor:
        cursor.execute(
            f"""UPDATE ledger_batch SET (postings, checksum) =
                (SELECT count(*), {CHECKSUM} FROM posting WHERE batch_id = ledger_batch.id)
                WHERE id = %s""",  # noqa: S608 - names are our own constants
            [batch.pk],
        )
