"""A cluster that promises: a job is admitted only if every promise can be kept, and then never breaks one.

Each admitted job has a share of the future. A new plan for all replaces the old one only when it keeps every deadline;
GPUs that no share claims speed jobs up until somebody needs them, which can only bring ends forward.
"""

import math
from dataclasses import dataclass

from scheduler.elastic.pauses import Pauses
from scheduler.elastic.share import Choose, Free, Share, Training, cheapest_share, next_edge, shares

DUST = 1e-9


@dataclass(eq=False)
class Seat:
    """An admitted job: what is promised to it and how many GPUs it has now."""

    job: Training
    share: Share
    gpus: int = 0
    end_s: int | None = None


class Cluster:
    """GPUs that are handed out at the edges of slots; a newcomer may start at once on idle ones.

    Args:
        origin_s: an edge of a slot, at or before the first job.
        choose: how shares are chosen; where that would decline a job, the cheapest ones are tried for all.
        spare_gpus: so many are not used to speed jobs up, so that an urgent newcomer need not wait for an edge.
        pauses: when work that can wait should; nothing is sped up then.
    """

    def __init__(
        self,
        gpus: int,
        *,
        slot_s: int,
        origin_s: int,
        choose: Choose = cheapest_share,
        spare_gpus: int = 0,
        pauses: Pauses | None = None,
    ) -> None:
        self.spare_gpus = spare_gpus
        self.pauses = pauses
        self.used: list[tuple[int, int, int]] = []
        self.gpus, self.slot_s, self.origin_s, self.choose = gpus, slot_s, origin_s, choose
        self.now_s = origin_s
        self.seats: list[Seat] = []

    def admit(self, job: Training) -> bool:
        """Take a job in and promise its deadline, or decline it; others keep their GPUs until the next edge."""
        edge = next_edge(self.now_s, self.slot_s, self.origin_s)
        at_edge = [self._at(seat, edge) for seat in self.seats]
        going = [k for k, one in enumerate(at_edge) if one.left > DUST]
        idle = self.gpus - sum(seat.gpus for seat in self.seats)
        promised = next(
            (
                found
                for choose in dict.fromkeys((self.choose, cheapest_share))
                if (found := self._together([at_edge[k] for k in going], job, idle, choose)) is not None
            ),
            None,
        )
        if promised is not None:
            kept, share = promised
            for k, one in zip(going, kept, strict=True):
                self.seats[k].share = one
        else:
            free = Free([edge], [self.gpus])
            for k in going:
                free.take(self._rest(self.seats[k].share, edge), self.slot_s, self.origin_s)
            alone = cheapest_share(job, self._with_idle(free, idle))
            if alone is None:
                return False
            share = alone
        self.seats.append(Seat(job, share, share.gpus_at(self.now_s) if self.now_s < edge else 0))
        return True

    def hand_out(self) -> None:
        """Plan anew at the edge of a slot, and give what no share claims to whom it saves most later."""
        jobs = [seat.job for seat in self.seats]
        free = Free([self.now_s], [self.gpus])
        planned = shares(jobs, free, choose=self.choose, slot_s=self.slot_s, origin_s=self.origin_s)
        if planned is not None:
            for seat, share in zip(self.seats, planned, strict=True):
                seat.share = share
        for seat in self.seats:
            seat.gpus = seat.share.gpus_at(self.now_s)
        idle = self.gpus - sum(seat.gpus for seat in self.seats) - self.spare_gpus
        if self.pauses is not None and self.pauses.at(self.now_s):
            return
        while (step := self._best_step(idle)) is not None:
            seat, level = step
            idle -= level - seat.gpus
            seat.gpus = level

    def next_edge_s(self) -> int | None:
        """Return the next instant at which GPUs must be handed out: a job ends or a share changes; None when idle."""
        changes = [
            change
            for seat in self.seats
            for change in (self._end_s(seat), *(at for segment in seat.share.segments for at in segment[:2]))
            if change is not None and change > self.now_s
        ]
        if changes and self.pauses is not None:
            changes.append(self.pauses.change_after(self.now_s))
        return next_edge(min(changes), self.slot_s, self.origin_s) if changes else None

    def run_to(self, at_s: int) -> list[Seat]:
        """Let time pass to an instant no later than the next edge; returns the seats of the jobs that ended."""
        ended = []
        for seat in self.seats:
            end = self._end_s(seat)
            if seat.gpus:
                self.used.append((self.now_s, at_s if end is None else min(end, at_s), seat.gpus))
            if end is not None and end <= at_s:
                seat.end_s, seat.job.left = end, 0.0
                ended.append(seat)
            elif seat.gpus:
                seat.job.left -= (at_s - self.now_s) * seat.job.rate[seat.gpus]
        # The GPUs of a job that ended stay with it until the edge: nothing is handed out before.
        self.now_s = at_s
        return ended

    def leave(self, seats: list[Seat]) -> None:
        """Take jobs that have ended out."""
        self.seats = [seat for seat in self.seats if seat not in seats]

    def _together(
        self, at_edge: list[Training], job: Training, idle: int, choose: Choose
    ) -> tuple[list[Share], Share] | None:
        """Return new shares for all, the newcomer among them in order of deadline, or None when one would be late."""
        free = Free([next_edge(self.now_s, self.slot_s, self.origin_s)], [self.gpus])
        before = [one for one in at_edge if (one.deadline_s, one.key) <= (job.deadline_s, job.key)]
        after = [one for one in at_edge if (one.deadline_s, one.key) > (job.deadline_s, job.key)]
        first = shares(before, free, choose=choose, slot_s=self.slot_s, origin_s=self.origin_s)
        if first is None:
            return None
        share = choose(job, self._with_idle(free, idle))
        if share is None:
            return None
        later = Share(tuple(part for part in share.segments if part[0] >= free.at_s[0]), share.end_s)
        free.take(later, self.slot_s, self.origin_s)
        last = shares(after, free, choose=choose, slot_s=self.slot_s, origin_s=self.origin_s)
        if last is None:
            return None
        found = {one.key: share for one, share in zip([*before, *after], [*first, *last], strict=True)}
        return [found[one.key] for one in at_edge], share

    def _with_idle(self, free: Free, idle: int) -> Free:
        """Return free GPUs from now on: those that nobody uses until the edge, then what is free."""
        if self.now_s >= free.at_s[0]:
            return free
        return Free([self.now_s, *free.at_s], [idle, *free.gpus])

    def _at(self, seat: Seat, at_s: int) -> Training:
        """Return a job as it will be at an instant if it keeps the GPUs it has."""
        done = (at_s - self.now_s) * seat.job.rate[seat.gpus] if seat.gpus else 0.0
        job = seat.job
        return Training(job.key, job.deadline_s, max(job.left - done, 0.0), job.levels, job.rate)

    def _rest(self, share: Share, since_s: int) -> Share:
        parts = tuple((max(first, since_s), to, gpus) for first, to, gpus in share.segments if to > since_s)
        return Share(parts, share.end_s)

    def _end_s(self, seat: Seat) -> int | None:
        return math.ceil(self.now_s + seat.job.left / seat.job.rate[seat.gpus] - DUST) if seat.gpus else None

    def _best_step(self, idle: int) -> tuple[Seat, int] | None:
        """Return the seat and level that save the most promised GPU-seconds for each idle GPU, None when nothing does."""
        best, found = 0.0, None
        for seat in self.seats:
            job = seat.job
            speed = job.rate[seat.gpus] if seat.gpus else 0.0
            for level in job.levels:
                more = level - seat.gpus
                if 0 < more <= idle:
                    saves = (job.rate[level] - speed) / more * seat.share.gpu_s / job.left
                    if saves > best:
                        best, found = saves, (seat, level)
        return found
