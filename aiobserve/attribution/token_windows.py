"""Tokens of usage rows by window, as integers: a row that spans windows or changes of the account map loses none."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from aiobserve.attribution.split import split_groups
from aiobserve.domain.tokens import TokenKind
from aiobserve.domain.window import WINDOW_S

Int64Array = npt.NDArray[np.int64]

# A single request reads its prompt when it starts and writes its answer until it ends.
PROMPT_KINDS = (TokenKind.INPUT, TokenKind.CACHED_READ, TokenKind.CACHE_WRITE)


@dataclass(frozen=True)
class Pieces:
    """Usage rows, cut where their account changed hands; sorted by row and time, shape (p,) each.

    Attributes:
        row: index of the usage row.
        claimant: who answers for the piece.
        start_s, end_s: epoch seconds, half-open, at least one second.
        tokens: tokens of each usage row by kind, shape (rows, 5).
        requests: requests of each usage row, shape (rows,).
    """

    row: Int64Array
    claimant: Int64Array
    start_s: Int64Array
    end_s: Int64Array
    tokens: Int64Array
    requests: Int64Array


@dataclass(frozen=True)
class WindowTokens:
    """Tokens by piece and window, shape (m,) each: usage row, claimant, window start, and tokens by kind, shape (m, 5)."""

    row: Int64Array
    claimant: Int64Array
    window_start_s: Int64Array
    tokens: Int64Array


def tokens_by_window(pieces: Pieces) -> WindowTokens:
    """Spread the tokens of each usage row evenly over its time, in whole tokens that sum to the row's.

    A row of one request has its prompt in its first second: the prompt is read when the request starts.
    """
    first = pieces.start_s // WINDOW_S
    count = (pieces.end_s - 1) // WINDOW_S - first + 1
    piece = np.repeat(np.arange(len(first)), count)
    nth = np.arange(len(piece)) - np.repeat(np.cumsum(count) - count, count)
    window_start_s = (first[piece] + nth) * WINDOW_S
    overlap_s = np.minimum(pieces.end_s[piece], window_start_s + WINDOW_S) - np.maximum(
        pieces.start_s[piece], window_start_s
    )
    row = pieces.row[piece]
    opening = np.r_[True, np.diff(row) > 0] if row.size else np.zeros(0, dtype=bool)
    at_start = np.where(pieces.requests[row] == 1, opening, overlap_s).astype(np.int64)
    tokens = np.zeros((len(row), len(TokenKind)), dtype=np.int64)
    for kind in TokenKind:
        weight = at_start if kind in PROMPT_KINDS else overlap_s
        tokens[:, kind] = split_groups(pieces.tokens[:, kind], row, weight)
    return WindowTokens(row, pieces.claimant[piece], window_start_s, tokens)
