"""Lay out who may be charged what in each segment, so that whole segments need no splitting.

A segment that one claimant held all the time, or that nobody held and that drew no more than its idle power, goes to
one row whole. Every other segment is split: over its holders, `idle` for the time that nobody held, and
`unattributed` for what a device drew above its idle power while nobody held it.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from aiobserve.attribution.occupancy import Holdings
from aiobserve.attribution.split import Groups
from aiobserve.domain.account import Account
from aiobserve.domain.quality import Quality

Int64Array = npt.NDArray[np.int64]
Int8Array = npt.NDArray[np.int8]
BoolArray = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class Claims:
    """Rows to be charged: first those that take a segment whole, then those that share one, sorted by segment.

    Attributes:
        segment, kind, claimant: of each row, shape (n,); claimant is -1 where the kind is not JOB.
        gpu_millis: time held or offered, the weight of what goes by time, shape (n,).
        active_weight: weight of what was drawn above the idle power, shape (n - whole,).
        quality: ESTIMATED where several jobs shared a device and nobody knows how busy each kept it, shape (n,).
        whole: number of rows that take their segment whole.
        groups: the shared rows by segment; `shared_segment` names each group's segment.
    """

    segment: Int64Array
    kind: Int8Array
    claimant: Int64Array
    gpu_millis: Int64Array
    active_weight: Int64Array
    quality: Int8Array
    whole: int
    groups: Groups
    shared_segment: Int64Array

    def split(self, totals: Int64Array, weights: Int64Array) -> Int64Array:
        """Return each row's part of the segments' totals, shape (n,); `weights` are those of the shared rows."""
        parts = self.groups.split(totals[self.shared_segment], weights)
        return np.concatenate([totals[self.segment[: self.whole]], parts])


def lay_out(
    holdings: Holdings,
    capacity: Int64Array,
    active_millij: Int64Array,
    active_weight: Int64Array,
    by_activity: BoolArray,
) -> Claims:
    """Return the claims of every segment.

    Args:
        capacity: time offered by each segment, shape (c,).
        active_millij: energy above the idle power of each segment, shape (c,).
        active_weight: weight of the active energy of each shared row of `holdings`, shape (n - alone,).
        by_activity: whether that weight is known activity, shape (n - alone,), rather than the time held.
    """
    alone = holdings.alone
    held_segment, shared_segment = holdings.segment[:alone], holdings.segment[alone:]
    held = np.bincount(holdings.segment, minlength=len(capacity)).astype(bool)
    unheld = np.flatnonzero(~held)
    filled = holdings.gpu_millis[:alone] == capacity[held_segment]
    quiet = active_millij[unheld] == 0
    idle_only = unheld[quiet & (capacity[unheld] > 0)]
    loose = unheld[~quiet]
    part = ~filled
    # Time of shared segments that nobody held.
    starts = (
        np.flatnonzero(np.r_[True, shared_segment[1:] != shared_segment[:-1]])
        if shared_segment.size
        else np.zeros(0, np.int64)
    )
    segments_shared = shared_segment[starts]
    spare = capacity[segments_shared] - (np.add.reduceat(holdings.gpu_millis[alone:], starts) if starts.size else 0)
    rest = np.flatnonzero(spare > 0)

    # One job that holds a device in several pieces bears all that it drew above its idle power: nothing to guess.
    holders = np.diff(np.r_[starts, len(shared_segment)])
    only_one = np.repeat(holders == 1, holders)
    guessed = np.where(by_activity | only_one, Quality.MEASURED, Quality.ESTIMATED).astype(np.int8)
    blocks = [
        _Block(held_segment[part], Account.JOB, holdings.claimant[:alone][part], holdings.gpu_millis[:alone][part], 1),
        _Block(
            held_segment[part], Account.IDLE, None, capacity[held_segment[part]] - holdings.gpu_millis[:alone][part], 0
        ),
        _Block(loose, Account.IDLE, None, capacity[loose], 0),
        _Block(loose, Account.UNATTRIBUTED, None, np.zeros(len(loose), np.int64), 1),
        _Block(
            shared_segment, Account.JOB, holdings.claimant[alone:], holdings.gpu_millis[alone:], active_weight, guessed
        ),
        _Block(segments_shared[rest], Account.IDLE, None, spare[rest], 0),
    ]
    split = _stacked(blocks)
    order = np.argsort(split.segment, kind="stable")
    segment = split.segment[order]
    first = np.r_[True, segment[1:] != segment[:-1]] if segment.size else np.zeros(0, bool)
    whole_segment = np.concatenate([held_segment[filled], idle_only])
    count = len(whole_segment)
    return Claims(
        segment=np.concatenate([whole_segment, segment]),
        kind=np.concatenate(
            [
                np.repeat(np.array([Account.JOB, Account.IDLE], np.int8), [filled.sum(), len(idle_only)]),
                split.kind[order],
            ]
        ),
        claimant=np.concatenate(
            [holdings.claimant[:alone][filled], np.full(len(idle_only), -1), split.claimant[order]]
        ),
        gpu_millis=np.concatenate([capacity[whole_segment], split.gpu_millis[order]]),
        active_weight=split.active_weight[order],
        quality=np.concatenate([np.full(count, Quality.MEASURED, np.int8), split.quality[order]]),
        whole=count,
        groups=Groups.of(np.cumsum(first) - 1, int(first.sum())),
        shared_segment=segment[first],
    )


@dataclass(frozen=True)
class _Block:
    """Rows of one kind; a claimant of None is nobody, an active weight of a number is that of every row."""

    segment: Int64Array
    account: Account
    claimant: Int64Array | None
    gpu_millis: Int64Array
    weight: Int64Array | int
    quality: Int8Array | Quality = Quality.MEASURED


@dataclass(frozen=True)
class _Stack:
    segment: Int64Array
    kind: Int8Array
    claimant: Int64Array
    gpu_millis: Int64Array
    active_weight: Int64Array
    quality: Int8Array


def _stacked(blocks: list[_Block]) -> _Stack:
    nobody = [np.full(len(one.segment), -1) if one.claimant is None else one.claimant for one in blocks]
    return _Stack(
        np.concatenate([one.segment for one in blocks]),
        np.concatenate([np.full(len(one.segment), one.account, dtype=np.int8) for one in blocks]),
        np.concatenate(nobody),
        np.concatenate([one.gpu_millis for one in blocks]),
        np.concatenate([np.broadcast_to(one.weight, len(one.segment)) for one in blocks]),
        np.concatenate([np.broadcast_to(np.asarray(one.quality, np.int8), len(one.segment)) for one in blocks]),
    )
