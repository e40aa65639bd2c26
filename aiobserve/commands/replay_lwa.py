"""`aiobserve replay table lwa`: what waiting saves in a year of trainings (Let's Wait Awhile, scenario "ML project")."""

from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path

import click
import numpy as np
import numpy.typing as npt

from aiobserve.commands.replay_table import file_type, show
from aiobserve.commands.terminal import expected_errors, json_option, spinner
from aiobserve.domain.units import SECONDS_PER_DAY, SECONDS_PER_HOUR, SECONDS_PER_MINUTE
from collectors.traces.regular_signals import IssuedForecasts, RegularSignal, read_forecasts, read_signal
from scheduler.replay.issued import issued_cells
from scheduler.replay.lets_wait_awhile import MAX_RESUMES, Cell, NoWholeYear, honest_cells, paper_cells, project
from scheduler.replay.ml_project import RULES

HALF_HOUR_S = SECONDS_PER_HOUR // 2
# A job may run for 90 hours and wait until the second half week after that.
DAYS_AFTER = 8
DEFAULT_RESUME_MINUTES = 15.0


@click.command("lwa")
@click.option("--carbon", type=file_type, required=True, help="CSV: UTC time and g/kWh, hourly or half-hourly.")
@click.option("--column", default=None, help="Column of --carbon with the values, when there are several.")
@click.option("--mode", type=click.Choice(["paper", "honest"]), default="paper", show_default=True)
@click.option("--year", type=int, default=None, help="The first year that the files cover by default.")
@click.option(
    "--error", type=click.FloatRange(0), default=0.05, show_default=True, help="Forecast noise over the mean."
)
@click.option("--seeds", type=click.IntRange(1), default=10, show_default=True, help="How many draws of the noise.")
@click.option("--capacity", type=click.IntRange(1), default=None, help="Jobs at once; by default run-now's peak.")
@click.option("--resume-minutes", type=click.FloatRange(0), default=None, help="Lost by each resume.  [default: 15]")
@click.option("--max-pieces", type=click.IntRange(1), default=MAX_RESUMES + 1, show_default=True, help="Honest mode.")
@click.option("--forecast", type=file_type, default=None, help="Forecasts as issued: UTC time and g/kWh, in blocks.")
@json_option
@expected_errors
def lwa_table(
    carbon: Path,
    column: str | None,
    mode: str,
    year: int | None,
    error: float,
    seeds: int,
    capacity: int | None,
    resume_minutes: float | None,
    max_pieces: int,
    forecast: Path | None,
    as_json: bool,
) -> None:
    """What waiting saves: paper mode as published, honest mode with strict deadlines, seats and costly resumes.

    With --forecast plans are made from forecasts as they were issued, on any number of seats, with strict deadlines and
    pauses that are free unless --resume-minutes is given.
    """
    signal = read_signal(carbon, column=column, every_s=HALF_HOUR_S)
    issued = read_forecasts(forecast) if forecast else None
    if issued is not None and capacity is not None:
        raise click.UsageError("--capacity does not go with --forecast: those rows have any number of seats")
    year_at = _year_at(signal, issued, year, carbon)
    first = int((year_at - signal.start_at).total_seconds()) // signal.step_s
    days = (year_at.replace(year=year_at.year + 1) - year_at).days + DAYS_AFTER + 2
    g_per_kwh = signal.value[first : first + days * SECONDS_PER_DAY // signal.step_s]
    with spinner(f"{year_at.year}, {mode} mode", quiet=as_json):
        if issued is not None:
            cells = _as_issued(signal, issued, g_per_kwh, year_at, first, mode, resume_minutes or 0.0)
        elif mode == "paper":
            cells = list(paper_cells(g_per_kwh, year_at=year_at, slot_s=signal.step_s, error=error, seeds=range(seeds)))
        else:
            minutes = DEFAULT_RESUME_MINUTES if resume_minutes is None else resume_minutes
            cells = list(
                honest_cells(
                    g_per_kwh,
                    year_at=year_at,
                    slot_s=signal.step_s,
                    error=error,
                    seeds=range(seeds),
                    seats=capacity,
                    resume_s=minutes * SECONDS_PER_MINUTE,
                    max_pieces=max_pieces,
                )
            )
    show("lwa", [{**asdict(one), "year": year_at.year, "mode": mode} for one in cells], as_json=as_json)


def _as_issued(
    signal: RegularSignal,
    issued: IssuedForecasts,
    g_per_kwh: npt.NDArray[np.float64],
    year_at: datetime,
    first: int,
    mode: str,
    resume_minutes: float,
) -> list[Cell]:
    if signal.step_s != SECONDS_PER_HOUR or issued.step_s != SECONDS_PER_HOUR:
        raise click.UsageError(
            f"--forecast needs hourly files; these have steps of {signal.step_s} and {issued.step_s} s"
        )
    projects = {
        rule: project(g_per_kwh, year_at=year_at, slot_s=signal.step_s, rule=rule, calendar=mode == "honest")
        for rule in RULES
    }
    by_hour = {
        int((at - signal.start_at).total_seconds()) // SECONDS_PER_HOUR: values
        for at, values in zip(issued.issued_at, issued.value, strict=True)
        if at >= signal.start_at
    }
    resume_slots = resume_minutes * SECONDS_PER_MINUTE / signal.step_s
    return list(issued_cells(projects, signal.value, by_hour, first=first, resume_slots=resume_slots))


def _year_at(signal: RegularSignal, issued: IssuedForecasts | None, year: int | None, path: Path) -> datetime:
    """Return the first of January of the year that is asked for, or of the first that the files cover."""
    begins = max(signal.start_at, issued.issued_at[0]) if issued else signal.start_at
    ends = signal.start_at.timestamp() + signal.step_s * len(signal.value)
    first = begins.year if begins == datetime(begins.year, 1, 1, tzinfo=UTC) else begins.year + 1
    at = datetime(first if year is None else year, 1, 1, tzinfo=UTC)
    if at < begins or at.replace(year=at.year + 1).timestamp() + DAYS_AFTER * SECONDS_PER_DAY > ends:
        covered = f"{begins:%Y-%m-%d} to {datetime.fromtimestamp(ends, UTC):%Y-%m-%d}"
        raise NoWholeYear(f"{path}: covers {covered}; needs all of {at.year} and {DAYS_AFTER} days after it")
    return at
