"""Writes when jobs saved their work. No charge depends on it, so nothing becomes due."""

import pandas as pd

from aiobserve.store.models import Job
from aiobserve.store.write.copy import merge_frame
from aiobserve.store.write.fleet import map_known


def write_checkpoints(organisation_id: int, checkpoints: pd.DataFrame) -> None:
    """Write checkpoints; one that is there stays."""
    jobs = dict(
        Job.objects.filter(organisation_id=organisation_id, key__in=list(checkpoints["job_key"].unique())).values_list(
            "key", "pk"
        )
    )
    rows = checkpoints.assign(job_id=map_known(checkpoints["job_key"], jobs, what="job"))
    merge_frame("checkpoint", {"job_id": "int8", "at": "timestamptz"}, rows, key=("job_id", "at"))
