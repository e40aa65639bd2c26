"""A declared file as a source: one batch, so that it goes in whole."""

from collections.abc import Iterator
from pathlib import Path

from aiobserve.domain.identity import digest
from aiobserve.domain.window import Span
from collectors.base import Batch
from collectors.declared.client import read
from collectors.declared.parse import parse


class DeclaredFile:
    """What a person declared in a TOML file."""

    name = "declared"

    def __init__(self, path: Path) -> None:
        self.path = path

    def collect(self, span: Span | None = None) -> Iterator[Batch]:
        """Yield everything that the file declares, whatever the span.

        Raises:
            SourceUnavailable, SourceGarbled: the file cannot be read, or is no TOML; the message says where.
        """
        text = read(self.path)
        frames, rejections = parse(text, file=self.path.name)
        yield Batch(self.name, digest(text), frames, tuple(rejections), last_wins=True)
