"""`aiobserve replay`: any policy over recorded jobs and signals, and the published tables."""

from dataclasses import asdict
from datetime import UTC, datetime, time, timedelta
from functools import partial
from pathlib import Path

import click
import numpy as np
import numpy.typing as npt

from aiobserve.commands.replay_elasticflow import elasticflow_table
from aiobserve.commands.replay_gaia import gaia_table
from aiobserve.commands.replay_limits import shifting_limits_table
from aiobserve.commands.replay_lwa import lwa_table
from aiobserve.commands.replay_table import file_type, show, table
from aiobserve.commands.terminal import expected_errors, json_option, progress
from aiobserve.domain.units import SECONDS_PER_DAY, SECONDS_PER_HOUR
from collectors.base import SourceGarbled
from collectors.traces.regular_signals import RegularSignal, read_forecasts, read_signal
from collectors.traces.replay_jobs import RecordedJobs, read_jobs
from scheduler.forecasting.blend import Blend
from scheduler.job import Job
from scheduler.policy import POLICIES
from scheduler.replay.rolling import POOL, Belief, Recording, bound, check, peak_at_once, run
from scheduler.slots import Slots

FloatArray = npt.NDArray[np.float64]

DEFAULT_POWER_W_PER_GPU = 400.0
DEFAULT_WAIT_H = 24.0
# Day-ahead auctions have spoken by then.
AUCTION_HOUR = 12


@click.group(invoke_without_command=True)
@click.option("--jobs", type=file_type, default=None, help="CSV or Parquet: submitted_at, duration_s, gpus, ...")
@click.option("--signal", type=file_type, default=None, help="CSV or Parquet: UTC time and g/kWh, as it was.")
@click.option("--forecast", type=file_type, default=None, help="Forecasts of --signal as issued; else yesterday again.")
@click.option("--price", type=file_type, default=None, help="CSV or Parquet: UTC time and USD/MWh, day-ahead.")
@click.option("--capacity", type=click.IntRange(1), default=None, help="GPUs; by default what run-now would use.")
@click.option("--policy", type=click.Choice(list(POLICIES)), default="lowest_carbon", show_default=True)
@click.option("--max-wait-h", type=click.FloatRange(0), default=DEFAULT_WAIT_H, show_default=True,
              help="Of jobs without a deadline or a longest wait of their own.")  # fmt: skip
@click.option("--gpu-power-w", type=click.FloatRange(0), default=DEFAULT_POWER_W_PER_GPU, show_default=True,
              help="Of jobs without power_w.")  # fmt: skip
@json_option
@click.pass_context
@expected_errors
def replay(
    context: click.Context,
    jobs: Path | None,
    signal: Path | None,
    forecast: Path | None,
    price: Path | None,
    capacity: int | None,
    policy: str,
    max_wait_h: float,
    gpu_power_w: float,
    as_json: bool,
) -> None:
    """Replay recorded jobs under a policy, against run-now and the best possible.

    Prints run_now (in order of submission on the same GPUs), the policy by what was known then, the policy with perfect
    forecasts, and a bound that no plan can beat. docs/scheduling.md lists the columns.
    """
    if context.invoked_subcommand is not None:
        return
    if jobs is None or signal is None:
        raise click.UsageError("give --jobs and --signal, or name a published table: aiobserve replay table --help")
    carbon = read_signal(signal)
    prices = _like(carbon, read_signal(price), price) if price else np.full(len(carbon.value), np.nan)
    if "usd_per_mwh" in POLICIES[policy].needs and price is None:
        raise click.UsageError(f"{policy} goes by the price of electricity: give --price")
    slots = Slots(carbon.start_at, carbon.step_s, len(carbon.value))
    made = _made(read_jobs(jobs), carbon.start_at, max_wait_h, gpu_power_w)
    recording = Recording(made, slots, carbon.value, prices)
    check(recording)
    gpus = peak_at_once(recording) if capacity is None else capacity
    too_big = max(made, key=lambda job: job.gpus)
    if too_big.gpus > gpus:
        raise click.UsageError(f"job {too_big.key} needs {too_big.gpus} GPUs, --capacity is {gpus}")
    perfect = partial(_perfect, recording, carbon.value)
    price_belief = partial(_day_ahead, recording, prices) if price else None
    rows = []
    with progress(quiet=as_json) as display:
        for name, one, belief in (
            ("run_now", POLICIES["run_now"], perfect),
            (policy, POLICIES[policy], _known(recording, carbon, forecast)),
            (f"{policy}_perfect_forecast", POLICIES[policy], perfect),
        ):
            bar = display.add_task(name, total=slots.n)
            told = run(
                recording, one, gpus=gpus, carbon=belief, price=price_belief, on_slot=partial(display.advance, bar)
            )
            rows.append({**asdict(told), "policy": name})
    rows.append(asdict(bound(recording, POLICIES[policy])))
    for row in rows:
        row["row"] = row.pop("policy")
        for name in ("carbon_kg", "cost_usd"):
            at_once = rows[0][name]
            row[f"{name.split('_')[0]}_saving_percent"] = 100 * (1 - row[name] / at_once) if at_once else 0.0
        row["capacity_gpus"] = gpus
    if price is None:
        rows = [{name: value for name, value in row.items() if not name.startswith("cost")} for row in rows]
    show("replay", rows, as_json=as_json)


for command in (lwa_table, gaia_table, shifting_limits_table, elasticflow_table):
    table.add_command(command)
replay.add_command(table)


def _perfect(recording: Recording, values: FloatArray, slot: int) -> tuple[FloatArray, datetime]:
    return values[slot:], recording.at(slot)


def _day_ahead(recording: Recording, values: FloatArray, slot: int) -> tuple[FloatArray, datetime]:
    """Return prices as an auction tells them: to the end of the day, from noon to that of the next; then the last day again."""
    now_at = recording.at(slot)
    last_day = now_at.date() + timedelta(days=1 if now_at.hour >= AUCTION_HOUR else 0)
    told = (datetime.combine(last_day, time.max, UTC) - now_at).total_seconds() // recording.slots.slot_s + 1
    known = values[slot : slot + int(told)]
    a_day = SECONDS_PER_DAY // recording.slots.slot_s
    again = values[max(slot + len(known) - a_day, 0) : slot + len(known)]
    return np.concatenate([known, np.resize(again, recording.slots.n - slot - len(known))]), now_at


def _known(recording: Recording, carbon: RegularSignal, forecast: Path | None) -> Belief:
    """Return what was known at each slot: the issues and measurements until then, or yesterday's values again."""
    a_day = SECONDS_PER_DAY // carbon.step_s
    if forecast is None:

        def yesterday(slot: int) -> tuple[FloatArray, datetime]:
            # On the first day nothing is known but the present.
            past = carbon.value[max(slot - a_day, 0) : slot] if slot else carbon.value[:1]
            return np.resize(past, recording.slots.n - slot), recording.at(slot)

        return yesterday
    issued = read_forecasts(forecast)
    if {issued.step_s, carbon.step_s} != {SECONDS_PER_HOUR}:
        raise click.UsageError(
            f"--forecast needs hourly files; these have steps of {carbon.step_s} and {issued.step_s} s"
        )
    by_hour = {
        int((at - carbon.start_at).total_seconds()) // SECONDS_PER_HOUR: values
        for at, values in zip(issued.issued_at, issued.value, strict=True)
        if at >= carbon.start_at
    }
    if not by_hour:
        raise SourceGarbled(f"{forecast}: every issue is before {carbon.start_at:%Y-%m-%d}, where the signal begins")
    longest = max(recording.held_slots(job) for job in recording.jobs)
    blend = Blend(carbon.value, by_hour, horizon=max(longest + a_day, *map(len, by_hour.values())))
    remembered: dict[int, FloatArray] = {}

    def ours(slot: int) -> tuple[FloatArray, datetime]:
        if slot not in remembered:
            remembered[slot] = blend.at(slot)
        return remembered[slot], recording.at(blend.issued_hour(slot))

    return ours


def _like(carbon: RegularSignal, price: RegularSignal, path: Path | None) -> FloatArray:
    """Return prices on the slots of the intensity; the files must begin, step and end alike or cover them."""
    first = int((carbon.start_at - price.start_at).total_seconds())
    if price.step_s != carbon.step_s or first < 0 or first % price.step_s:
        raise click.UsageError(
            f"{path}: must have the steps of --signal, {carbon.step_s} s, from {carbon.start_at:%Y-%m-%d %H:%MZ} on"
        )
    values = price.value[first // price.step_s :][: len(carbon.value)]
    if len(values) < len(carbon.value):
        raise click.UsageError(f"{path}: ends {len(carbon.value) - len(values)} steps before --signal does")
    return values


def _made(read: RecordedJobs, start_at: datetime, max_wait_h: float, gpu_power_w: float) -> tuple[Job, ...]:
    jobs = []
    for k, key in enumerate(read.key):
        submitted_at = (
            read.submitted_at[k]
            if read.submitted_at is not None
            else start_at + timedelta(seconds=0.0 if read.submit_s is None else float(read.submit_s[k]))
        )
        deadline_at = None if read.deadline_at is None else read.deadline_at[k]
        wait_h = max_wait_h if read.max_wait_h is None else float(read.max_wait_h[k])
        jobs.append(
            Job(
                key=key,
                pool=POOL,
                gpus=int(read.gpus[k]),
                runtime_s=float(read.duration_s[k]),
                power_w=gpu_power_w * int(read.gpus[k]) if read.power_w is None else float(read.power_w[k]),
                submitted_at=submitted_at,
                deadline_at=deadline_at,
                max_wait_s=None if deadline_at is not None and read.max_wait_h is None else wait_h * SECONDS_PER_HOUR,
            )
        )
    return tuple(jobs)
