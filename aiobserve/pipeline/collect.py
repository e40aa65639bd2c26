"""Takes batches from a source into the store, each once, and says how it went."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from aiobserve.domain.window import Span
from aiobserve.store.write.ingest import write_batch
from aiobserve.store.write.telemetry import open_hour
from collectors.base import Batch, Collector


@dataclass(frozen=True)
class Collected:
    """What a run of a source brought in."""

    batches: int = 0
    new_batches: int = 0
    rows: int = 0
    rejected: int = 0

    def plus(self, *, new: bool, rows: int, rejected: int) -> "Collected":
        """Return the sums with one more batch."""
        return Collected(self.batches + 1, self.new_batches + new, self.rows + rows, self.rejected + rejected)


def collect(
    organisation_id: int,
    collector: Collector,
    *,
    now_at: datetime,
    span: Span | None = None,
    on_batch: Callable[[Batch, Collected], None] = lambda batch, so_far: None,
) -> Collected:
    """Write every batch of a source that was not written before; safe to stop at any instant and to run again.

    Raises:
        SourceUnavailable, SourceRefused, SourceGarbled: from the source; batches written so far stay.
    """
    so_far = Collected()
    for batch in collector.collect(span):
        written = write_batch(
            organisation_id,
            source=batch.source,
            batch_id=batch.batch_id,
            frames=batch.frames,
            rejections=[(one.position, one.reason, one.excerpt) for one in batch.rejections],
            hot_from_at=open_hour(now_at),
        )
        so_far = so_far.plus(new=written.new, rows=written.rows, rejected=written.rejected)
        on_batch(batch, so_far)
    return so_far
