"""From readings of servers' counters to what they served by window, and the weights that their tokens are split by."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from aiobserve.attribution.counters import Column, Curves, Readings, carried_seconds, curves, increases
from aiobserve.attribution.phase_weights import ASSUMED, PhaseTimes, PhaseWeights, fit, fitted, measured
from aiobserve.attribution.tokens import Served

FloatArray = npt.NDArray[np.float64]
Int64Array = npt.NDArray[np.int64]
BoolArray = npt.NDArray[np.bool_]

# Positions of the counters in `Readings.value`; prompt is computed and cached together, as finished prompt tokens are.
VALUES = (
    "prefill_tokens", "cached_tokens", "decode_tokens", "prefill_s", "decode_s", "finished_prompt_tokens",
    "finished_decode_tokens", "prompt_tokens",
)  # fmt: skip
PREFILL = Column(made=7, finished=5, seconds=3)
DECODE = Column(made=2, finished=6, seconds=4)


@dataclass(frozen=True)
class ServerReadings:
    """What servers served by window, and their phase times by replica and window, each with its server's number."""

    served: Served
    times: PhaseTimes
    server_of_times: Int64Array


def read_servers(counters: pd.DataFrame, servers: int, edge_s: Int64Array) -> ServerReadings:
    """Return what the counters say of each server and window.

    Args:
        counters: server (number), replica, at_s, started_s and `VALUES` but prompt_tokens; sorted by server, replica, time.
    """
    found, of_replica = _curves(counters)
    windows = len(edge_s) - 1
    risen = increases(found, edge_s)
    covered = _covered(found, edge_s)
    tokens = np.zeros((servers, windows, 3))
    replicas = np.zeros((servers, windows), dtype=np.int64)
    np.add.at(tokens, of_replica, risen[:, :, :3])
    np.add.at(replicas, of_replica, covered.astype(np.int64))
    tokens[replicas == 0] = np.nan
    times = _times(found, risen, edge_s)
    server_of_times = np.repeat(of_replica, windows)
    return ServerReadings(
        Served(
            tokens,
            replicas,
            _per_token(times.prefill_s, times.prefill_tokens, server_of_times, servers),
            _per_token(times.decode_s, times.decode_tokens, server_of_times, servers),
        ),
        times,
        server_of_times,
    )


def _curves(counters: pd.DataFrame) -> tuple[Curves, Int64Array]:
    server, name = counters["server"].to_numpy(dtype=np.int64), counters["replica"].to_numpy(dtype=object)
    fresh = np.r_[True, (server[1:] != server[:-1]) | (name[1:] != name[:-1])] if len(server) else np.zeros(0, bool)
    columns = {one: counters[one].to_numpy(dtype=np.float64) for one in VALUES[:-1]}
    columns["prompt_tokens"] = columns["prefill_tokens"] + columns["cached_tokens"]
    found = curves(
        Readings(
            replica=np.cumsum(fresh) - 1,
            at_s=counters["at_s"].to_numpy(dtype=np.float64),
            started_s=counters["started_s"].to_numpy(dtype=np.float64),
            value=np.column_stack([columns[one] for one in VALUES]),
        )
    )
    return found, server[fresh]


def _covered(found: Curves, edge_s: Int64Array) -> BoolArray:
    """Return whether each replica was read from the start of each window to its end, shape (replicas, w)."""
    at_s, replica = found.readings.at_s, found.readings.replica
    if not replica.size:
        return np.zeros((0, len(edge_s) - 1), dtype=bool)
    first = np.flatnonzero(np.r_[True, np.diff(replica) > 0])
    last = np.r_[first[1:], len(replica)] - 1
    return np.asarray(
        (at_s[first][:, None] <= edge_s[None, :-1]) & (at_s[last][:, None] >= edge_s[None, 1:]), dtype=bool
    )


def _times(found: Curves, risen: FloatArray, edge_s: Int64Array) -> PhaseTimes:
    """Return tokens whose seconds are known, and those seconds, by replica and window."""
    prefill_s, open_prompt = carried_seconds(found, edge_s, PREFILL)
    decode_s, open_decode = carried_seconds(found, edge_s, DECODE)
    prompt = np.maximum(risen[:, :, PREFILL.made], 1e-9)
    ended = 1 - np.minimum(open_prompt / prompt, 1)
    return PhaseTimes(
        prefill_tokens=(risen[:, :, 0] * ended).ravel(),
        cached_tokens=(risen[:, :, 1] * ended).ravel(),
        decode_tokens=np.maximum(risen[:, :, 2] - open_decode, 0).ravel(),
        prefill_s=prefill_s.ravel(),
        decode_s=decode_s.ravel(),
        window_s=np.tile(np.diff(edge_s), found.replicas).astype(np.float64),
    )


def _per_token(seconds: FloatArray, tokens: FloatArray, server: Int64Array, servers: int) -> FloatArray:
    second, token = np.bincount(server, seconds, servers), np.bincount(server, tokens, servers)
    known = (second > 0) & (token > 0)
    return np.where(known, second / np.where(known, token, 1.0), np.nan)


def choose_weights(
    readings: ServerReadings, kind: Int64Array, tokens: FloatArray, energy_j: FloatArray
) -> list[PhaseWeights]:
    """Return the weights of each server: measured, else fitted to energy, else assumed.

    Args:
        kind: number of the model and kind of GPU of each server; servers of a kind are reckoned together.
        tokens: by server, window and phase, shape (s, w, 3); energy_j: of server and window, shape (s, w).
    """
    chosen: dict[int, PhaseWeights] = {}
    for one in np.unique(kind):
        rows = np.isin(readings.server_of_times, np.flatnonzero(kind == one))
        times = PhaseTimes(*(getattr(readings.times, name)[rows] for name in PhaseTimes.__annotations__))
        drawn = energy_j[kind == one].ravel()
        used = tokens[kind == one].reshape(-1, 3)
        by_energy = fit(used[drawn > 0], drawn[drawn > 0])
        chosen[int(one)] = measured(times) or fitted(by_energy, "joules") or ASSUMED
    return [chosen[int(one)] for one in kind]
