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
    """One record that was not taken in: where it stands, why, and what it looked like.

    Attributes:
        position: 1-based line or row in the payload, as a person would find it.
        reason: what is wrong with it, in words.
        excerpt: the record, cut to a readable length; text in it is data, never markup.
    """

    position: int
    reason: str
    excerpt: str = ""


@dataclass(frozen=True)
class Batch:
    """Frames that are written together, once.

    Attributes:
        source: the collector's name.
        batch_id: the same text whenever the same material is read again; the store takes each once.
        frames: by schema name (`aiobserve.domain.frames.FRAMES`), each already checked.
        rejections: the records of the payload that are not in the frames.
    """

    source: str
    batch_id: str
    frames: dict[str, pd.DataFrame]
    rejections: tuple[Rejection, ...] = field(default=())

    @property
    def rows(self) -> int:
        """Return the number of rows in all frames."""
        return sum(len(frame) for frame in self.frames.values())


class Collector(Protocol):
    """A source. A constructor stores; `collect` reads."""

    name: str

    def collect(self, span: Span | None = None) -> Iterator[Batch]:
        """Yield the batches of a span, or all there is, in an order in which they may be written.

        Raises:
            SourceUnavailable, SourceRefused, SourceGarbled: nothing (more) can be read.
        """
        ...
