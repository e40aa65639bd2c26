"""Suspendable jobs on a limited number of seats, planned as they arrive by what is known then.

A job is planned when it arrives, into its cheapest pieces. Where these meet full slots, jobs that lose least by it
make room, as long as that costs less than going elsewhere. Where nothing else keeps every promise, all jobs are packed
by their spare time and then improved one by one; then also a job that should not pause may be paused, for a promise is
worth more.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from scheduler.optimise.pieces import Pieces, best_pieces
from scheduler.optimise.zero_laxity import Claim, keep_promises

FloatArray = npt.NDArray[np.float64]

# How many jobs are asked to make room at a time, and how often, before the newcomer goes elsewhere.
ASKED, ROUNDS = 2, 40
IMPROVEMENTS = 2
SMALL = 1e-9


@dataclass(eq=False)
class Commitment:
    """A job and the slots that are promised to it; what lies before `now` has happened and stays.

    Attributes:
        arrival, deadline: slots between which it runs; `deadline` is the first slot that is too late.
        work_slots: useful slots of running that it needs.
        spans: (first, end) of each piece.
        last_filled: the used part of the last slot.
    """

    arrival: int
    deadline: int
    work_slots: float
    resume_slots: float
    spans: tuple[tuple[int, int], ...] = ()
    last_filled: float = 1.0

    @property
    def end(self) -> int:
        """Return the slot after its last one."""
        return self.spans[-1][1] if self.spans else self.arrival

    def past(self, now: int) -> list[tuple[int, int]]:
        """Return the pieces, or parts of them, that lie before `now`."""
        return [(first, min(end, now)) for first, end in self.spans if first < now]

    def left_slots(self, now: int) -> float:
        """Return the useful work that is left; what ran before `now` less what resumes lost is done."""
        past = self.past(now)
        lost = max(len(past) - 1, 0) * self.resume_slots
        return self.work_slots - sum(end - first for first, end in past) + lost

    def state(self, now: int) -> str:
        """Return whether the job is new, running or paused when slot `now` begins."""
        past = self.past(now)
        return "new" if not past else "running" if past[-1][1] == now else "paused"

    def cost(self, worth: FloatArray, *, since: int = 0) -> float:
        """Return what its slots from `since` on cost."""
        whole = sum(float(worth[max(first, since) : end].sum()) for first, end in self.spans if end > since)
        return whole - (1.0 - self.last_filled) * float(worth[self.end - 1])


class Seats:
    """A pool of equal seats over time, and the jobs that hold them."""

    def __init__(self, worth: FloatArray, *, seats: int | None, max_resumes: int, resume_slots: float) -> None:
        self.worth = worth
        self.seats = seats if seats is not None else np.iinfo(np.int64).max
        self.max_resumes = max_resumes
        self.resume_slots = resume_slots
        self.used = np.zeros(len(worth), dtype=np.int64)
        self.live: list[Commitment] = []

    def submit(self, now: int, *, deadline: int, work_slots: float) -> Commitment:
        """Plan a job that arrives at `now`; moves others where that is cheaper. A job that cannot be in time runs late."""
        self.live = [one for one in self.live if one.end > now]
        job = Commitment(now, deadline, work_slots, self.resume_slots)
        wished = best_pieces(
            self.worth[now:deadline],
            work_slots=work_slots,
            max_resumes=self.max_resumes,
            resume_slots=self.resume_slots,
        )
        if wished is None:
            self._run_late(job, now)
            return job
        if all((self.used[now + first : now + end] < self.seats).all() for first, end in wished.spans):
            self._take(job, now, wished)
            self.live.append(job)
            return job
        elsewhere = self._replan(job, now)
        limit = math.inf if elsewhere is None else elsewhere.cost - wished.cost
        before = [(one, one.spans, one.last_filled) for one in self.live]
        self._take(job, now, wished)
        self.live.append(job)
        if limit > SMALL and self._make_room(now, limit):
            return job
        self._restore(before, job, now)
        if elsewhere is not None:
            self._take(job, now, elsewhere)
        elif not self._pack(now):
            self._restore(before, job, now)
            self.live.remove(job)
            self._run_late(job, now)
        return job

    def _replan(
        self,
        job: Commitment,
        now: int,
        *,
        worth: FloatArray | None = None,
        resumes: int | None = None,
        anywhere: bool = False,
    ) -> Pieces | None:
        """Return the cheapest pieces for what is left of a job that holds no seat from `now` on, or anywhere at all."""
        costs = (self.worth if worth is None else worth)[now : job.deadline]
        had = max(len(job.past(now)) - 1, 0)
        return best_pieces(
            costs if anywhere else np.where(self.used[now : job.deadline] >= self.seats, np.inf, costs),
            work_slots=job.left_slots(now),
            max_resumes=max(self.max_resumes - had, 0) if resumes is None else resumes,
            resume_slots=self.resume_slots,
            state=job.state(now),
        )

    def _take(self, job: Commitment, now: int, pieces: Pieces) -> None:
        spans, coming = job.past(now), [(now + first, now + end) for first, end in pieces.spans]
        if spans and spans[-1][1] == coming[0][0]:
            coming[0] = (spans.pop()[0], coming[0][1])
        job.spans, job.last_filled = tuple(spans + coming), pieces.last_filled
        self._hold(job, now, 1)

    def _hold(self, job: Commitment, now: int, seats: int) -> None:
        for first, end in job.spans:
            self.used[max(first, now) : max(end, now)] += seats

    def _restore(
        self, before: Sequence[tuple[Commitment, tuple[tuple[int, int], ...], float]], job: Commitment, now: int
    ) -> None:
        for one in self.live:
            self._hold(one, now, -1)
        job.spans = ()
        for one, spans, filled in before:
            one.spans, one.last_filled = spans, filled
        for one in self.live:
            self._hold(one, now, 1)

    def _make_room(self, now: int, limit: float) -> bool:
        """Move jobs out of slots that are over-full, least loss for a freed slot first; False when it costs `limit` or more."""
        lost = 0.0
        for _ in range(ROUNDS if math.isfinite(limit) else len(self.used)):
            over = np.flatnonzero(self.used[now:] > self.seats) + now
            if not over.size:
                return True
            hopes = [(*self._hope(one, now, over), k) for k, one in enumerate(self.live)]
            asked = [(self.live[k], held) for _, held, k in sorted(hopes) if held][
                : ASKED if math.isfinite(limit) else None
            ]
            offers = [
                (offer[0] / held, i, offer) for i, (one, held) in enumerate(asked) if (offer := self._offer(one, now))
            ]
            if not offers:
                return False
            _, i, (loss, pieces) = min(offers)
            self._hold(asked[i][0], now, -1)
            self._take(asked[i][0], now, pieces)
            lost += loss
            if lost >= limit:
                return False
        return False

    def _offer(self, job: Commitment, now: int) -> tuple[float, Pieces] | None:
        """Return what a job loses by going where there is room, and how it would run; None when it cannot."""
        self._hold(job, now, -1)
        pieces = self._replan(job, now)
        self._hold(job, now, 1)
        return None if pieces is None else (pieces.cost - job.cost(self.worth, since=now), pieces)

    def _hope(self, job: Commitment, now: int, over: npt.NDArray[np.int64]) -> tuple[float, int]:
        """Return what a job would lose for each over-full slot it leaves, were pauses free, and how many it holds."""
        mine = np.zeros(job.deadline - now, dtype=bool)
        for first, end in job.spans:
            mine[max(first - now, 0) : max(end - now, 0)] = True
        leaves = over[over < job.deadline] - now
        leaves = leaves[mine[leaves]]
        costs = self.worth[now : job.deadline]
        others = costs[~mine & (self.used[now : job.deadline] < self.seats)]
        if not leaves.size or leaves.size > others.size:
            return math.inf, len(leaves)
        cheapest = np.partition(others, leaves.size - 1)[: leaves.size]
        return float(cheapest.sum() - costs[leaves].sum()) / leaves.size, len(leaves)

    def _pack(self, now: int) -> bool:
        """Place all jobs anew by their spare time, then improve them one by one; False when a deadline would be missed."""
        claims = [
            Claim(one.left_slots(now), one.deadline - now, one.state(now) != "new", one.state(now) == "running")
            for one in self.live
        ]
        for one in self.live:
            self._hold(one, now, -1)
        packed = keep_promises(claims, seats=(self.seats - self.used[now:]).tolist(), resume_slots=self.resume_slots)
        if packed is None:
            for one in self.live:
                self._hold(one, now, 1)
            return False
        for one, spans in zip(self.live, packed, strict=True):
            self._take(one, now, _as_pieces(spans, one.left_slots(now), one.state(now), self.resume_slots))
        for _ in range(IMPROVEMENTS):
            for one in tuple(self.live):
                self._improve(one, now)
        return True

    def _improve(self, job: Commitment, now: int) -> None:
        """Move a job where it costs less, if need be by making others move who lose less by it than it gains."""
        before = [(one, one.spans, one.last_filled) for one in self.live]
        costs = job.cost(self.worth, since=now)
        offer = self._offer(job, now)
        if offer is not None and offer[0] < -SMALL:
            self._hold(job, now, -1)
            self._take(job, now, offer[1])
            before, costs = [(one, one.spans, one.last_filled) for one in self.live], costs + offer[0]
        wished = self._replan(job, now, anywhere=True)
        if wished is not None and wished.cost < costs - SMALL:
            self._hold(job, now, -1)
            self._take(job, now, wished)
            if not self._make_room(now, costs - wished.cost):
                self._restore(before, job, now)

    def _run_late(self, job: Commitment, now: int) -> None:
        """Run a job as early as the seats allow, past its deadline; it is not moved any more."""
        job.deadline, promised = len(self.used), job.deadline
        earliest = np.arange(1.0, len(self.used) + 1.0)
        pieces = self._replan(job, now, worth=earliest, resumes=len(self.used))
        if pieces is None:
            raise HorizonTooShort(
                f"no room for {job.work_slots:g} slots of work after slot {now}; give a longer signal"
            )
        self._take(job, now, pieces)
        job.deadline = promised


class HorizonTooShort(ValueError):
    """The signal ends before a job can."""


def _as_pieces(spans: list[tuple[int, int]], left_slots: float, state: str, resume_slots: float) -> Pieces:
    resumes = len(spans) - 1 + (state == "paused" or (state == "running" and spans[0][0] > 0))
    total = left_slots + resumes * resume_slots
    filled = total - sum(end - first for first, end in spans) + 1.0
    return Pieces(tuple(spans), filled, math.nan, resumes)
