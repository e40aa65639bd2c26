"""What a check found."""

from dataclasses import dataclass
from enum import IntEnum


class State(IntEnum):
    """Its value is the exit code of `doctor`."""

    OK = 0
    WARNING = 1
    BROKEN = 2


@dataclass(frozen=True)
class Finding:
    """One check: what was found, and the command or setting that puts it right."""

    check: str
    state: State
    found: str
    fix: str = ""
