"""Requests to collect a source: made, taken by one worker at a time, finished."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from django.db import connection
from django.db.models.functions import Now

from aiobserve.store.models import CollectRequest

# The first key of PostgreSQL's two-key advisory locks; the second is the request's id.
LOCK_SPACE = 0x61696F62


def request_collect(organisation_id: int, source: str, options: Mapping[str, object]) -> int:
    """Record that a source is to be collected; returns the request's id."""
    return int(CollectRequest.objects.create(organisation_id=organisation_id, source=source, options=dict(options)).pk)


@contextmanager
def taken(request_id: int) -> Iterator[CollectRequest | None]:
    """Yield an open request while nobody else has it, else None.

    The lock belongs to the database session, so a worker that is killed lets go of it at once.
    """
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_lock(%s, %s)", [LOCK_SPACE, request_id])
        got = bool((cursor.fetchone() or [False])[0])
    try:
        yield CollectRequest.objects.filter(pk=request_id, finished_at__isnull=True).first() if got else None
    finally:
        if got:
            with connection.cursor() as cursor:
                cursor.execute("SELECT pg_advisory_unlock(%s, %s)", [LOCK_SPACE, request_id])


def finish_request(request_id: int, *, rows: int, rejected: int, error: str = "") -> None:
    """Record that a request is done, or why it could not be."""
    CollectRequest.objects.filter(pk=request_id).update(finished_at=Now(), rows=rows, rejected=rejected, error=error)


def open_requests() -> list[int]:
    """Return the ids of requests that are not finished, oldest first."""
    return list(CollectRequest.objects.filter(finished_at__isnull=True).order_by("pk").values_list("pk", flat=True))
