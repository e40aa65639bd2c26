"""Keys that are the same each time the same material is read."""

import hashlib
from datetime import datetime


def job_key(cluster: str, job_id: str, submitted_at: datetime) -> str:
    """Return the key of a job.

    Slurm hands out a job id again after a controller crash, so the id alone is not a key: cluster,
    id and submission instant together are.
    """
    return f"{cluster}:{job_id}:{int(submitted_at.timestamp())}"


def digest(*parts: bytes | str) -> str:
    """Return the SHA-256 of the parts in order, in hex; each part is delimited by its length."""
    sha = hashlib.sha256()
    for part in parts:
        raw = part.encode() if isinstance(part, str) else part
        sha.update(len(raw).to_bytes(8, "big"))
        sha.update(raw)
    return sha.hexdigest()
