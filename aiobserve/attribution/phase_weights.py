"""How much work a token is: seconds of server work per computed, cached and generated token of a model on a kind of GPU.

Measured from phase times, else fitted, else assumed from a stated table; each result says which.
"""

from dataclasses import dataclass
from itertools import combinations

import numpy as np
import numpy.typing as npt

from aiobserve.domain.quality import Quality

FloatArray = npt.NDArray[np.float64]

# A fit is used when it explains unseen windows to within this share of their mean, and saw this many windows.
MOST_FIT_ERROR = 0.15
LEAST_FIT_WINDOWS = 24
# Every HOLD_OUT-th window is kept out of the fit and tells its error.
HOLD_OUT = 4
# Columns that lie closer together than this condition number cannot be told apart: any split between them fits as well.
MOST_CONDITION = 100.0
# Prefill has the server to itself up to this share of a window in which requests overlap.
EXCLUSIVE_SHARE = 0.5

# Work per token over that of a computed prompt token, where nothing is known of the server.
# decode: Splitwise's performance model (github Mutinifni/splitwise-sim, MIT), seconds per token at batch 16, median over
# model, GPU and tensor parallelism: 8.4 to 21.5, median 12. cached: what providers charge for a cached token over an
# uncached one, median of 1,512 chat models of LiteLLM's price map 1.109.1 (MIT): 0.1; computing costs less still.
ASSUMED_DECODE = 12.0
ASSUMED_CACHED = 0.1
ASSUMED_PREFILL_S = 0.0001


@dataclass(frozen=True)
class PhaseWeights:
    """Seconds of server work per token, and where they come from.

    Attributes:
        prefill_s, cached_s, decode_s: of a computed prompt token, a prompt token from the cache, a generated token.
        quality: MEASURED from phase times, ESTIMATED by a fit or under overlap, ASSUMED from the table.
        source: in words, for `explain`.
    """

    prefill_s: float
    cached_s: float
    decode_s: float
    quality: Quality
    source: str

    def work_s(self, prefill: FloatArray, cached: FloatArray, decode: FloatArray) -> FloatArray:
        """Return seconds of server work by phase for token counts of shape (n,), shape (n, 3)."""
        return np.stack([prefill * self.prefill_s, cached * self.cached_s, decode * self.decode_s], axis=-1)


ASSUMED = PhaseWeights(
    ASSUMED_PREFILL_S, ASSUMED_PREFILL_S * ASSUMED_CACHED, ASSUMED_PREFILL_S * ASSUMED_DECODE, Quality.ASSUMED,
    f"assumed: a generated token is {ASSUMED_DECODE:g} computed prompt tokens (Splitwise, batch 16), a cached one {ASSUMED_CACHED:g}",
)  # fmt: skip


@dataclass(frozen=True)
class PhaseTimes:
    """What was counted by replica and window, shape (n,) each: tokens, request seconds, and the length of the window."""

    prefill_tokens: FloatArray
    cached_tokens: FloatArray
    decode_tokens: FloatArray
    prefill_s: FloatArray
    decode_s: FloatArray
    window_s: FloatArray


def measured(times: PhaseTimes) -> PhaseWeights | None:
    """Return weights from phase times; None when either phase has no time or no tokens.

    Request seconds are wall time of requests that run side by side, so they are not server seconds once they exceed the
    window. Prefill saturates a GPU and is taken as having it alone, up to half of such a window or its share of the
    request seconds, whichever is more; decode is batched and gets the rest:

        prefill = min(prefill_s, T max(1/2, prefill_s / (prefill_s + decode_s))),  decode = min(decode_s, T - prefill)

    One request of 0.2 s prefill and 1,000 tokens at 20 ms is 0.2 / 20.2 = 1 % input. Source of the metrics: vLLM
    `request_prefill_time_seconds_sum` and `request_decode_time_seconds_sum`. The sum of the histogram of seconds per
    output token is no decode time: each request adds its mean, 0.02, not 20.
    """
    prefill, decode = server_seconds(times)
    prefill_s, decode_s = float(prefill.sum()), float(decode.sum())
    prefill_tokens, decode_tokens = float(times.prefill_tokens.sum()), float(times.decode_tokens.sum())
    if min(prefill_s, decode_s, prefill_tokens, decode_tokens) <= 0:
        return None
    overlap = bool((times.prefill_s + times.decode_s > times.window_s * (1 + 1e-9)).any())
    per_prefill = prefill_s / prefill_tokens
    said = "requests overlapped: prefill alone, decode batched in the rest" if overlap else "requests did not overlap"
    return PhaseWeights(
        per_prefill, per_prefill * ASSUMED_CACHED, decode_s / decode_tokens,
        Quality.ESTIMATED if overlap else Quality.MEASURED,
        f"measured: {prefill_s:.4g} s of prefill over {prefill_tokens:.4g} tokens, {decode_s:.4g} s of decode over "
        f"{decode_tokens:.4g} tokens; {said}; a cached token is assumed to be {ASSUMED_CACHED:g} of a computed one",
    )  # fmt: skip


def server_seconds(times: PhaseTimes) -> tuple[FloatArray, FloatArray]:
    """Return seconds of server work in prefill and decode by replica and window; see `measured` for the rule."""
    both = times.prefill_s + times.decode_s
    share = np.divide(times.prefill_s, both, out=np.zeros_like(both), where=both > 0)
    cap = np.where(both > times.window_s, times.window_s * np.maximum(share, EXCLUSIVE_SHARE), times.window_s)
    prefill = np.minimum(times.prefill_s, cap)
    return prefill, np.minimum(times.decode_s, np.maximum(times.window_s - prefill, 0.0))


@dataclass(frozen=True)
class Fit:
    """A fit of an amount on tokens.

    Attributes:
        per_token: the amount per token by phase, shape (3,); constant: that of a window without tokens.
        error: mean absolute error on the windows held out, over their mean.
        windows: how many it was given; condition: condition number of the columns scaled to length one.
    """

    per_token: FloatArray
    constant: float
    error: float
    windows: int
    condition: float


def fit(tokens: FloatArray, amount: FloatArray, *, constant: bool = True) -> Fit | None:
    """Fit an amount per window (busy seconds, joules) to tokens by phase, with no negative coefficient.

    Args:
        tokens: prefill, cached and decode tokens by window, shape (n, 3).
        amount: shape (n,).
        constant: whether a window costs something without any token (idle power).

    Returns:
        None with fewer windows than can be held out. The error is the mean absolute one of every fourth window, which
        the fit did not see, over their mean.
    """
    if len(amount) < HOLD_OUT * 2:
        return None
    design = np.column_stack([tokens, np.ones(len(amount))]) if constant else tokens
    held_out = np.arange(len(amount)) % HOLD_OUT == HOLD_OUT - 1
    found = nonnegative_least_squares(design[~held_out], amount[~held_out])
    off = np.abs(design[held_out] @ found - amount[held_out]).mean()
    mean = float(np.abs(amount[held_out]).mean())
    return Fit(
        per_token=found[:3],
        constant=float(found[3]) if constant else 0.0,
        error=float(off / mean) if mean else np.inf,
        windows=len(amount),
        condition=_condition(design),
    )


def _condition(design: FloatArray) -> float:
    length = np.sqrt(np.square(design).sum(axis=0))
    used = design[:, length > 0] / length[length > 0]
    return float(np.linalg.cond(used)) if used.size else np.inf


def fitted(found: Fit | None, what: str) -> PhaseWeights | None:
    """Return weights from a fit; None when it saw too few windows, erred too much, or cannot tell the phases apart."""
    if found is None or found.windows < LEAST_FIT_WINDOWS:
        return None
    if found.error > MOST_FIT_ERROR or found.condition > MOST_CONDITION:
        return None
    prefill, cached, decode = (float(value) for value in found.per_token)
    if prefill <= 0 or decode <= 0:
        return None
    return PhaseWeights(
        prefill, cached, decode, Quality.ESTIMATED,
        f"fitted: {what} on tokens of {found.windows} windows by non-negative least squares, "
        f"mean error {found.error:.1%} on the windows held out",
    )  # fmt: skip


def nonnegative_least_squares(design: FloatArray, amount: FloatArray) -> FloatArray:
    """Return the non-negative coefficients with the least squared error, by trying every set of columns.

    With few columns (2**c sets) this is exact and needs no iteration: the optimum is the ordinary least-squares
    solution of the columns that are not zero in it (Karush-Kuhn-Tucker).
    """
    columns = design.shape[1]
    scale = np.abs(design).max(axis=0, initial=0.0)
    scale[scale == 0] = 1.0
    best, least = np.zeros(columns), float(np.square(amount).sum())
    for size in range(1, columns + 1):
        for chosen in combinations(range(columns), size):
            part = design[:, chosen] / scale[list(chosen)]
            solution = np.linalg.lstsq(part, amount, rcond=None)[0]
            if (solution < 0).any():
                continue
            off = float(np.square(part @ solution - amount).sum())
            if off < least * (1 - 1e-12):
                least = off
                best = np.zeros(columns)
                best[list(chosen)] = solution / scale[list(chosen)]
    return best
