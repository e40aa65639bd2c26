"""Marks site-days as due for attribution, and claims and finishes them."""

from collections.abc import Iterable
from datetime import date, datetime

from django.db import connection
from django.db.models import F
from django.db.models.functions import Now

from aiobserve.store.models import Watermark


def want_days(site_id: int, days: Iterable[date]) -> None:
    """Mark days of a site as due, making their watermarks where there are none."""
    with connection.cursor() as cursor:
        cursor.execute(
            """INSERT INTO watermark (site_id, day, wanted_version, done_version, blocked_reason)
               SELECT %s, day, 1, 0, '' FROM unnest(%s::date[]) AS day ORDER BY day
               ON CONFLICT (site_id, day) DO UPDATE
               SET wanted_version = watermark.wanted_version + 1, blocked_reason = ''""",
            [site_id, sorted(set(days))],
        )


def want_again(site_ids: Iterable[int], first_at: datetime, last_at: datetime | None) -> None:
    """Mark the days that exist between two instants as due; an open end means all later days."""
    days = Watermark.objects.filter(site_id__in=list(site_ids), day__gte=first_at.date())
    if last_at is not None:
        days = days.filter(day__lte=last_at.date())
    days.update(wanted_version=F("wanted_version") + 1, blocked_reason="")


def want_done_again(site_id: int, first_day: date, last_day: date) -> None:
    """Mark the days from first to last that were attributed already as due."""
    done = Watermark.objects.filter(site_id=site_id, day__gte=first_day, day__lte=last_day, done_version__gt=0)
    done.update(wanted_version=F("wanted_version") + 1, blocked_reason="")


def claim_day(site_id: int, day: date) -> Watermark | None:
    """Lock the watermark of a due day; None when it is not due or somebody else has it.

    The lock lives as long as the caller's transaction: a worker that is killed gives the day back.
    """
    return (
        Watermark.objects.select_for_update(skip_locked=True)
        .filter(site_id=site_id, day=day, wanted_version__gt=F("done_version"))
        .first()
    )


def finish_day(watermark: Watermark) -> None:
    """Record that the claimed day is attributed up to the version that was wanted when it was claimed."""
    Watermark.objects.filter(pk=watermark.pk).update(
        done_version=watermark.wanted_version, done_at=Now(), blocked_reason=""
    )


def block_day(site_id: int, day: date, *, reason: str) -> None:
    """Record why a day cannot be attributed yet; it stays due, and is tried again when its input changes."""
    Watermark.objects.filter(site_id=site_id, day=day).update(blocked_reason=reason)
