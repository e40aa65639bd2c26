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
    for kind in TokenKind:
        needed = np.flatnonzero(tokens[:, kind])
        chosen = _chosen(model[needed], window_start_s[needed], prices, kind)
        if (chosen < 0).any() and kind in SAME_AS:
            chosen = np.where(chosen < 0, _chosen(model[needed], window_start_s[needed], prices, SAME_AS[kind]), chosen)
        if (chosen < 0).any():
            raise TokenPriceMissing(_missing(needed[chosen < 0][0], model, window_start_s, prices, kind))
        price = prices.iloc[chosen]
        paid[needed, kind] = _product(tokens[needed, kind], price["picousd"].to_numpy(dtype=np.int64))
        listed[needed, kind] = _product(tokens[needed, kind], price["list_picousd"].to_numpy(dtype=np.int64))
        quality[needed] = np.maximum(quality[needed], price["quality"].to_numpy(dtype=np.int8))
    return Priced(paid, listed, quality)


def _chosen(model: Int64Array, at_s: Int64Array, prices: pd.DataFrame, kind: TokenKind) -> Int64Array:
    """Return the position of the price that holds for each row, the one that began last; -1 where none does."""
    chosen = np.full(len(model), -1, dtype=np.int64)
    of_kind = prices.assign(position=np.arange(len(prices)))[prices["kind"] == kind.label]
    for one in of_kind.sort_values("valid_from_s", kind="stable").itertuples():
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
