"""Jobs for a replay, from the public formats of GAIA and ElasticFlow, and the throughputs of elastic jobs.

For replays and published tables only; nothing read here is written to the store. One row that makes no sense refuses
the file, because a table with a job less is another table.
"""

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from collectors.base import SourceGarbled, SourceUnavailable
from collectors.traces.files import load, numbers, require, utc

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
class RecordedJobs:
    """Jobs of fixed size as they were submitted; what a file does not say is None. Shape (jobs,) each.

    Attributes:
        submitted_at: instants, UTC, or None when the file counts seconds.
        submit_s: seconds after the signal begins.
    """

    key: tuple[str, ...]
    submitted_at: tuple[datetime, ...] | None
    submit_s: FloatArray | None
    duration_s: FloatArray
    gpus: Int64Array
    power_w: FloatArray | None
    deadline_at: tuple[datetime, ...] | None
    max_wait_h: FloatArray | None


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


def read_jobs(path: Path) -> RecordedJobs:
    """Return jobs of fixed size from a file with any of these columns.

    submitted_at (UTC), or submit_s / arrival_time (seconds after the signal begins); duration_s or length; optional:
    job_id, gpus or cpus (1), power_w, deadline_at (UTC), max_wait_h.

    Raises:
        SourceUnavailable, SourceGarbled: the file cannot be read, lacks a column, or a row makes no sense.
    """
    frame = load(path)
    _refuse_empty(frame, path)
    submit = _one_of(frame, ("submitted_at", "submit_s", "arrival_time"), path)
    duration = _one_of(frame, ("duration_s", "length"), path)
    size = next((name for name in ("gpus", "cpus") if name in frame), None)
    count = len(frame)
    gpus = np.ones(count, np.int64) if size is None else _whole(_checked(frame, size, path, least=1), size, path)
    key = frame["job_id"].astype("str") if "job_id" in frame else pd.Series(map(str, range(1, count + 1)))
    if key.duplicated().any():
        raise SourceGarbled(f"{path}: row {int(np.flatnonzero(key.duplicated())[0]) + 1}: the job_id stands twice")
    return RecordedJobs(
        key=tuple(key),
        submitted_at=_instants(frame, submit, path) if submit == "submitted_at" else None,
        submit_s=None if submit == "submitted_at" else _checked(frame, submit, path, least=0),
        duration_s=_checked(frame, duration, path, least=1),
        gpus=gpus,
        power_w=_checked(frame, "power_w", path, least=0) if "power_w" in frame else None,
        deadline_at=_instants(frame, "deadline_at", path) if "deadline_at" in frame else None,
        max_wait_h=_checked(frame, "max_wait_h", path, least=0) if "max_wait_h" in frame else None,
    )


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


def _one_of(frame: pd.DataFrame, names: tuple[str, ...], path: Path) -> str:
    for name in names:
        if name in frame:
            return name
    found = ", ".join(map(str, frame.columns))
    raise SourceGarbled(f"{path}: needs a column {' or '.join(names)}; found {found}")


def _instants(frame: pd.DataFrame, name: str, path: Path) -> tuple[datetime, ...]:
    at = utc(frame[name])
    if at.isna().any():
        row = int(np.flatnonzero(at.isna())[0])
        raise SourceGarbled(
            f"{path}: row {row + 1}: {name} {str(frame[name].iloc[row])!r} is no instant; use 2022-01-31 13:00"
        )
    return tuple(one.to_pydatetime() for one in at)


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
