"""Keep every promise when seats are short: run on, and give a seat away only to work that can wait no longer."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

ALMOST = 1e-9


@dataclass
class Claim:
    """What a job still asks of the seats, in slots from now.

    Attributes:
        left: useful slots of running that are left, above 0.
        deadline: the slot before which it must have ended.
        started: whether it ran before, so that running on after a pause is a resume.
        running: whether it sits on a seat now.
    """

    left: float
    deadline: int
    started: bool = False
    running: bool = False


def keep_promises(
    claims: Sequence[Claim], *, seats: Sequence[int], resume_slots: float
) -> list[list[tuple[int, int]]] | None:
    """Return the slots (first, end) in which each job runs, or None when a deadline would be missed.

    Seats go to jobs that would be late if they waited one slot more, then to those that run, then to the others with the
    least time to spare; a job that runs is not displaced while that alone would make it late. No seat is left empty.

    Args:
        seats: how many are free in each slot from now on, at least up to the last deadline.
    """
    open_claims = [Claim(one.left, one.deadline, one.started, one.running) for one in claims]
    spans: list[list[tuple[int, int]]] = [[] for _ in claims]
    waiting = list(range(len(claims)))
    now = 0
    while waiting:
        spare = {k: _spare(open_claims[k], now, resume_slots) for k in waiting}
        if min(spare.values()) < 0:
            return None
        rank = {
            k: (not _urgent(open_claims[k], spare[k], resume_slots), not open_claims[k].running, spare[k], k)
            for k in waiting
        }
        chosen = sorted(waiting, key=rank.__getitem__)[: seats[now]]
        for k in waiting:
            _pass_slot(open_claims[k], spans[k], now, k in chosen, resume_slots)
        waiting = [k for k in waiting if open_claims[k].left > ALMOST]
        now += 1
    return spans


def _spare(claim: Claim, now: int, resume_slots: float) -> int:
    """Return how many whole slots a job can wait and still end in time, if it may then run on."""
    lost = resume_slots if claim.started and not claim.running else 0.0
    return claim.deadline - now - math.ceil(claim.left + lost - ALMOST)


def _urgent(claim: Claim, spare: int, resume_slots: float) -> bool:
    """Return whether waiting one slot more would make the job late; one that runs would have to resume as well."""
    lost = math.ceil(claim.left + resume_slots - ALMOST) - math.ceil(claim.left - ALMOST) if claim.running else 0
    return spare < 1 + lost


def _pass_slot(claim: Claim, spans: list[tuple[int, int]], now: int, seated: bool, resume_slots: float) -> None:
    if not seated:
        claim.running = False
        return
    claim.left -= 1.0 - (resume_slots if claim.started and not claim.running else 0.0)
    claim.started = claim.running = True
    if spans and spans[-1][1] == now:
        spans[-1] = (spans[-1][0], now + 1)
    else:
        spans.append((now, now + 1))
