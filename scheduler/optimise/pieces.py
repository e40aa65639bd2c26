"""The cheapest way to run one job in pieces, when every resume costs time (exact, by dynamic programming).

State of a job that has idled i slots and run r slots: it is slot i + r. With P the running sum of what a slot costs,
    running with c resumes:  G_c(i, r) = P(i + r) + min over r' <= r - least piece of [A_(c-1)(i, r') - P(i + r')]
    paused with c resumes:   A_c(i, r) = min over i' < i of G_c(i', r)
and the job ends once r reaches its work plus what its resumes lost. Both minima are running minima, so a job of W
slots with S slots of slack takes about 2 x pieces x W x S operations.
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from numpy.lib.stride_tricks import sliding_window_view

FloatArray = npt.NDArray[np.float64]

# A part of a slot smaller than this is a rounding error of the work, not work.
DUST = 1e-9


@dataclass(frozen=True)
class Pieces:
    """Where a job runs, in slots of the window it was given.

    Attributes:
        spans: (first, end) of each piece, end not included, in order of time, never touching.
        last_filled: the part of the very last slot that is used, above 0 and at most 1.
        cost: sum of what the used slots cost, time lost to resumes included.
        resumes: how many times it resumes.
    """

    spans: tuple[tuple[int, int], ...]
    last_filled: float
    cost: float
    resumes: int

    def filled(self, n: int) -> FloatArray:
        """Return the used part of each of the first `n` slots, shape (n,)."""
        used = np.zeros(n)
        for first, end in self.spans:
            used[first:end] = 1.0
        used[self.spans[-1][1] - 1] = self.last_filled
        return used


def best_pieces(
    worth: FloatArray,
    *,
    work_slots: float,
    max_resumes: int,
    resume_slots: float = 0.0,
    least_piece: int = 1,
    state: str = "new",
) -> Pieces | None:
    """Return the cheapest pieces that end inside the window, or None when none fit.

    Args:
        worth: cost of running in each slot from now to the deadline, shape (n,); infinite where the job may not run.
        work_slots: useful slots of running that are left.
        max_resumes: how often it may resume at most; 0 for one contiguous run of a new job.
        resume_slots: slots of running that each resume loses.
        least_piece: a piece before or after a pause runs at least so many slots.
        state: `new` (its first start costs nothing), `running` (as long as it is not paused it resumes nothing) or
            `paused` (its next start is a resume).
    """
    n, shortest = len(worth), _slots(work_slots)
    if shortest > n or work_slots <= DUST:
        return None
    costs, forbidden = _finite(worth)
    longest = min(_slots(work_slots + max_resumes * resume_slots), n)
    idle = n - shortest
    # The window is made longer by slots that may not be used, so that every i + r is a slot.
    before = np.concatenate([[0.0], np.cumsum(np.concatenate([costs, np.full(idle + longest - n, forbidden)]))])
    spent = sliding_window_view(before, longest + 1)[: idle + 1]
    ends = _ends(_unpaused(spent, state, _whole(work_slots)), costs, work_slots, n)
    best = (float(ends.min()), 0, int(ends.argmin()))
    cheapest = np.concatenate([[0.0], np.cumsum(np.sort(costs))])
    stages: list[tuple[FloatArray, FloatArray]] = []
    for resumes in range(1, max_resumes + 1):
        total = work_slots + resumes * resume_slots
        if _slots(total) > n:
            break
        # So many slots cost at least this, wherever the pieces are; more resumes only need more of them.
        if cheapest[_whole(total)] >= best[0] and costs.min() >= 0:
            break
        if not stages:
            stages.append(_first_piece(spent, state, least_piece))
        least = _least_begin(spent, stages[-1][1])
        # A last slot that is used in part counts as a slot of its piece.
        whole, begun = _whole(total), _slots(total) - least_piece
        ends = _ends(spent[:, whole] + least[:, begun] if begun >= 0 else np.full(idle + 1, np.inf), costs, total, n)
        stages.append(_next_piece(spent, least, least_piece))
        i = int(ends.argmin())
        if ends[i] < best[0] - DUST * abs(best[0]) or np.isinf(best[0]):
            best = (float(ends[i]), resumes, i)
    cost, resumes, i = best
    if not np.isfinite(cost):
        return None
    total = work_slots + resumes * resume_slots
    spans = tuple(_spans(stages, spent, resumes, i, _slots(total), _whole(total), least_piece, state))[::-1]
    if not all(np.isfinite(worth[first:end]).all() for first, end in spans):
        return None
    return Pieces(spans, _filled(total), cost, resumes)


def _unpaused(spent: FloatArray, state: str, whole: int) -> FloatArray:
    """Return the cost of one run of `whole` slots by slots idled before it, without a resume, shape (idle + 1,)."""
    alone = spent[:, whole] - spent[:, 0]
    if state == "new":
        return alone
    if state not in ("running", "paused"):
        raise ValueError(f"a job is new, running or paused, not {state!r}")
    at_once = np.full(len(alone), np.inf)
    if state == "running":
        at_once[0] = alone[0]
    return at_once


def _first_piece(spent: FloatArray, state: str, least_piece: int) -> tuple[FloatArray, FloatArray]:
    """Return the running and paused costs before any resume, shape (idle + 1, run + 1) each."""
    nothing = np.full(spent.shape, np.inf)
    if state == "new":
        running = spent - spent[:, :1]
        paused = _paused(running)
        paused[:, :least_piece] = np.inf
        return running, paused
    if state == "paused":
        waiting = nothing.copy()
        waiting[:, 0] = 0.0
        return nothing, waiting
    running = nothing
    running[0] = spent[0] - spent[0, 0]
    return running, _paused(running)


def _least_begin(spent: FloatArray, paused: FloatArray) -> FloatArray:
    """Return the least of what a pause had cost less the sum of slots until then, over all pieces begun at or before a run."""
    least = paused - spent
    return np.minimum.accumulate(least, axis=1, out=least)


def _next_piece(spent: FloatArray, least: FloatArray, least_piece: int) -> tuple[FloatArray, FloatArray]:
    running = np.empty(spent.shape)
    running[:, :least_piece] = np.inf
    np.add(spent[:, least_piece:], least[:, : spent.shape[1] - least_piece], out=running[:, least_piece:])
    return running, _paused(running)


def _paused(running: FloatArray) -> FloatArray:
    paused = np.empty(running.shape)
    paused[0] = np.inf
    np.minimum.accumulate(running[:-1], axis=0, out=paused[1:])
    return paused


def _ends(running: FloatArray, costs: FloatArray, total: float, n: int) -> FloatArray:
    """Return the cost of ending after `total` slots of running, by slots idled; the last slot perhaps used in part."""
    slots, whole = _slots(total), _whole(total)
    ends = running[: n - slots + 1]
    if slots > whole:
        ends = ends + (total - whole) * costs[whole : whole + len(ends)]
    return ends


def _spans(
    stages: list[tuple[FloatArray, FloatArray]],
    spent: FloatArray,
    resumes: int,
    i: int,
    slots: int,
    whole: int,
    least_piece: int,
    state: str,
) -> Iterator[tuple[int, int]]:
    """Yield the pieces, the last one first, by looking again for where each minimum came from."""
    end, run, begun = i + slots, whole, slots - least_piece
    for c in range(resumes, 0, -1):
        paused = stages[c - 1][1]
        began = int((paused[i, : begun + 1] - spent[i, : begun + 1]).argmin())
        yield i + began, end
        run = began
        # Before the first resume a job that was started already has run on without a pause, or not at all.
        i = 0 if state != "new" and c == 1 else int(stages[c - 1][0][:i, run].argmin())
        end, begun = i + run, run - least_piece
    if end > i:
        yield i, end


def _finite(worth: FloatArray) -> tuple[FloatArray, float]:
    """Return the costs with a number far above every other where the job may not run, and that number."""
    known = np.abs(worth[np.isfinite(worth)])
    forbidden = 1e4 * max(float(known.max(initial=0.0)), 1.0) * len(worth)
    return np.where(np.isfinite(worth), worth, forbidden), forbidden


def _slots(total: float) -> int:
    return math.ceil(total - DUST)


def _whole(total: float) -> int:
    return math.floor(total + DUST)


def _filled(total: float) -> float:
    rest = total - _whole(total)
    return rest if rest > DUST else 1.0
