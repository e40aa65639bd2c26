"""Why a part of the ledger is worked out again. It stands on every batch that restates one."""

from enum import StrEnum


class Reason(StrEnum):
    """What changed. A watermark collects them until its day is attributed again."""

    TELEMETRY = "late telemetry"
    # Telemetry of the day before or after, whose energy is spread over a silence that reaches into this day.
    NEIGHBOUR = "telemetry of a neighbouring day"
    WORKLOAD = "jobs"
    DEVICE = "devices"
    BASELINE = "idle power seen on an earlier day"
    TERMS = "declared terms"
    TOKENS = "token usage"
    RATE = "rate"
    SIGNAL = "signal revision"
    ORGANISATION = "organisation map"
    METHOD = "method"
    REOPENED = "period re-opened"
    REQUEST = "asked for"


def joined(reasons: set[str]) -> str:
    """Return reasons as one text, in order, for a batch."""
    return ", ".join(sorted(reasons))
