"""How busy each MIG slice of the shared GPU was, hour by hour, since an exporter tells."""

from collections.abc import Sequence
from datetime import UTC, datetime

import pandas as pd

from aiobserve.domain.frames import ACTIVITY
from aiobserve.domain.units import MILLIS_PER_GPU, SECONDS_PER_HOUR
from collectors.simulated.company import ACTIVITY_FROM_AT, GPUS, MIG_GPU
from collectors.simulated.jobs import Run


def activity(runs: Sequence[Run]) -> pd.DataFrame:
    """Return the readings of runs on the shared GPU: the slice's multiprocessor activity times its part of the GPU."""
    rows = []
    for run in runs:
        if (run.lane.node, run.lane.gpus[0]) != MIG_GPU:
            continue
        level = round(run.utilisation * run.lane.share_millis / MILLIS_PER_GPU, 4)
        start_s = max(run.start_s, int(ACTIVITY_FROM_AT.timestamp()))
        while start_s < run.end_s:
            end_s = min(run.end_s, (start_s // SECONDS_PER_HOUR + 1) * SECONDS_PER_HOUR)
            rows.append((run.key, GPUS[MIG_GPU].uid, _at(start_s), _at(end_s), level))
            start_s = end_s
    return ACTIVITY.check(pd.DataFrame(rows, columns=list(ACTIVITY.columns)) if rows else ACTIVITY.empty())


def _at(epoch_s: int) -> datetime:
    return datetime.fromtimestamp(epoch_s, UTC)
