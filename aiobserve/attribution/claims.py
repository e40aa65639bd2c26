"""Lay out who may be charged what in each segment, so that whole segments need no splitting.

A segment that one claimant held all the time, or that nobody held and that drew no more than its idle power, goes to
one row whole. Every other segment is split: over its holders, `idle` for the time that nobody held, and
`unattributed` for what a device drew above its idle power while nobody held it.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from aiobserve.attribution.batches import Batch, split_columns
from aiobserve.attribution.occupancy import Holdings
from aiobserve.domain.account import Account
from aiobserve.domain.quality import Quality

Int64Array = npt.NDArray[np.int64]
Int8Array = npt.NDArray[np.int8]
BoolArray = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class Claims:
    """Rows to be charged: first those that take a segment whole, then those that share one, in batches.

    Attributes:
        segment, kind, claimant: of each row, shape (n,); claimant is -1 where the kind is not JOB.
        gpu_millis: time held or offered, the weight of what goes by time, shape (n,).
        active_weight: weight of what was drawn above the idle power, shape (n - whole,).
        quality: ESTIMATED where several jobs shared a device and nobody knows how busy each kept it, shape (n,).
        whole: number of rows that take their segment whole.
        batches: the segments that are shared, those of as many rows together.
    """

    segment: Int64Array
    kind: Int8Array
    claimant: Int64Array
    gpu_millis: Int64Array
    active_weight: Int64Array
    quality: Int8Array
    whole: int
    batches: tuple[Batch, ...]

    def split(self, totals: Sequence[Int64Array], weights: Int64Array) -> Int64Array:
        """Return each row's part of m totals of the segments, shape (m, n); `weights` are those of the shared rows."""
        parts = np.empty((len(totals), len(self.segment)), dtype=np.int64)
        whole = self.segment[: self.whole]
        for total, own in zip(totals, parts, strict=True):
            total.take(whole, out=own[: self.whole], mode="clip")
        shared = parts[:, self.whole :]
        for batch in self.batches:
            amounts = np.stack([total[batch.segment] for total in totals])
            split = split_columns(amounts, batch.matrix(weights))
            shared[:, batch.rows] = split.reshape(len(totals), -1)
        return parts


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
    held = np.zeros(len(capacity), dtype=bool)
    held[holdings.segment] = True
    unheld = np.flatnonzero(~held)
    filled = holdings.gpu_millis[:alone] == capacity[held_segment]
    quiet = active_millij[unheld] == 0
    idle_only = unheld[quiet & (capacity[unheld] > 0)]
    loose = unheld[~quiet]
    part = np.flatnonzero(~filled)
    part_segment, part_millis = held_segment[part], holdings.gpu_millis[:alone][part]
    starts = np.flatnonzero(np.diff(shared_segment, prepend=-1))
    holders = np.diff(starts, append=len(shared_segment))
    segments_shared = shared_segment[starts]
    # Time of shared segments that nobody held.
    spare = capacity[segments_shared] - (np.add.reduceat(holdings.gpu_millis[alone:], starts) if starts.size else 0)
    rest = np.flatnonzero(spare > 0)

    # One job that holds a device in several pieces bears all that it drew above its idle power: nothing to guess.
    only_one = np.repeat(holders == 1, holders)
    guessed = np.where(by_activity | only_one, Quality.MEASURED, Quality.ESTIMATED).astype(np.int8)
    split = _stacked(
        [
            _Rows(part_segment, Account.JOB, holdings.claimant[:alone][part], part_millis, 1),
            _Rows(part_segment, Account.IDLE, None, capacity[part_segment] - part_millis, 0),
            _Rows(loose, Account.IDLE, None, capacity[loose], 0),
            _Rows(loose, Account.UNATTRIBUTED, None, np.zeros(len(loose), np.int64), 1),
            _Rows(
                shared_segment, Account.JOB, holdings.claimant[alone:], holdings.gpu_millis[alone:], active_weight,
                guessed,
            ),
            _Rows(segments_shared[rest], Account.IDLE, None, spare[rest], 0),
        ]
    )  # fmt: skip
    first_shared = 2 * len(part) + 2 * len(loose)
    pairs = np.arange(first_shared)
    places = [np.stack([pairs[: len(part)], pairs[len(part) : 2 * len(part)]])]
    places.append(pairs[2 * len(part) :].reshape(2, len(loose)))
    spare_row = np.full(len(starts), -1)
    spare_row[rest] = first_shared + len(shared_segment) + np.arange(len(rest))
    order, batches = _batched([*places, *_together(first_shared + starts, holders, spare_row)], split.segment)
    whole_segment = np.concatenate([held_segment[filled], idle_only])
    whole_kind = np.repeat(np.array([Account.JOB, Account.IDLE], np.int8), [alone - len(part), len(idle_only)])
    nobody = np.full(len(idle_only), -1)
    return Claims(
        segment=np.concatenate([whole_segment, split.segment[order]]),
        kind=np.concatenate([whole_kind, split.kind[order]]),
        claimant=np.concatenate([holdings.claimant[:alone][filled], nobody, split.claimant[order]]),
        gpu_millis=np.concatenate([capacity[whole_segment], split.gpu_millis[order]]),
        active_weight=split.active_weight[order],
        quality=np.concatenate([np.full(len(whole_segment), Quality.MEASURED, np.int8), split.quality[order]]),
        whole=len(whole_segment),
        batches=batches,
    )


def _together(start: Int64Array, holders: Int64Array, spare_row: Int64Array) -> Iterator[Int64Array]:
    """Yield the rows of shared segments of as many holders, and alike in time to spare; shape (rows, segments)."""
    for count in np.flatnonzero(np.bincount(holders)).tolist():
        for with_spare in (False, True):
            chosen = np.flatnonzero((holders == count) & ((spare_row >= 0) == with_spare))
            if chosen.size:
                rows = start[chosen] + np.arange(count)[:, None]
                yield np.vstack([rows, spare_row[chosen]]) if with_spare else rows


def _batched(places: list[Int64Array], segment: Int64Array) -> tuple[Int64Array, tuple[Batch, ...]]:
    """Put the segments of as many rows side by side: the order of the rows, and the batches that they form then."""
    of_size: dict[int, list[Int64Array]] = {}
    for rows in places:
        if rows.size:
            of_size.setdefault(len(rows), []).append(rows)
    matrices = [np.hstack(of_size[size]) for size in sorted(of_size)]
    start = 0
    batches = []
    for rows in matrices:
        batches.append(Batch(segment[rows[0]], len(rows), start))
        start += rows.size
    return np.concatenate([np.zeros(0, np.int64), *(rows.ravel() for rows in matrices)]), tuple(batches)


@dataclass(frozen=True)
class _Rows:
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


def _stacked(parts: list[_Rows]) -> _Stack:
    nobody = [np.full(len(one.segment), -1) if one.claimant is None else one.claimant for one in parts]
    return _Stack(
        np.concatenate([one.segment for one in parts]),
        np.concatenate([np.full(len(one.segment), one.account, dtype=np.int8) for one in parts]),
        np.concatenate(nobody),
        np.concatenate([one.gpu_millis for one in parts]),
        np.concatenate([np.broadcast_to(one.weight, len(one.segment)) for one in parts]),
        np.concatenate([np.broadcast_to(np.asarray(one.quality, np.int8), len(one.segment)) for one in parts]),
    )
