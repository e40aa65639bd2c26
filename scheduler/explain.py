"""Decisions in words, with their numbers."""

import math
from dataclasses import dataclass

from aiobserve.domain.units import SECONDS_PER_HOUR, SECONDS_PER_MINUTE


@dataclass(frozen=True)
class Figures:
    """Electricity and emissions of one run by the forecasts; NaN where these say nothing."""

    cost_usd: float
    carbon_g: float


def reason(
    action: str, *, moved_s: float, planned: Figures, at_once: Figures, slack_s: float | None, because: str
) -> str:
    """Return one sentence for a decision: what, why, what it changes, and what is left before the deadline."""
    match action:
        case "deferred":
            gave_way = planned.cost_usd > at_once.cost_usd and planned.carbon_g > at_once.carbon_g
            why = "to make room for work that gains more by it, " if gave_way else ""
            sentence = f"moved {duration(moved_s)} later: {why}{_change(planned, at_once)}"
        case "run_now":
            sentence = "starts now" + (f": {because}" if because else ": no later start is better")
        case "queued" if moved_s < 0:
            sentence = (
                f"starts {duration(-moved_s)} earlier than its turn, where there is room: {_change(planned, at_once)}"
            )
        case "queued":
            sentence = "starts as soon as there is room" + (f": {because}" if because else "; no later start is better")
        case "cannot_meet_deadline":
            late = duration(-(slack_s or 0))
            return (
                f"cannot meet its deadline: the earliest start with room is {late} too late; it runs as early as it can"
            )
        case "no_capacity":
            return "the horizon has no room for it; it waits for the next plan"
        case _:
            raise ValueError(f"unknown action {action!r}")
    return sentence if slack_s is None else f"{sentence}; {duration(slack_s)} slack left before its deadline"


def duration(seconds: float) -> str:
    """Return a span of time as people say it: 6 h 15 min, or 40 min."""
    minutes = round(seconds / SECONDS_PER_MINUTE)
    hours, minutes = divmod(minutes, SECONDS_PER_HOUR // SECONDS_PER_MINUTE)
    return f"{hours} h {minutes:02d} min" if hours else f"{minutes} min"


def _change(planned: Figures, at_once: Figures) -> str:
    parts = [
        _figure("electricity", at_once.cost_usd, planned.cost_usd, "USD"),
        _figure("carbon", at_once.carbon_g / 1_000, planned.carbon_g / 1_000, "kg"),
    ]
    return ", ".join(part for part in parts if part) or "no forecast to compare by"


def _figure(name: str, before: float, after: float, unit: str) -> str:
    if math.isnan(before) or math.isnan(after):
        return ""
    share = f" ({(after - before) / abs(before):+.0%})" if before else ""
    return f"{name} {before:.2f} -> {after:.2f} {unit}{share}"
