"""Times in which work that can wait should: dirty hours, of which a job is kept out as long as its deadline allows."""

from bisect import bisect_right
from collections.abc import Sequence

from scheduler.elastic.share import Choose, Free, Share, Training, cheapest_share

END_OF_TIME_S = 1 << 62


class Pauses:
    """A step function of time that says when to pause.

    Args:
        change_s: instants at which it changes, rising, on edges of slots; before the first nothing pauses.
        pause: whether to pause from each of them on.
    """

    def __init__(self, change_s: Sequence[int], pause: Sequence[bool]) -> None:
        self.change_s, self.pause = list(change_s), list(pause)

    def at(self, now_s: int) -> bool:
        """Return whether to pause at an instant."""
        k = bisect_right(self.change_s, now_s) - 1
        return k >= 0 and self.pause[k]

    def change_after(self, now_s: int) -> int:
        """Return the next instant at which it changes."""
        k = bisect_right(self.change_s, now_s)
        return self.change_s[k] if k < len(self.change_s) else END_OF_TIME_S

    def spared(self, free: Free, until_s: int) -> Free:
        """Return what is free outside the pauses, up to an instant; after it as before."""
        edges = sorted({*free.at_s, *(at for at in self.change_s if free.at_s[0] < at < until_s)})
        gpus = [free.gpus[bisect_right(free.at_s, at) - 1] for at in edges]
        return Free(
            edges, [0 if at < until_s and self.at(at) else count for at, count in zip(edges, gpus, strict=True)]
        )

    def choice(self) -> Choose:
        """Return how to choose shares: outside the pauses where that keeps the deadline, else the cheapest."""

        def choose(job: Training, free: Free) -> Share | None:
            spared = cheapest_share(job, self.spared(free, job.deadline_s))
            return spared if spared is not None else cheapest_share(job, free)

        return choose
