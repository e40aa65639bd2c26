"""The bill of a provider as a source: joins client and parser."""

from collections.abc import Iterator, Mapping
from decimal import Decimal
from pathlib import Path

from aiobserve.domain.window import Span
from collectors.base import Batch, SourceGarbled
from collectors.billing.client import columns_and_rows, fingerprint, pieces
from collectors.billing.parse import REQUIRED, Terms, notices, parse

VERSION = 1
DOCUMENT_LENGTH = 16


class FocusBill:
    """A file of a bill in FOCUS 1.0 to 1.2, CSV or Parquet.

    A newer file of the same provider, account and billing period replaces the older one; with `is_part` it adds to it.
    """

    name = "focus-bill"

    def __init__(self, path: Path, *, is_part: bool = False, usd_per_unit: Mapping[str, str] | None = None) -> None:
        self.path = path
        self.is_part = is_part
        self.usd_per_unit = {unit: Decimal(str(rate)) for unit, rate in (usd_per_unit or {}).items()}

    def collect(self, span: Span | None = None) -> Iterator[Batch]:
        """Yield the bill's lines, 20,000 rows at a time; nothing when its end cannot be read.

        Raises:
            SourceGarbled: the file is no bill; the message lists the columns that were found.
        """
        columns, rows = columns_and_rows(self.path)
        missing = [name for name in REQUIRED if name not in columns]
        if missing:
            raise SourceGarbled(
                f"{self.path}: no FOCUS bill: column {', '.join(missing)} is missing; found {', '.join(columns)}"
            )
        key = fingerprint(self.path)
        rates = " ".join(f"{unit}={rate}" for unit, rate in sorted(self.usd_per_unit.items()))
        terms = Terms(f"{key[:DOCUMENT_LENGTH]} {rates}".strip(), self.is_part, self.usd_per_unit)
        first = 1
        for piece in pieces(self.path):
            lines, rejections = parse(piece, first_position=first, terms=terms)
            told = notices(columns) if first == 1 else []
            frames = {"bill_lines": lines} if len(lines) else {}
            last = first + len(piece) - 1
            what = f"{key} v{VERSION} {rates} rows {first}-{last} of {rows}"
            yield Batch(self.name, what.replace("  ", " "), frames, (*told, *rejections), last_wins=True)
            first = last + 1
