"""What the readers of signal files share: hourly rows into signal steps, in batches."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pandas as pd

from aiobserve.domain.frames import SIGNALS
from aiobserve.domain.identity import digest
from collectors.base import Batch, Gap, Rejection
from collectors.traces.files import fingerprint, pieces

HOUR = pd.Timedelta(hours=1)
BATCH_ROWS = 20_000
VERSION = 1
TERMS_DIGITS = 16


@dataclass(frozen=True)
class Parsed:
    """What a file of signals came to: its steps, the rows that were refused, and the hours that it lacks."""

    signals: pd.DataFrame
    rejections: list[Rejection]
    gaps: list[Gap] = field(default_factory=list)


def signal_batches(name: str, path: Path, parsed: Parsed, *, terms: str = "") -> Iterator[Batch]:
    """Yield the signals of a file, 20,000 rows at a time; the first batch carries the rejections and gaps.

    Args:
        terms: what else decides the values, such as a rate of exchange; other terms make other batches.
    """
    key = f"{fingerprint(path)} v{VERSION}" + (f" terms {digest(terms)[:TERMS_DIGITS]}" if terms else "")
    rejections, gaps = tuple(parsed.rejections), tuple(parsed.gaps)
    if parsed.signals.empty:
        yield Batch(name, f"{key} rows 0-0", {}, rejections, gaps)
    for piece in pieces(len(parsed.signals), BATCH_ROWS):
        frames = {"signals": parsed.signals.iloc[piece].reset_index(drop=True)}
        batch_id = f"{key} rows {piece.start}-{piece.stop}"
        notices = (rejections, gaps) if piece.start == 0 else ((), ())
        yield Batch(name, batch_id, frames, *notices, last_wins=True)


def hourly(
    *,
    kind: str,
    scope: "pd.Series[Any] | str",
    source: str,
    start_at: "pd.Series[pd.Timestamp]",
    value: "pd.Series[float]",
    quality: "pd.Series[Any] | int",
    issued_at: "pd.Series[pd.Timestamp] | None" = None,
) -> pd.DataFrame:
    """Return hourly steps as a checked frame of signals."""
    frame = pd.DataFrame({"start_at": start_at, "value": value})
    return SIGNALS.check(
        frame.assign(
            kind=kind,
            scope=scope,
            source=source,
            issued_at=pd.NaT if issued_at is None else issued_at,
            end_at=frame["start_at"] + HOUR,
            quality=quality,
        )
    )


def missing_hours(start_at: "pd.Series[pd.Timestamp]", positions: "pd.Series[int]", what: str) -> list[Gap]:
    """Return each hole in hourly rows: the row after which it opens, and how long it is."""
    order = start_at.sort_values()
    step = order.diff().shift(-1)
    holes = step[step > HOUR]
    lengths = {row: int(gap / HOUR) - 1 for row, gap in holes.items()}
    return [
        Gap(
            int(positions[row]),
            f"{length} hours of {what} are missing after {start_at[row]:%Y-%m-%d %H:%M}Z",
            length,
        )
        for row, length in lengths.items()
    ]
