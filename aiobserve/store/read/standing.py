"""Which postings stand: those of the batch that no other has reversed for their window."""

from django.db.models import Exists, F, OuterRef, QuerySet
from django.db.models.functions import Coalesce

from aiobserve.store.models import LedgerWindow, Posting


def standing_postings(organisation_id: int) -> "QuerySet[Posting]":
    """Return the postings of an organisation that were neither reversed nor are reversals.

    Those of a corrected window of a closed period are found under the later window that they are booked in.
    """
    versions = LedgerWindow.objects.filter(
        batch_id=OuterRef("batch_id"), window_start_at=OuterRef("incurred_at"), reversed_by__isnull=True
    )
    incurred = Posting.objects.annotate(incurred_at=Coalesce("corrects_window_start_at", F("window_start_at")))
    return incurred.filter(Exists(versions), organisation_id=organisation_id)
