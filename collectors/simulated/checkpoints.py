"""When the simulated company's training jobs save their work: every so often, by the size of the job; some never do."""

from collections.abc import Sequence
from datetime import UTC, datetime

import pandas as pd

from aiobserve.domain.frames import CHECKPOINTS
from aiobserve.domain.units import SECONDS_PER_MINUTE
from collectors.simulated.jobs import Run

KINDS = ("training", "fine_tuning")
# Every so many minutes; a model's jobs have one habit, chosen by its name.
HABITS_MIN = (30, 60, 90)
# Jobs of this workload whose number ends in 7 forgot to.
FORGETFUL = "7"


def checkpoints(runs: Sequence[Run]) -> pd.DataFrame:
    """Return the checkpoints (`domain.frames.CHECKPOINTS`) of runs, in order of run and time."""
    rows = [
        {"job_key": run.key, "at": datetime.fromtimestamp(at_s, UTC)}
        for run in runs
        if run.work.workload_type in KINDS and not run.name.endswith(FORGETFUL)
        for at_s in range(run.start_s + _every_s(run), run.end_s, _every_s(run))
    ]
    return CHECKPOINTS.check(pd.DataFrame(rows, columns=list(CHECKPOINTS.columns)))


def _every_s(run: Run) -> int:
    return HABITS_MIN[sum(run.work.model.encode()) % len(HABITS_MIN)] * SECONDS_PER_MINUTE
