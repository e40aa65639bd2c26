"""Reads telemetry of devices over a span, from packed chunks and the hot table alike."""

import numpy as np
import numpy.typing as npt
from django.db import connection

from aiobserve.domain.window import Span
from aiobserve.store.chunk_codec import Readings, unpack
from aiobserve.store.models import TelemetryChunk

FLOATS = ("energy_millij", "power_w", "utilisation_ratio", "memory_mib")


def readings(device_ids: list[int], span: Span) -> dict[int, Readings]:
    """Return the readings of each device that has any in the span, in order of time, one an instant.

    Chunks are cut to the span. Of two samples at one instant the one from the older chunk is kept.
    """
    parts: dict[int, list[Readings]] = {}
    chunks = TelemetryChunk.objects.filter(
        device_id__in=device_ids, start_at__lt=span.end_at, end_at__gte=span.start_at
    ).order_by("device_id", "pk")
    for device_id, payload in chunks.values_list("device_id", "payload").iterator(chunk_size=200):
        parts.setdefault(device_id, []).append(_cut(unpack(bytes(payload)), span))
    for device_id, hot in _hot(device_ids, span):
        parts.setdefault(device_id, []).append(hot)
    joined = {device_id: _joined(pieces) for device_id, pieces in parts.items()}
    return {device_id: found for device_id, found in joined.items() if found.at_us.size}


def _hot(device_ids: list[int], span: Span) -> list[tuple[int, Readings]]:
    with connection.cursor() as cursor:
        cursor.execute(
            """SELECT device_id, array_agg((extract(epoch FROM at) * 1000000)::bigint ORDER BY at),
                      array_agg(energy_millij ORDER BY at), array_agg(power_w ORDER BY at),
                      array_agg(utilisation_ratio ORDER BY at), array_agg(memory_mib ORDER BY at)
               FROM telemetry_sample WHERE device_id = ANY(%s) AND at >= %s AND at < %s GROUP BY device_id""",
            [device_ids, span.start_at, span.end_at],
        )
        rows = cursor.fetchall()
    return [
        (
            int(row[0]),
            Readings(np.array(row[1], dtype=np.int64), *(np.array(values, dtype=np.float64) for values in row[2:])),
        )
        for row in rows
    ]


def _cut(found: Readings, span: Span) -> Readings:
    first_us, last_us = (int(at.timestamp() * 1_000_000) for at in (span.start_at, span.end_at))
    first, last = np.searchsorted(found.at_us, [first_us, last_us])
    return found.slice(int(first), int(last))


def _joined(pieces: list[Readings]) -> Readings:
    if len(pieces) == 1:
        return pieces[0]
    at_us: npt.NDArray[np.int64] = np.concatenate([piece.at_us for piece in pieces])
    at_us, first = np.unique(at_us, return_index=True)
    return Readings(at_us, *(np.concatenate([getattr(piece, name) for piece in pieces])[first] for name in FLOATS))
