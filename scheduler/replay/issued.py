"""The ML project with forecasts as they were issued: planned by what was known, planned again as more becomes known."""

from collections.abc import Callable, Iterator, Mapping

import numpy as np
import numpy.typing as npt

from scheduler.forecasting.blend import Blend
from scheduler.optimise.pieces import best_pieces
from scheduler.replay.lets_wait_awhile import MAX_RESUMES, Cell, Placed, Project, cell, rows
from scheduler.replay.spans import Spans, add

FloatArray = npt.NDArray[np.float64]
# What is believed at an hour about the hours from it on.
Belief = Callable[[int], FloatArray]

DAILY_HOURS = 24
NEVER_HOURS = 1_000_000
# Jobs run for up to 90 hours and may wait four days.
HORIZON_HOURS = 192


def issued_cells(
    projects: Mapping[str, Project],
    actual: FloatArray,
    issued: Mapping[int, FloatArray],
    *,
    first: int,
    resume_slots: float,
) -> Iterator[Cell]:
    """Yield a cell for each rule, and for pauses in the half week what simpler forecasts and rarer plans would save.

    Args:
        projects: by rule, hourly; their hour 0 is hour `first` of `actual`.
        actual: the measured signal, with the past that a forecaster may learn from.
        issued: forecasts by the hour of `actual` in which they were issued.
        resume_slots: hours that a resume loses; plans are then made once a day, else every hour.
    """
    blend = Blend(actual, issued, horizon=HORIZON_HOURS)
    known: dict[int, FloatArray] = {}

    def ours(hour: int) -> FloatArray:
        if hour not in known:
            known[hour] = blend.at(hour + first)
        return known[hour]

    every = DAILY_HOURS if resume_slots else 1
    for rule, one in projects.items():
        yield cell(rule, False, one, [_contiguous(one, ours)], one.at_once_g().sum(), one.deadline)
        yield cell(rule, True, one, [_in_pieces(one, ours, every, resume_slots)], one.at_once_g().sum(), one.deadline)
    others: tuple[tuple[str, Belief, int], ...] = (
        ("issued_once", lambda hour: blend.issue_at(hour + first), NEVER_HOURS),
        ("issued_daily", lambda hour: blend.issue_at(hour + first), DAILY_HOURS),
        ("yesterday_again", lambda hour: blend.yesterday_at(hour + first), DAILY_HOURS),
        ("blend_daily", ours, DAILY_HOURS),
    )
    rule, one = list(projects.items())[-1]
    for name, belief, hours in others:
        placed = _in_pieces(one, belief, hours, resume_slots)
        yield cell(rule, True, one, [placed], one.at_once_g().sum(), one.deadline, suffix=f"_{name}")


def _contiguous(one: Project, belief: Belief) -> Placed:
    """Start each job as soon as no later start looks better."""
    start = one.jobs.arrival.copy()
    for k, (arrival, length, deadline) in enumerate(rows(one)):
        for hour in range(arrival, deadline - length + 1):
            before = np.concatenate([[0.0], np.cumsum(belief(hour)[: deadline - hour])])
            totals = before[length:] - before[:-length]
            if totals[0] <= totals.min():
                break
        start[k] = hour
    end = start + one.jobs.length
    return Placed.of_spans(one, [((int(first), int(last)),) for first, last in zip(start, end, strict=True)])


def _in_pieces(one: Project, belief: Belief, every: int, resume_slots: float) -> Placed:
    """Run each job in the hours that look best, looking again at its arrival and in every hour divisible by `every`."""
    spans, filled = [], []
    for arrival, length, deadline in rows(one):
        ran: Spans = []
        now, last = arrival, 1.0
        while True:
            until = min((now // every + 1) * every, deadline)
            left = length - sum(end - first for first, end in ran) + max(len(ran) - 1, 0) * resume_slots
            state = "new" if not ran else "running" if ran[-1][1] == now else "paused"
            ahead, last = _ahead(
                belief(now)[: deadline - now], left, state, max(MAX_RESUMES - len(ran) + 1, 0), resume_slots
            )
            done = not ahead or now + ahead[-1][1] <= until
            for first, end in ahead:
                add(ran, now + first, min(now + end, until))
            if done:
                break
            now = until
        spans.append(tuple(ran))
        filled.append(last)
    return Placed.of_spans(one, spans, filled)


def _ahead(worth: FloatArray, left: float, state: str, resumes: int, resume_slots: float) -> tuple[Spans, float]:
    if resume_slots:
        pieces = best_pieces(worth, work_slots=left, max_resumes=resumes, resume_slots=resume_slots, state=state)
        if pieces is None:
            pieces = best_pieces(
                worth, work_slots=left, max_resumes=resumes + 1, resume_slots=resume_slots, state=state
            )
        if pieces is None:
            raise AssertionError(f"{left} slots do not fit into {len(worth)}")
        return list(pieces.spans), pieces.last_filled
    count = round(left)
    if count == 0:
        return [], 1.0
    chosen = np.sort(np.argpartition(worth, count - 1)[:count]).tolist()
    spans: Spans = []
    for slot in chosen:
        add(spans, slot, slot + 1)
    return spans, 1.0
