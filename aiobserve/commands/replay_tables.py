"""`aiobserve replay table`: published scheduling tables, recomputed from the files that one gives."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import click

from aiobserve.commands.terminal import answer, expected_errors, json_option, spinner
from aiobserve.domain.units import SECONDS_PER_HOUR
from collectors.traces.regular_signals import read_zones
from scheduler.replay.shifting_limits import JOB_HOURS, shifting_limits

file_type = click.Path(dir_okay=False, path_type=Path)


@click.group()
def table() -> None:
    """Recompute a published table, with your own region, trace or cluster in the same format."""


@table.command("shifting-limits")
@click.option("--carbon", type=file_type, required=True, help="CSV: a UTC time column, then one column a zone, hourly.")
@click.option("--slack", type=click.IntRange(0), default=24, show_default=True, help="Hours a job may start late.")
@click.option("--hours", type=click.IntRange(1), multiple=True, help="Job length; once for each. [default: 1..168]")
@json_option
@expected_errors
def shifting_limits_table(carbon: Path, slack: int, hours: tuple[int, ...], as_json: bool) -> None:
    """How much deferral and free pauses can save at most, by job length."""
    zones = read_zones(carbon)
    if zones.step_s != SECONDS_PER_HOUR:
        raise click.ClickException(f"{carbon}: steps of {zones.step_s} s; this table needs hourly ones")
    with spinner("perfect knowledge of every hour", quiet=as_json):
        limits = list(shifting_limits(zones.value, slack_hours=slack, job_hours=hours or JOB_HOURS))
    show(
        "shifting-limits",
        [
            {
                "row": str(one.job_hours),
                "job_hours": one.job_hours,
                "defer_percent": one.defer_percent,
                "interrupt_extra_percent": one.interrupt_extra_percent,
                "arrivals": one.arrivals,
                "zones": len(zones.columns),
            }
            for one in limits
        ],
        as_json=as_json,
    )


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
