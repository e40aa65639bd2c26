"""Where aiobserve keeps its own servers' data, logs and state."""

import os
from collections.abc import Mapping
from pathlib import Path


def data_directory(environ: Mapping[str, str]) -> Path:
    """Return AIOBSERVE_DATA_DIR when it is set, else /var/lib/aiobserve for root and the user's data folder for others."""
    chosen = environ.get("AIOBSERVE_DATA_DIR")
    if chosen:
        return Path(chosen).expanduser().absolute()
    if os.geteuid() == 0:
        return Path("/var/lib/aiobserve")
    base = environ.get("XDG_DATA_HOME") or "~/.local/share"
    return Path(base).expanduser().absolute() / "aiobserve"
