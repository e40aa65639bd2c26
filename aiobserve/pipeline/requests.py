"""Carries out requests to collect a source, one worker at a time, resumable at any batch."""

from datetime import datetime

from aiobserve.pipeline.collect import Collected, collect
from aiobserve.store.write.requests import finish_request, open_requests, request_collect, taken
from collectors.base import SourceGarbled, SourceRefused, SourceUnavailable
from collectors.registry import make_collector

__all__ = ["carry_out", "open_requests", "request_collect"]


def carry_out(request_id: int, *, clock_at: datetime) -> Collected | None:
    """Collect what a request names; None when it is done already or somebody else is at it.

    Batches that an earlier, killed attempt has written are skipped. A source that fails ends the request with
    its error, for a person to see and to ask again.
    """
    with taken(request_id) as request:
        if request is None:
            return None
        try:
            collector = make_collector(request.source, request.options)
            collected = collect(request.organisation_id, collector, now_at=clock_at)
        except (SourceUnavailable, SourceRefused, SourceGarbled) as error:
            finish_request(request_id, rows=0, rejected=0, error=str(error))
            return None
        finish_request(request_id, rows=collected.rows, rejected=collected.rejected)
        return collected
