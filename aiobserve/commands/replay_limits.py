"""`aiobserve replay table shifting-limits`: how much shifting in time can save at most."""

from pathlib import Path

import click

from aiobserve.commands.replay_table import check_hourly, file_type, show
from aiobserve.commands.terminal import expected_errors, json_option, spinner
from collectors.traces.regular_signals import read_zones
from scheduler.replay.shifting_limits import JOB_HOURS, shifting_limits


@click.command("shifting-limits")
@click.option("--carbon", type=file_type, required=True, help="CSV: a UTC time column, then one column a zone, hourly.")
@click.option("--slack", type=click.IntRange(0), default=24, show_default=True, help="Hours a job may start late.")
@click.option("--hours", type=click.IntRange(1), multiple=True, help="Job length; once for each. [default: 1..168]")
@json_option
@expected_errors
def shifting_limits_table(carbon: Path, slack: int, hours: tuple[int, ...], as_json: bool) -> None:
    """How much deferral and free pauses can save at most, by job length."""
    zones = read_zones(carbon)
    check_hourly(carbon, zones.step_s)
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
