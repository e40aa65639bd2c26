"""Closes and re-opens periods, each with its row in the audit."""

from datetime import date

from django.db.models.functions import Now

from aiobserve.domain.reason import Reason
from aiobserve.domain.window import WINDOW, Span
from aiobserve.store.models import LedgerAudit, LedgerPeriod, LedgerWindow
from aiobserve.store.write.watermark import want_again

CLOSED, FORCED, REOPENED = "closed", "closed by force", "re-opened"


def write_closed(
    organisation_id: int,
    *,
    month: date,
    timezone: str,
    span: Span,
    previous_id: int | None,
    hash_hex: str,
    rows: int,
    sums: dict[str, int],
    by: str,
    reason: str,
    left_out: list[dict[str, str]],
) -> None:
    """Record that a month is closed, by whom, and what was left out of it if it was closed by force."""
    period = LedgerPeriod.objects.create(
        organisation_id=organisation_id, month=month, timezone=timezone, start_at=span.start_at, end_at=span.end_at,
        previous_id=previous_id, hash=hash_hex, rows=rows, closed_by=by,
        # As text: JSON readers take numbers for floats, and these are exact.
        sums={name: str(amount) for name, amount in sums.items()},
    )  # fmt: skip
    LedgerAudit.objects.create(
        organisation_id=organisation_id, period=period, action=FORCED if left_out else CLOSED, by=by, reason=reason, details=left_out
    )  # fmt: skip


def write_reopened(organisation_id: int, period_id: int, *, by: str, reason: str) -> bool:
    """Record that a closed period is open again; False when somebody else was first.

    Windows that were corrected meanwhile become due, so that their corrections move back to where they belong.
    """
    if not LedgerPeriod.objects.filter(pk=period_id, reopened_at__isnull=True).update(reopened_at=Now()):
        return False
    LedgerAudit.objects.create(
        organisation_id=organisation_id, period_id=period_id, action=REOPENED, by=by, reason=reason, details=[]
    )
    corrected = LedgerWindow.objects.filter(batch__corrects_period_id=period_id, reversed_by__isnull=True)
    for site_id, at in corrected.order_by("site_id", "window_start_at").values_list("site_id", "window_start_at"):
        want_again([site_id], at, at + WINDOW, reason=Reason.REOPENED)
    return True
