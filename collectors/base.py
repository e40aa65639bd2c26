"""What every source gives: batches of checked frames, with the rows it had to refuse."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Protocol

import pandas as pd

from aiobserve.domain.window import Span


class SourceUnavailable(RuntimeError):
    """The upstream did not answer, or the file is not there; trying again may help."""


class SourceRefused(RuntimeError):
    """The upstream answered that we may not; an operator has to act."""


class SourceGarbled(ValueError):
    """The upstream answered with something that is not what it says it is."""


@dataclass(frozen=True)
class Rejection:
    """One record that was not taken in, or many with one fault: where it stands, why, and what it looked like.

    Attributes:
        position: 1-based line or row in the payload, as a person would find it; of many, the first.
        reason: what is wrong with it, in words.
        excerpt: the record, cut to a readable length; text in it is data, never markup.
        rows: how many records it stands for.
    """

    position: int
    reason: str
    excerpt: str = ""
    rows: int = 1


@dataclass(frozen=True)
class Gap:
    """Records that the payload should have and has not; nothing was refused.

    Attributes:
        position: 1-based row after which the gap opens.
        reason: what is missing from when on, in words.
        steps: how many records are missing.
    """

    position: int
    reason: str
    steps: int


@dataclass(frozen=True)
class Batch:
    """Frames that are written together, once.

    Attributes:
        source: the collector's name.
        batch_id: the same text whenever the same material is read again; the store takes each once.
        last_wins: it says what holds and not what happened; where another batch has said otherwise since, it is taken
            in again and counts again.
        frames: by schema name (`aiobserve.domain.frames.FRAMES`), each already checked.
        rejections: the records of the payload that are not in the frames.
        gaps: the records that the payload lacks.
    """

    source: str
    batch_id: str
    frames: dict[str, pd.DataFrame]
    rejections: tuple[Rejection, ...] = field(default=())
    gaps: tuple[Gap, ...] = field(default=())
    last_wins: bool = False

    @property
    def rows(self) -> int:
        """Return the number of rows in all frames."""
        return sum(len(frame) for frame in self.frames.values())

    @property
    def rejected(self) -> int:
        """Return the number of records that were refused."""
        return sum(one.rows for one in self.rejections)


class Collector(Protocol):
    """A source. A constructor stores; `collect` reads."""

    name: str

    def collect(self, span: Span | None = None) -> Iterator[Batch]:
        """Yield the batches of a span, or all there is, in an order in which they may be written.

        Raises:
            SourceUnavailable, SourceRefused, SourceGarbled: nothing (more) can be read.
        """
        ...
