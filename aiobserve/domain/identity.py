"""Keys that are the same each time the same material is read."""

import hashlib
import re
from datetime import datetime

# A slug stands in addresses and names of files, so it can be neither a path nor a query.
SLUG = re.compile(r"[a-z0-9][a-z0-9-]{0,62}", re.ASCII)
SLUG_RULE = "a slug is 1 to 63 of a-z, 0-9 and -, and does not begin with -"


class BadSlug(ValueError):
    """A text cannot be the slug of an organisation; the message says what one is made of."""


def slug(text: str) -> str:
    """Return the text, which is a slug.

    Raises:
        BadSlug: it is none.
    """
    if not SLUG.fullmatch(text):
        raise BadSlug(f"{text!r} cannot be the slug of an organisation: {SLUG_RULE}")
    return text


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
