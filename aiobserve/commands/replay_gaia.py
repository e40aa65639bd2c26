"""`aiobserve replay table gaia`: carbon, money and waiting under the policies that GAIA compares, and ours."""

from collections.abc import Callable
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import Any

import click
import numpy as np

from aiobserve.commands.replay_table import check_hourly, file_type, show
from aiobserve.commands.terminal import expected_errors, json_option, progress
from aiobserve.domain.units import SECONDS_PER_HOUR
from collectors.traces.regular_signals import RegularSignal, read_forecasts, read_signal
from collectors.traces.replay_jobs import read_batch_jobs
from scheduler.forecasting.blend import Blend
from scheduler.replay import gaia_policies as policies
from scheduler.replay.gaia import (
    TICK_S,
    TICKS_PER_HOUR,
    Intensity,
    JobsOutlastSignal,
    Trace,
    account,
    reserved_first,
    trace,
)
from scheduler.replay.gaia_issued import DAILY, HOURLY, ONCE, suspend_by
from scheduler.replay.spans import Spans

Place = Callable[[Trace, Intensity], list[Spans]]

# As published: what GAIA compares its policies at.
DEFAULT_RESERVED = 9
HOURS_OF_A_MONTH = 720


@click.command("gaia")
@click.option("--jobs", type=file_type, required=True, help="CSV: arrival_time (s), length (s), cpus.")
@click.option("--carbon", type=file_type, required=True, help="CSV: UTC time and g/kWh, hourly.")
@click.option("--column", default=None, help="Column of --carbon with the values, when there are several.")
@click.option("--start-row", type=click.IntRange(0), default=0, show_default=True, help="Hour in which the jobs begin.")
@click.option("--hours", type=click.IntRange(1), default=HOURS_OF_A_MONTH, show_default=True)
@click.option("--reserved", type=click.IntRange(0), default=DEFAULT_RESERVED, show_default=True)
@click.option("--wait-price", type=click.FloatRange(0), default=policies.WAIT_PRICE, show_default=True,
              help="Hours of running that an hour of waiting is worth to `ours`.")  # fmt: skip
@click.option("--forecast", type=file_type, default=None, help="Forecasts as issued: UTC time and g/kWh, in blocks.")
@json_option
@expected_errors
def gaia_table(
    jobs: Path,
    carbon: Path,
    column: str | None,
    start_row: int,
    hours: int,
    reserved: int,
    wait_price: float,
    forecast: Path | None,
    as_json: bool,
) -> None:
    """Carbon, money and waiting, against no wait and the suspend/resume optimum."""
    read = read_batch_jobs(jobs)
    made = trace(read.arrival_s, read.length_s, read.cpus)
    recorded = read_signal(carbon, column=column)
    check_hourly(carbon, recorded.step_s)
    signal = Intensity(recorded.value[start_row : start_row + hours])
    latest = int((made.arrival + made.length + made.max_wait).max()) if len(made.arrival) else 0
    if latest > signal.end:
        short_h = -(-(latest - signal.end) * TICK_S // SECONDS_PER_HOUR)
        raise JobsOutlastSignal(
            f"{carbon}: rows {start_row} to {start_row + hours} end {short_h} h before the last job may; give more --hours"
        )
    places = _places(reserved, wait_price)
    if forecast is not None:
        places |= _as_issued(recorded, forecast, start_row, made)
    rows: list[dict[str, Any]] = []
    with progress(quiet=as_json) as display:
        for name, place in display.track(places.items(), description="replaying"):
            told = asdict(account(made, signal, place(made, signal), reserved=reserved))
            first = rows[0]["carbon_g"] if rows else told["carbon_g"]
            rows.append({"row": name, "carbon_ratio": told["carbon_g"] / first if first else 1.0, **told})
    show("gaia", rows, as_json=as_json)


def _places(reserved: int, wait_price: float) -> dict[str, Place]:
    def by_carbon_time(jobs: Trace, signal: Intensity) -> list[Spans]:
        starts = np.array([pieces[0][0] for pieces in policies.carbon_time(jobs, signal)])
        return reserved_first(jobs, starts, reserved=reserved)

    return {
        "no_wait": policies.no_wait,
        "lowest_slot": policies.lowest_slot,
        "lowest_window": policies.lowest_window,
        "carbon_time": policies.carbon_time,
        "reserved_first": by_carbon_time,
        "ecovisor": policies.ecovisor,
        "lowest_window_known": partial(policies.lowest_window, known=True),
        "carbon_time_known": partial(policies.carbon_time, known=True),
        "suspend_resume_optimum": policies.suspend_resume_optimum,
        "ours": partial(policies.ours, wait_price=wait_price),
        "ours_patient": partial(policies.ours, wait_price=policies.PATIENT_WAIT_PRICE),
    }


def _as_issued(recorded: RegularSignal, forecast: Path, start_row: int, made: Trace) -> dict[str, Place]:
    """Return suspend/resume of jobs of known length by what was known when."""
    issued = read_forecasts(forecast)
    check_hourly(forecast, issued.step_s)
    by_hour = {
        int((at - recorded.start_at).total_seconds()) // SECONDS_PER_HOUR: values
        for at, values in zip(issued.issued_at, issued.value, strict=True)
        if at >= recorded.start_at
    }
    if not by_hour:
        raise click.ClickException(
            f"{forecast}: every issue is before {recorded.start_at:%Y-%m-%d}, where the signal begins"
        )
    # The window of the longest job, and the parts of hours at both its ends.
    horizon = int((made.length + made.max_wait).max()) // TICKS_PER_HOUR + 2
    blend = Blend(recorded.value, by_hour, horizon=horizon)
    known: dict[int, np.ndarray] = {}

    def ours(hour: int) -> np.ndarray:
        if hour not in known:
            known[hour] = blend.at(hour + start_row)
        return known[hour]

    def by(belief: Callable[[int], np.ndarray], every: int) -> Place:
        return lambda jobs, signal: suspend_by(jobs, belief, every_hours=every)

    return {
        "suspend_resume_issued_once": by(lambda hour: blend.issue_at(hour + start_row), ONCE),
        "suspend_resume_issued_daily": by(lambda hour: blend.issue_at(hour + start_row), DAILY),
        "suspend_resume_yesterday_again": by(lambda hour: blend.yesterday_at(hour + start_row), DAILY),
        "ours_issued": by(ours, HOURLY),
    }
