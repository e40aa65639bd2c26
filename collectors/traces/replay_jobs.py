"""Jobs for a replay, from the public formats of GAIA and ElasticFlow, and the throughputs of elastic jobs.

For replays and published tables only; nothing read here is written to the store. One row that makes no sense refuses
the file, because a table with a job less is another table.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from collectors.base import SourceGarbled, SourceUnavailable
from collectors.traces.files import load, numbers, require

FloatArray = npt.NDArray[np.float64]
Int64Array = npt.NDArray[np.int64]

BATCH_COLUMNS = ("arrival_time", "length", "cpus")
ELASTIC_COLUMNS = ("job_id", "submit_time", "iteration", "model_name", "ddl", "batch_size", "num_gpu")
BATCH_SIZE = "global_batch_size"


@dataclass(frozen=True)
class BatchJobs:
    """Jobs of fixed size: arrival and length in seconds, CPUs; shape (jobs,) each."""

    arrival_s: FloatArray
    length_s: FloatArray
    cpus: Int64Array


@dataclass(frozen=True)
class ElasticJobs:
    """Trainings that can run on several numbers of GPUs; shape (jobs,) each.

    Attributes:
        submit_s, deadline_s: seconds on one clock.
        iterations: work.
        gpus: how many were asked for.
    """

    key: tuple[str, ...]
    submit_s: Int64Array
    deadline_s: Int64Array
    iterations: FloatArray
    model: tuple[str, ...]
    batch_size: Int64Array
    gpus: Int64Array


def read_batch_jobs(path: Path) -> BatchJobs:
    """Return the jobs of a file with the columns arrival_time (s), length (s) and cpus.

    Raises:
        SourceUnavailable, SourceGarbled: the file cannot be read, or a row makes no sense.
    """
    frame = require(load(path), BATCH_COLUMNS, path=path, what="batch jobs")
    _refuse_empty(frame, path)
    arrival, length, cpus = (_checked(frame, name, path, least=0) for name in BATCH_COLUMNS)
    return BatchJobs(arrival, length, _whole(cpus, "cpus", path))


def read_elastic_jobs(path: Path) -> ElasticJobs:
    """Return the trainings of a file in ElasticFlow's format.

    Raises:
        SourceUnavailable, SourceGarbled: the file cannot be read, or a row makes no sense.
    """
    frame = require(load(path), ELASTIC_COLUMNS, path=path, what="elastic trainings")
    _refuse_empty(frame, path)
    return ElasticJobs(
        key=tuple(frame["job_id"].astype("str")),
        submit_s=_whole(_checked(frame, "submit_time", path, least=0), "submit_time", path),
        deadline_s=_whole(_checked(frame, "ddl", path, least=0), "ddl", path),
        iterations=_checked(frame, "iteration", path, least=1),
        model=tuple(frame["model_name"].astype("str")),
        batch_size=_whole(_checked(frame, "batch_size", path, least=1), "batch_size", path),
        gpus=_whole(_checked(frame, "num_gpu", path, least=1), "num_gpu", path),
    )


def read_throughputs(folder: Path) -> dict[tuple[str, int], dict[int, float]]:
    """Return iterations a second by (model, global batch size) and number of GPUs.

    Args:
        folder: one CSV a model, MODEL.csv: a row a global batch size, a column a number of GPUs; empty where it cannot run.

    Raises:
        SourceUnavailable, SourceGarbled: there is no such folder or file, or a cell makes no sense.
    """
    files = sorted(folder.glob("*.csv"))
    if not files:
        raise SourceUnavailable(f"{folder}: holds no CSV; give the folder with one MODEL.csv a model")
    found: dict[tuple[str, int], dict[int, float]] = {}
    for path in files:
        frame = load(path)
        require(frame, (BATCH_SIZE,), path=path, what="throughputs")
        sizes = _whole(_checked(frame, BATCH_SIZE, path, least=1), BATCH_SIZE, path)
        for column in frame.columns:
            if column == BATCH_SIZE:
                continue
            if not str(column).isdigit() or int(column) < 1:
                raise SourceGarbled(f"{path}: column {column!r} is no number of GPUs")
            for size, rate in zip(sizes.tolist(), numbers(frame[column]).tolist(), strict=True):
                if rate > 0:
                    found.setdefault((path.stem, size), {})[int(column)] = rate
    return found


def _refuse_empty(frame: pd.DataFrame, path: Path) -> None:
    if frame.empty:
        raise SourceGarbled(f"{path}: holds no job")


def _checked(frame: pd.DataFrame, name: str, path: Path, *, least: float) -> FloatArray:
    value = numbers(frame[name]).to_numpy()
    wrong = np.flatnonzero(~(np.isfinite(value) & (value >= least)))
    if wrong.size:
        row: int = int(wrong[0])
        given: Any = frame[name].iloc[row]
        raise SourceGarbled(f"{path}: row {row + 1}: {name} {str(given)!r} is not a number of at least {least:g}")
    return value


def _whole(value: FloatArray, name: str, path: Path) -> Int64Array:
    wrong = np.flatnonzero(value != np.floor(value))
    if wrong.size:
        raise SourceGarbled(f"{path}: row {int(wrong[0]) + 1}: {name} {value[wrong[0]]:g} is no whole number")
    return value.astype(np.int64)
