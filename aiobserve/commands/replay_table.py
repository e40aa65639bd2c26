"""`aiobserve replay table`: published scheduling tables, recomputed from the files that one gives; what they share."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import click

from aiobserve.commands.terminal import answer
from aiobserve.domain.units import SECONDS_PER_HOUR

file_type = click.Path(dir_okay=False, path_type=Path)


@click.group()
def table() -> None:
    """Recompute a published table, with your own region, trace or cluster in the same format."""


def check_hourly(path: Path, step_s: int) -> None:
    """Refuse a signal that is not hourly, which the published tables are.

    Raises:
        ClickException: the message has the file and its step.
    """
    if step_s != SECONDS_PER_HOUR:
        raise click.ClickException(f"{path}: steps of {step_s} s; this table needs hourly ones")


def show(name: str, rows: Sequence[Mapping[str, Any]], *, as_json: bool) -> None:
    """Print a table: as JSON, or in columns for a person."""
    answer({"table": name, "rows": rows}, as_json=as_json, words="\n".join(_lines(rows)))


def _lines(rows: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    names = list(dict.fromkeys(name for row in rows for name in row if name != "row"))
    width = max((len(str(row["row"])) for row in rows), default=3) + 2
    yield " " * width + "  ".join(f"{name:>{_width(name)}}" for name in names)
    for row in rows:
        yield f"{row['row']:<{width}}" + "  ".join(f"{_cell(row.get(name)):>{_width(name)}}" for name in names)


def _width(name: str) -> int:
    return max(len(name), 9)


def _cell(value: object) -> str:
    if value is None:
        return "-"
    return f"{value:.4f}" if isinstance(value, float) else str(value)
