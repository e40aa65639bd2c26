"""Split what a model server cost over those who used it: by work, in parts that sum to the whole of every window.

A server is a job; its charges are re-distributed to its tenants. What no request explains stays with the server's own
account: windows and seconds without a request are idle serving capacity, tokens without a known tenant are its own.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from aiobserve.attribution.charges import KEYS, Rows, as_charges, summed
from aiobserve.attribution.numbering import matched
from aiobserve.attribution.phase_weights import PhaseWeights
from aiobserve.attribution.split import Groups, split_groups
from aiobserve.domain.account import MEASURES, Account
from aiobserve.domain.tokens import PHASE_OF, PHASES, TOKEN_COLUMNS, TokenKind

FloatArray = npt.NDArray[np.float64]
Int64Array = npt.NDArray[np.int64]

# A window of a server has this many parts. A part in 10**12 is finer than any amount of a window.
WHOLE = 2**40
# The claimant of the row that stays with whoever the server itself was charged to.
STAYS = -1
PARTS = ("input_parts", "cached_parts", "output_parts", "idle_parts")


@dataclass(frozen=True)
class Served:
    """What servers counted in each window, shape (s, w, ...); and how much wall time a request takes a token.

    Attributes:
        tokens: counted tokens by phase, shape (s, w, 3); NaN where the server was not read.
        replicas: processes that were read in the window, shape (s, w).
        prefill_s, decode_s: request seconds per computed prompt token and per generated token, shape (s,); NaN where
            they are not known. Request seconds per second of the window are how many requests are in flight.
    """

    tokens: FloatArray
    replicas: Int64Array
    prefill_s: FloatArray
    decode_s: FloatArray


def phases_of(tokens: Int64Array) -> Int64Array:
    """Return tokens by phase, shape (..., 3), from tokens by kind, shape (..., 5)."""
    return np.stack(
        [
            sum((tokens[..., kind] for kind in TokenKind if PHASE_OF[kind] == phase), np.zeros_like(tokens[..., 0]))
            for phase in PHASES
        ],
        axis=-1,
    )


def without_tenant(counted: FloatArray, used: Int64Array) -> Int64Array:
    """Return the tokens by window that a server counted and no usage row explains, shape (..., w, 3) like its inputs.

    A request in flight at an edge is counted in one window and reported in the next. So what is missing in a window is
    only that which no later window makes up for: the increase of min over v >= w of (counted - used) up to v.
    Where the server was not read, usage is all that is known.
    """
    counted = np.where(np.isnan(counted), used, counted)
    missing = np.cumsum(counted - used, axis=-2)
    lasting = np.flip(np.minimum.accumulate(np.flip(missing, axis=-2), axis=-2), axis=-2)
    whole = np.floor(np.maximum(lasting, 0.0) + 1e-6).astype(np.int64)
    return np.diff(whole, axis=-2, prepend=0)


def parts_of_servers(
    used: pd.DataFrame, served: Served, weights: list[PhaseWeights], edge_s: Int64Array
) -> pd.DataFrame:
    """Return who has which part of each server and window; the parts of a window sum to `WHOLE`.

    Columns: server, window_start_s, claimant, `TOKEN_COLUMNS` and `PARTS`, sorted by the first three.

    Args:
        used: server, window_start_s, claimant and `TOKEN_COLUMNS`, of windows within the edges; one row a combination.
        served: by server; weights: of each server.

    Work is tokens x weight. The share of a window in which nothing was in flight, at least
    1 - request seconds / (window x replicas), is idle: so many requests at most ran one after another.
    """
    window_s = np.diff(edge_s)
    window = np.searchsorted(edge_s, used["window_start_s"].to_numpy(), side="right") - 1
    server = used["server"].to_numpy(dtype=np.int64)
    by_kind = used[list(TOKEN_COLUMNS)].to_numpy(dtype=np.int64)
    total = np.zeros((len(weights), len(window_s), len(PHASES)), dtype=np.int64)
    np.add.at(total, (server, window), phases_of(by_kind))
    alone = without_tenant(served.tokens, total)
    servers, windows, _ = alone.shape
    columns = {
        "server": np.concatenate([server, np.repeat(np.arange(servers), windows)]),
        "window_start_s": np.concatenate([edge_s[window], np.tile(edge_s[:-1], servers)]),
        "claimant": np.concatenate([used["claimant"].to_numpy(np.int64), np.full(servers * windows, STAYS)]),
    }
    kinds = np.concatenate([by_kind, _as_kinds(alone).reshape(-1, len(TokenKind))])
    order = np.lexsort([columns[name] for name in ("claimant", "window_start_s", "server")])
    busy = _busy(total + alone, served, window_s)
    rows = {name: values[order] for name, values in columns.items()}
    parts = _parts(rows, kinds[order], weights, busy, edge_s)
    return pd.DataFrame({**rows, **dict(zip(TOKEN_COLUMNS, kinds[order].T, strict=True)), **parts}, copy=False)


def _as_kinds(phases: Int64Array) -> Int64Array:
    """Return tokens of which only the phase is known by kind, shape (..., 5), from shape (..., 3)."""
    kinds = np.zeros((*phases.shape[:-1], len(TokenKind)), dtype=np.int64)
    for phase, kind in enumerate((TokenKind.INPUT, TokenKind.CACHED_READ, TokenKind.OUTPUT)):
        kinds[..., kind] = phases[..., phase]
    return kinds


def _busy(tokens: Int64Array, served: Served, window_s: Int64Array) -> Int64Array:
    """Return how many parts of each server and window requests explain, shape (s, w)."""
    in_flight_s = tokens[:, :, 0] * served.prefill_s[:, None] + tokens[:, :, 2] * served.decode_s[:, None]
    share = in_flight_s / (window_s * np.maximum(served.replicas, 1))
    share = np.where(np.isnan(share), 1.0, np.minimum(share, 1.0))
    return np.where(tokens.any(axis=-1), np.maximum(np.rint(share * WHOLE), 1), 0).astype(np.int64)


def _parts(
    rows: dict[str, Int64Array], kinds: Int64Array, weights: list[PhaseWeights], busy: Int64Array, edge_s: Int64Array
) -> dict[str, Int64Array]:
    """Return the parts of rows that are sorted by server and window, one a server, window and claimant."""
    windows = len(edge_s) - 1
    group = rows["server"] * windows + np.searchsorted(edge_s, rows["window_start_s"], side="right") - 1
    phases = phases_of(kinds).astype(np.float64)
    per_token = np.array([[one.prefill_s, one.cached_s, one.decode_s] for one in weights]).reshape(-1, 3)
    work = phases * per_token[rows["server"]]
    # Only cached tokens whose weight is nought: they share by count rather than fall under the table.
    total = np.bincount(group, work.sum(axis=1), busy.size)
    work = np.where((total == 0)[group][:, None], phases, work)
    total = np.bincount(group, work.sum(axis=1), busy.size)
    scaled = work / np.where(total > 0, total, 1)[group][:, None] * WHOLE
    whole = np.where(work > 0, np.maximum(np.rint(scaled), 1), 0).astype(np.int64)
    parts = split_groups(busy.ravel(), np.repeat(group, len(PHASES)), whole.ravel()).reshape(-1, len(PHASES))
    idle = np.where(rows["claimant"] == STAYS, WHOLE - busy.ravel()[group], 0)
    return dict(zip(PARTS, [*parts.T, idle], strict=True))


def redistribute(charges: pd.DataFrame, server_of: "pd.Series[int]", parts: pd.DataFrame) -> pd.DataFrame:
    """Return the charges (`domain.frames.CHARGES`) with those of servers split over their tenants, on every measure.

    Args:
        server_of: server number by the claimant that the engine charged; claimants that are no server are absent.
        parts: from `parts_of_servers`.

    Each charge is split by itself, so its quality stays with it, and its parts sum to it exactly.
    """
    if server_of.empty:
        return charges
    claimant = charges["claimant"].to_numpy(dtype=np.int64)
    server_by_claimant = np.full(max(int(claimant.max(initial=-1)), int(server_of.index.max())) + 2, -1, dtype=np.int64)
    server_by_claimant[server_of.index.to_numpy(dtype=np.int64)] = server_of.to_numpy(dtype=np.int64)
    server = np.where(charges["kind"].to_numpy() == Account.JOB, server_by_claimant[claimant], -1)
    ours = np.flatnonzero(server >= 0)
    if not ours.size:
        return charges
    charge, tenant, weight = _spread(server[ours], charges["window_start_s"].to_numpy(dtype=np.int64)[ours], parts)
    row = ours[charge]
    theirs = np.flatnonzero(server < 0)
    groups = Groups.of(charge, len(ours))
    both = np.concatenate([theirs, row])
    keys = {name: charges[name].to_numpy()[both] for name in KEYS}
    keys["claimant"] = np.concatenate([claimant[theirs], np.where(tenant == STAYS, claimant[row], tenant)])
    measures = {}
    for name in MEASURES:
        amounts = charges[name].to_numpy(dtype=np.int64)
        measures[name] = np.concatenate([amounts[theirs], groups.split(amounts[ours], weight)])
    return as_charges(summed(Rows(keys, measures)))


def _spread(
    server: Int64Array, window_start_s: Int64Array, parts: pd.DataFrame
) -> tuple[Int64Array, Int64Array, Int64Array]:
    """Return the rows that charges of servers are split into: charge, tenant and weight, sorted by charge.

    A charge in a window that the parts do not know stays where it is.
    """
    weight = parts[list(PARTS)].to_numpy(dtype=np.int64).sum(axis=1)
    some = weight > 0
    keys = [parts[name].to_numpy(dtype=np.int64)[some] for name in ("server", "window_start_s")]
    charge, part = matched([server, window_start_s], keys)
    known = part >= 0
    tenants = np.where(known, parts["claimant"].to_numpy(dtype=np.int64)[some][part], STAYS)
    return charge, tenants, np.where(known, weight[some][part], 1)
