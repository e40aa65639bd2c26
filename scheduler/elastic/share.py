"""How few GPUs keep a job's deadline, in what others leave free (the minimum satisfactory share of ElasticFlow).

GPUs are handed out anew only at the edges of slots. Free GPUs are a step function of time; a job takes at each moment
the level that is at most its share and at most what is free, from now on until its work is done.
"""

import math
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

FOREVER = math.inf


@dataclass(eq=False)
class Training:
    """A job with so much left to do.

    Attributes:
        deadline_s: when it must have ended.
        left: iterations that are left.
        levels: numbers of GPUs worth using, rising, each faster than all before it.
        rate: iterations a second at each level.
    """

    key: str
    deadline_s: int
    left: float
    levels: tuple[int, ...]
    rate: dict[int, float]

    def level(self, gpus: int) -> int:
        """Return the fastest level of at most so many GPUs, 0 when there is none."""
        k = bisect_right(self.levels, gpus)
        return self.levels[k - 1] if k else 0


@dataclass(frozen=True)
class Share:
    """What is promised to a job: (from_s, to_s, GPUs), and when it will have ended by that."""

    segments: tuple[tuple[int, int, int], ...]
    end_s: int

    @property
    def gpu_s(self) -> int:
        """Return the GPU-seconds used."""
        return sum((to - since) * gpus for since, to, gpus in self.segments)

    def gpus_at(self, now_s: int) -> int:
        """Return the GPUs promised at an instant."""
        return next((gpus for since, to, gpus in self.segments if since <= now_s < to), 0)


@dataclass
class Free:
    """Free GPUs over time: `gpus[i]` from `at_s[i]` on, the last one for ever."""

    at_s: list[int]
    gpus: list[int] = field(default_factory=list)

    def take(self, share: Share, slot_s: int, origin_s: int) -> None:
        """Take a share away; the slot in which a job ends is taken whole."""
        for since, to, gpus in share.segments:
            end = next_edge(to, slot_s, origin_s)
            first, last = self._edge(since), self._edge(end)
            for i in range(first, last):
                self.gpus[i] -= gpus

    def _edge(self, at_s: int) -> int:
        i = bisect_left(self.at_s, at_s)
        if i == len(self.at_s) or self.at_s[i] != at_s:
            self.at_s.insert(i, at_s)
            self.gpus.insert(i, self.gpus[i - 1])
        return i


def worthwhile(rate: dict[int, float], most: int) -> tuple[int, ...]:
    """Return the levels of at most `most` GPUs that are faster than every smaller one."""
    levels: list[int] = []
    for gpus in sorted(rate):
        if gpus <= most and (not levels or rate[gpus] > rate[levels[-1]]):
            levels.append(gpus)
    return tuple(levels)


def cheapest_share(job: Training, free: Free) -> Share | None:
    """Return the share that keeps the deadline with the fewest GPU-seconds, None when none does."""
    shares = [share for level in job.levels if (share := filled(job, free, level)) is not None]
    return min(shares, key=lambda share: share.gpu_s, default=None)


def smallest_share(job: Training, free: Free) -> Share | None:
    """Return the share with the fewest GPUs at a time that keeps the deadline, None when none does."""
    return next((share for level in job.levels if (share := filled(job, free, level)) is not None), None)


def filled(job: Training, free: Free, most: int) -> Share | None:
    """Return what a job gets that takes at most `most` GPUs from now on, None when it would be late."""
    left, segments = job.left, []
    for i, since in enumerate(free.at_s):
        to = free.at_s[i + 1] if i + 1 < len(free.at_s) else FOREVER
        if since >= job.deadline_s:
            return None
        gpus = job.level(min(most, free.gpus[i]))
        if not gpus:
            continue
        end = math.ceil(since + left / job.rate[gpus])
        if end <= to:
            if end > job.deadline_s:
                return None
            segments.append((since, end, gpus))
            return Share(tuple(segments), end)
        segments.append((since, int(to), gpus))
        left -= (to - since) * job.rate[gpus]
    return None


def next_edge(at_s: int, slot_s: int, origin_s: int) -> int:
    """Return the first edge of a slot at or after an instant."""
    return origin_s + -(-(at_s - origin_s) // slot_s) * slot_s


Choose = Callable[[Training, Free], Share | None]


def shares(jobs: Sequence[Training], free: Free, *, choose: Choose, slot_s: int, origin_s: int) -> list[Share] | None:
    """Return a share for each job, earliest deadline first, or None when one would be late; takes them from `free`."""
    found: dict[int, Share] = {}
    for k in sorted(range(len(jobs)), key=lambda k: (jobs[k].deadline_s, jobs[k].key)):
        share = choose(jobs[k], free)
        if share is None:
            return None
        free.take(share, slot_s, origin_s)
        found[k] = share
    return [found[k] for k in range(len(jobs))]
