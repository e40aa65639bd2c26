"""Writes what an ingest batch held, so that a figure can be led back to the batches that its inputs came in."""

from collections.abc import Mapping

import pandas as pd

from aiobserve.store.models import IngestContent

# The column that says when a row of a table was.
INSTANT_OF = {"telemetry": "at", "intervals": "start_at", "signals": "start_at", "checkpoints": "at"}


def write_contents(batch_id: int, frames: Mapping[str, pd.DataFrame]) -> None:
    """Record rows, first and last instant of each table of a batch."""
    IngestContent.objects.bulk_create(
        [
            IngestContent(
                batch_id=batch_id,
                frame=name,
                rows=len(frame),
                first_at=_edge(name, frame, "min"),
                last_at=_edge(name, frame, "max"),
            )
            for name, frame in frames.items()
        ]
    )


def _edge(name: str, frame: pd.DataFrame, which: str) -> pd.Timestamp | None:
    column = INSTANT_OF.get(name)
    if column is None or frame.empty:
        return None
    return frame[column].agg(which)
