"""Where aiobserve keeps its own servers' data, logs and state."""

import os
from collections.abc import Mapping
from pathlib import Path

CHECKOUT = Path(__file__).resolve().parents[2]


def data_directory(environ: Mapping[str, str]) -> Path:
    """Return AIOBSERVE_DATA_DIR when it is set, `.aiobserve` of a checkout, or the system's or user's data folder.

    The last is /var/lib/aiobserve for root and ~/.local/share/aiobserve (or XDG_DATA_HOME) for others.
    """
    chosen = environ.get("AIOBSERVE_DATA_DIR")
    if chosen:
        return Path(chosen).expanduser().absolute()
    if (CHECKOUT / "pyproject.toml").exists() and os.access(CHECKOUT, os.W_OK):
        return CHECKOUT / ".aiobserve"
    if os.geteuid() == 0:
        return Path("/var/lib/aiobserve")
    base = environ.get("XDG_DATA_HOME") or "~/.local/share"
    return Path(base).expanduser().absolute() / "aiobserve"
