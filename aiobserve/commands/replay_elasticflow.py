"""`aiobserve replay table elasticflow`: how many elastic trainings end in time on a cluster, by policy."""

from dataclasses import asdict
from pathlib import Path

import click

from aiobserve.commands.replay_table import file_type, show
from aiobserve.commands.terminal import expected_errors, json_option, spinner
from aiobserve.domain.units import SECONDS_PER_MINUTE
from collectors.base import SourceGarbled
from collectors.traces.replay_jobs import read_elastic_jobs, read_throughputs
from scheduler.replay.elasticflow import Elastic, outcomes

folder_type = click.Path(file_okay=False, path_type=Path)


@click.command("elasticflow")
@click.option("--jobs", type=file_type, required=True, help="CSV: job_id, submit_time, iteration, model_name, ddl, ...")
@click.option("--throughputs", type=folder_type, required=True, help="Folder of MODEL.csv: iterations/s by GPUs.")
@click.option("--nodes", type=click.IntRange(1), required=True)
@click.option("--gpus-per-node", type=click.IntRange(1), required=True)
@click.option("--slot-s", type=click.IntRange(1), default=SECONDS_PER_MINUTE, show_default=True,
              help="GPUs are handed out anew at most so often.")  # fmt: skip
@json_option
@expected_errors
def elasticflow_table(
    jobs: Path, throughputs: Path, nodes: int, gpus_per_node: int, slot_s: int, as_json: bool
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
    with spinner(f"{len(made)} trainings", quiet=as_json):
        found = list(outcomes(made, gpus=nodes * gpus_per_node, slot_s=slot_s))
    rows = []
    for one in found:
        told = asdict(one)
        rows.append({"row": told.pop("policy"), **told})
    show("elasticflow", rows, as_json=as_json)
