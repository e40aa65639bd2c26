"""Counters of server processes: their increase in each window, reset-safe by replica, with seconds carried to the tokens.

A replica is one process with counters of its own. Every increase is reckoned by replica before anything is summed:
replicas that fall and rise at once cancel in a sum (900 -> 100 beside 100 -> 1000 is 1000 tokens, not 100).
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

FloatArray = npt.NDArray[np.float64]
Int64Array = npt.NDArray[np.int64]
BoolArray = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class Readings:
    """Readings of several replicas, sorted by replica and time.

    Attributes:
        replica: index of the replica, shape (n,), ascending from 0 without holes.
        at_s: epoch seconds, shape (n,), strictly increasing within a replica.
        started_s: epoch seconds of the process's start, shape (n,), NaN where it is not known.
        value: the counters, shape (n, c); NaN where one was not read.
    """

    replica: Int64Array
    at_s: FloatArray
    started_s: FloatArray
    value: FloatArray


@dataclass(frozen=True)
class Curves:
    """What each replica counted since its first reading, over any number of restarts.

    Attributes:
        cumulative: shape (n, c), never decreasing within a replica.
        restarted: whether the process restarted since the reading before, shape (n,).
    """

    readings: Readings
    cumulative: FloatArray
    restarted: BoolArray

    @property
    def replicas(self) -> int:
        """Return the number of replicas."""
        return int(self.readings.replica[-1]) + 1 if self.readings.replica.size else 0


def curves(readings: Readings) -> Curves:
    """Return cumulative counts that survive restarts.

    A process restarted when any of its counters fell, or when it says that it started later. All of its counters then
    began at zero, so the interval is worth the new readings: 900 -> 100 is 100, and 900 -> 1000 by a new process is
    1000. A replica's first reading is its base; when it started no earlier than the other replicas were first read, it
    has counted from zero since then and its first reading counts as well.

    Source: Prometheus `increase()`; vLLM exports `process_start_time_seconds` beside its counters.
    """
    readings = _with_births(readings)
    if not readings.at_s.size:
        return Curves(readings, readings.value.copy(), np.zeros(0, dtype=bool))
    first = np.r_[True, np.diff(readings.replica) > 0]
    step = np.diff(readings.value, axis=0, prepend=readings.value[:1])
    later = np.r_[False, np.diff(readings.started_s) > 1]
    restarted = ~first & ((step < 0).any(axis=1) | later)
    step[restarted] = readings.value[restarted]
    step[first] = 0.0
    total = np.cumsum(np.nan_to_num(step), axis=0)
    base = total[np.flatnonzero(first)][readings.replica]
    return Curves(readings, total - base, restarted)


def _with_births(readings: Readings) -> Readings:
    """Return the readings with one of zero at the start of each replica that started while others were being read."""
    if not readings.at_s.size:
        return readings
    first = np.flatnonzero(np.r_[True, np.diff(readings.replica) > 0])
    born_s = readings.started_s[first]
    young = first[(born_s >= readings.at_s.min()) & (born_s < readings.at_s[first])]
    if not young.size:
        return readings
    return Readings(
        replica=np.insert(readings.replica, young, readings.replica[young]),
        at_s=np.insert(readings.at_s, young, readings.started_s[young]),
        started_s=np.insert(readings.started_s, young, readings.started_s[young]),
        value=np.insert(readings.value, young, 0.0, axis=0),
    )


def at_edges(found: Curves, edge_s: Int64Array) -> FloatArray:
    """Return the cumulative counts of every replica at window edges, interpolated, shape (replicas, w + 1, c).

    Outside a replica's readings its curve is level: nothing is made up.
    """
    readings = found.readings
    shape = (found.replicas, len(edge_s), found.cumulative.shape[1])
    counts = np.zeros(shape)
    if not found.replicas:
        return counts
    at, edges = _one_axis(readings.replica, readings.at_s, np.tile(edge_s.astype(np.float64), (found.replicas, 1)))
    for column in range(shape[2]):
        counts[:, :, column] = np.interp(edges, at, found.cumulative[:, column])
    return counts


def increases(found: Curves, edge_s: Int64Array) -> FloatArray:
    """Return how much each counter of each replica rose between neighbouring edges, shape (replicas, w, c)."""
    return np.asarray(np.diff(at_edges(found, edge_s), axis=1), dtype=np.float64)


@dataclass(frozen=True)
class Column:
    """Positions of the three counters that belong together: tokens as they are made, and at the end of their request."""

    made: int
    finished: int
    seconds: int


def carried_seconds(found: Curves, edge_s: Int64Array, column: Column) -> tuple[FloatArray, FloatArray]:
    """Return request seconds by the window in which their tokens were made, not in which their request ended.

    A request's seconds are observed when it ends, its tokens while it runs; so a window may have tokens without seconds
    and a later one seconds without tokens. Both are matched first in, first out: the n-th token made takes the seconds
    of the n-th token finished. With G tokens made and F finished, G - F are in flight; seconds S as a function of F is
    read off at G(edge). Differences of one curve telescope, so nothing is lost and nothing counted twice, over any
    number of windows. A restart ends its tokens in flight: they share the seconds of the interval in which it happened.
    Where finished tokens are not counted, the seconds of the whole span are spread by tokens.

    Returns:
        seconds, shape (replicas, w); open tokens, shape (replicas, w): made in the window, and their request had not
        ended at the last reading. Their seconds come with later readings.
    """
    readings = found.readings
    windows = len(edge_s) - 1
    if not found.replicas:
        return np.zeros((0, windows)), np.zeros((0, windows))
    made = found.cumulative[:, column.made]
    in_flight = readings.value[:, column.made] - readings.value[:, column.finished]
    seconds = found.cumulative[:, column.seconds]
    last = np.r_[np.flatnonzero(np.diff(readings.replica)), len(made) - 1]
    first = np.r_[0, last[:-1] + 1]
    unknown = np.isnan(in_flight)
    finished = np.where(unknown, made, made - in_flight)
    # Without a counter of finished tokens: a straight line from the first token to the last.
    blind = np.logical_or.reduceat(unknown, first)[readings.replica]
    inner = np.ones(len(made), dtype=bool)
    inner[first], inner[last] = False, False
    keep = ~(blind & inner)
    edges_made = at_edges(found, edge_s)[:, :, column.made]
    level, wanted = _one_axis(readings.replica[keep], _rising(finished[keep], readings.replica[keep]), edges_made)
    at = np.interp(wanted, level, seconds[keep])
    open_tokens = np.maximum(edges_made - finished[last][:, None], 0.0)
    return np.diff(at, axis=1), np.diff(open_tokens, axis=1)


def _rising(level: FloatArray, replica: Int64Array) -> FloatArray:
    """Return a level that never falls within a replica: counters of one scrape may be read moments apart."""
    edges = np.flatnonzero(np.diff(replica)) + 1
    return np.concatenate([np.maximum.accumulate(one) for one in np.split(level, edges)])


def _one_axis(replica: Int64Array, position: FloatArray, wanted: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Return positions and what is wanted of each replica on one ascending axis, so that one interpolation does for all.

    What is wanted, shape (replicas, m), is first held within its replica's own positions.
    """
    start = np.flatnonzero(np.r_[True, np.diff(replica) > 0])
    end = np.r_[start[1:], len(replica)] - 1
    low, high = position[start], position[end]
    offset = np.r_[0.0, np.cumsum(high - low + 1.0)[:-1]] - low
    held = np.clip(wanted, low[:, None], high[:, None])
    return position + offset[replica], held + offset[:, None]
