"""What tokens cost that were bought: tokens x dated price, to the microdollar, with nothing lost to rounding."""

from dataclasses import dataclass
from datetime import UTC, datetime

import numpy as np
import numpy.typing as npt
import pandas as pd

from aiobserve.domain.tokens import TokenKind
from aiobserve.domain.units import PICOUSD_PER_MICROUSD

Int64Array = npt.NDArray[np.int64]
Int8Array = npt.NDArray[np.int8]

# Billed as the other where a provider names no price of its own.
SAME_AS = {TokenKind.REASONING: TokenKind.OUTPUT}


class TokenPriceMissing(LookupError):
    """Tokens of a kind were bought and no price of that kind is known at the time."""


class AmountTooLarge(ValueError):
    """An amount does not fit the arithmetic."""


@dataclass(frozen=True)
class Priced:
    """What each row and kind came to in picodollars, paid and at list price, shape (n, 5); and the worst quality, (n,)."""

    picousd: Int64Array
    list_picousd: Int64Array
    quality: Int8Array


def price_tokens(model: Int64Array, window_start_s: Int64Array, tokens: Int64Array, prices: pd.DataFrame) -> Priced:
    """Return what rows of tokens cost at the price of their window.

    Args:
        model, window_start_s: of each row, shape (n,).
        tokens: by kind, shape (n, 5).
        prices: model_id, model, provider, kind (word), picousd, list_picousd (per token), quality, valid_from_s,
            valid_to_s; of one provider.

    Raises:
        TokenPriceMissing: naming provider, model, kind and window. A cached token without a price is not priced as an
            uncached one: it would cost up to ten times too much.
    """
    paid, listed = np.zeros_like(tokens), np.zeros_like(tokens)
    quality = np.ones(len(tokens), dtype=np.int8)
    paid_each, listed_each = (prices[name].to_numpy(dtype=np.int64) for name in ("picousd", "list_picousd"))
    known = prices["quality"].to_numpy(dtype=np.int8)
    spans = _spans(prices)
    for kind in TokenKind:
        needed = np.flatnonzero(tokens[:, kind])
        if not needed.size:
            continue
        chosen = _chosen(model[needed], window_start_s[needed], spans.get(kind.label, []))
        if (chosen < 0).any() and kind in SAME_AS:
            other = _chosen(model[needed], window_start_s[needed], spans.get(SAME_AS[kind].label, []))
            chosen = np.where(chosen < 0, other, chosen)
        if (chosen < 0).any():
            raise TokenPriceMissing(_missing(needed[chosen < 0][0], model, window_start_s, prices, kind))
        paid[needed, kind] = _product(tokens[needed, kind], paid_each[chosen])
        listed[needed, kind] = _product(tokens[needed, kind], listed_each[chosen])
        quality[needed] = np.maximum(quality[needed], known[chosen])
    return Priced(paid, listed, quality)


@dataclass(frozen=True)
class _Span:
    """When a price of a model holds, and its position among the prices."""

    valid_from_s: int
    valid_to_s: int
    model_id: int
    position: int


def _spans(prices: pd.DataFrame) -> dict[str, list[_Span]]:
    """Return the prices by kind in the order in which they began."""
    columns = ("kind", "valid_from_s", "valid_to_s", "model_id")
    found: dict[str, list[_Span]] = {}
    for position, (kind, from_s, to_s, model) in enumerate(
        zip(*(prices[name].tolist() for name in columns), strict=True)
    ):
        found.setdefault(kind, []).append(_Span(from_s, to_s, model, position))
    return {kind: sorted(spans, key=lambda one: one.valid_from_s) for kind, spans in found.items()}


def _chosen(model: Int64Array, at_s: Int64Array, spans: list[_Span]) -> Int64Array:
    """Return the position of the price that holds for each row, the one that began last; -1 where none does."""
    chosen = np.full(len(model), -1, dtype=np.int64)
    for one in spans:
        chosen[(model == one.model_id) & (at_s >= one.valid_from_s) & (at_s < one.valid_to_s)] = one.position
    return chosen


def _missing(row: int, model: Int64Array, at_s: Int64Array, prices: pd.DataFrame, kind: TokenKind) -> str:
    known = prices[prices["model_id"] == model[row]]
    name = f"of {known['model'].iloc[0]!r}" if len(known) else "of a model without any price"
    at = datetime.fromtimestamp(int(at_s[row]), UTC).isoformat()
    return f"no price of {kind.label} tokens {name} is known at {at}; import one that is valid then"


def _product(tokens: Int64Array, picousd: Int64Array) -> Int64Array:
    if tokens.size and float(tokens.max()) * float(np.abs(picousd).max()) >= 2.0**62:
        raise AmountTooLarge(f"{tokens.max()} tokens at {picousd.max()} picodollars do not fit; use shorter rows")
    return tokens * picousd


def whole_microusd(picousd: Int64Array) -> Int64Array:
    """Round picodollars to microdollars together: the parts sum to the rounded sum, by largest remainder."""
    floor, remainder = np.divmod(picousd, PICOUSD_PER_MICROUSD)
    total = sum(int(value) for value in picousd)
    left = (total + PICOUSD_PER_MICROUSD // 2) // PICOUSD_PER_MICROUSD - sum(int(value) for value in floor)
    parts = floor.copy()
    parts[np.argsort(-remainder, kind="stable")[:left]] += 1
    return parts
