"""`aiobserve replay table elasticflow`: how many elastic trainings end in time on a cluster, by policy."""

from dataclasses import asdict
from pathlib import Path

import click
from plotly import graph_objects

from aiobserve.commands.replay_table import check_hourly, file_type, show
from aiobserve.commands.terminal import expected_errors, json_option, spinner, writing
from aiobserve.domain.units import SECONDS_PER_MINUTE
from collectors.base import SourceGarbled
from collectors.traces.regular_signals import read_signal
from collectors.traces.replay_jobs import read_elastic_jobs, read_throughputs
from scheduler.replay.elasticflow import Elastic, Grid, Outcome, outcomes

# Its board power.
T4_POWER_W = 70.0

folder_type = click.Path(file_okay=False, path_type=Path)


@click.command("elasticflow")
@click.option("--jobs", type=file_type, required=True, help="CSV: job_id, submit_time, iteration, model_name, ddl, ...")
@click.option("--throughputs", type=folder_type, required=True, help="Folder of MODEL.csv: iterations/s by GPUs.")
@click.option("--nodes", type=click.IntRange(1), required=True)
@click.option("--gpus-per-node", type=click.IntRange(1), required=True)
@click.option("--slot-s", type=click.IntRange(1), default=SECONDS_PER_MINUTE, show_default=True,
              help="GPUs are handed out anew at most so often.")  # fmt: skip
@click.option("--carbon", type=file_type, default=None, help="CSV: UTC time and g/kWh, hourly; adds carbon and pauses.")
@click.option("--start-row", type=click.IntRange(0), default=0, show_default=True, help="Hour of the first submission.")
@click.option("--gpu-power-w", type=click.FloatRange(0), default=T4_POWER_W, show_default=True)
@click.option("--chart", type=file_type, default=None, help="HTML file: deadlines kept against carbon.")
@json_option
@expected_errors
def elasticflow_table(
    jobs: Path,
    throughputs: Path,
    nodes: int,
    gpus_per_node: int,
    slot_s: int,
    carbon: Path | None,
    start_row: int,
    gpu_power_w: float,
    chart: Path | None,
    as_json: bool,
) -> None:
    """Deadlines kept: EDF without admission, the minimum satisfactory share, ours, and each job alone as the bound."""
    read, rates = read_elastic_jobs(jobs), read_throughputs(throughputs)
    made = []
    for key, submit, deadline, work, model, size in zip(
        read.key, read.submit_s.tolist(), read.deadline_s.tolist(), read.iterations.tolist(), read.model,
        read.batch_size.tolist(), strict=True,
    ):  # fmt: skip
        if (model, size) not in rates:
            known = ", ".join(f"{name} {batch}" for name, batch in sorted(rates))
            raise SourceGarbled(
                f"{jobs}: job {key}: no throughput of {model} at batch {size} in {throughputs}; there are {known}"
            )
        made.append(Elastic(key, submit, deadline, work, rates[model, size]))
    if len(set(read.key)) < len(made):
        raise SourceGarbled(f"{jobs}: a job_id stands twice; each must be its own")
    if chart is not None and carbon is None:
        raise click.UsageError("--chart shows deadlines against carbon: give --carbon")
    grid = None if carbon is None else _grid(carbon, start_row, gpu_power_w)
    with spinner(f"{len(made)} trainings", quiet=as_json):
        found = list(outcomes(made, gpus=nodes * gpus_per_node, slot_s=slot_s, grid=grid))
    rows = []
    for one in found:
        told = asdict(one)
        rows.append({"row": told.pop("policy"), **told})
    if chart is not None:
        with writing(chart):
            _figure(found).write_html(chart, include_plotlyjs=True)
    show("elasticflow", rows, as_json=as_json)


def _grid(path: Path, start_row: int, power_w: float) -> Grid:
    signal = read_signal(path)
    check_hourly(path, signal.step_s)
    if start_row >= len(signal.value):
        raise click.UsageError(f"--start-row {start_row} is past the {len(signal.value)} hours of {path}")
    return Grid(signal.value[start_row:], power_w)


def _figure(found: list[Outcome]) -> graph_objects.Figure:
    """Return one point a policy: carbon across, deadlines kept upwards."""
    figure = graph_objects.Figure(
        [
            graph_objects.Scatter(
                x=[one.carbon_kg], y=[100 * one.deadline_ratio], name=one.policy, mode="markers", marker={"size": 11}
            )
            for one in found
            if one.carbon_kg is not None
        ]
    )
    figure.update_layout(
        title="Deadlines kept against carbon",
        xaxis_title="carbon, kg",
        yaxis_title="deadlines kept, %",
        template="plotly_white",
    )
    figure.update_xaxes(rangemode="tozero")
    return figure
