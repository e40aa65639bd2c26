"""Takes batches from a source into the store, each once, and says how it went."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from itertools import chain, islice

from aiobserve.domain.window import Span
from aiobserve.store.write.ingest import write_batch
from aiobserve.store.write.telemetry import open_hour
from collectors.base import Batch, Collector


@dataclass(frozen=True)
class Collected:
    """What a run of a source brought in: rows taken, rows refused, gaps in the material and the steps these lack."""

    batches: int = 0
    new_batches: int = 0
    rows: int = 0
    rejected: int = 0
    gaps: int = 0
    missing_steps: int = 0

    def plus(self, batch: Batch, *, new: bool) -> "Collected":
        """Return the sums with one more batch; one that was there already adds nothing to the rest."""
        return Collected(
            self.batches + 1,
            self.new_batches + new,
            self.rows + new * batch.rows,
            self.rejected + new * batch.rejected,
            self.gaps + new * len(batch.gaps),
            self.missing_steps + new * sum(gap.steps for gap in batch.gaps),
        )


@dataclass
class Opened:
    """A source whose first batch was read: it is there, and it is what it says it is."""

    name: str
    batches: Iterator[Batch]

    def collect(self, span: Span | None = None) -> Iterator[Batch]:
        """Yield all batches, the first included; once."""
        return self.batches


def opened(collector: Collector) -> Opened:
    """Return the source with its first batch read.

    Raises:
        SourceUnavailable, SourceRefused, SourceGarbled: it has none to give.
    """
    batches = collector.collect(None)
    first = list(islice(batches, 1))
    return Opened(collector.name, chain(first, batches))


def collect(
    organisation_id: int,
    collector: Collector,
    *,
    now_at: datetime,
    span: Span | None = None,
    on_batch: Callable[[Batch, Collected], None] = lambda batch, so_far: None,
) -> Collected:
    """Write every batch of a source that was not written before, or counts no more; safe to stop and to run again.

    Raises:
        SourceUnavailable, SourceRefused, SourceGarbled: from the source; batches written so far stay.
    """
    so_far = Collected()
    for batch in collector.collect(span):
        new = write_batch(
            organisation_id,
            source=batch.source,
            batch_id=batch.batch_id,
            frames=batch.frames,
            rejected=batch.rejected,
            notices=_notices(batch),
            hot_from_at=open_hour(now_at),
            last_wins=batch.last_wins,
        )
        so_far = so_far.plus(batch, new=new)
        on_batch(batch, so_far)
    return so_far


def _notices(batch: Batch) -> list[tuple[int, str, str]]:
    refused = [(one.position, one.reason, one.excerpt) for one in batch.rejections]
    return [*refused, *((gap.position, gap.reason, "") for gap in batch.gaps)]
