"""What tokens that were bought cost in a window: tokens by kind x the price of that time, to the posted microdollar."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

import numpy as np
import pandas as pd

from aiobserve.attribution.split import split_groups
from aiobserve.attribution.token_prices import price_tokens, whole_microusd
from aiobserve.domain.account import Account, Component
from aiobserve.domain.tokens import TOKEN_COLUMNS, TokenKind
from aiobserve.domain.units import PICOUSD_PER_MICROUSD
from aiobserve.domain.window import Span
from aiobserve.reports.explain_formula import Line, most_of
from aiobserve.reports.reckoned_tokens import by_claimant
from aiobserve.reports.reckoning import named, within
from aiobserve.store.read import fleet, tokens

# What is paid and what it would have cost, by the column of the ledger.
PRICED = {"api_microusd": "", "list_microusd": "list "}


def bought_lines(
    site: fleet.SiteRow,
    window_at: datetime,
    filters: Mapping[str, Sequence[str]],
    measures: Sequence[str],
    *,
    first: int,
) -> list[Line]:
    """Return a line for each owner and kind of token bought in a window; none where none was, or they bear no such figure.

    Raises:
        TokenPriceMissing: a price is not known any more.
    """
    asked = [name for name in measures if name in PRICED]
    day_at = datetime.combine(window_at.date(), datetime.min.time(), window_at.tzinfo)
    used = by_claimant(tokens.parts_of(site.pk, Span(day_at, day_at + timedelta(days=1)), bought=True))
    if not asked or used.empty:
        return []
    counts = used[list(TOKEN_COLUMNS)].to_numpy(dtype=np.int64)
    model = used["model_id"].fillna(-1).to_numpy(dtype=np.int64)
    priced = price_tokens(model, used["window_start_s"].to_numpy(dtype=np.int64), counts, tokens.prices(site.pk))
    ids = used.assign(account=int(Account.JOB), component=int(Component.API), claimant=np.arange(len(used)))
    keys = ["job_id", "model_id", "team_id", "project_id"]
    words = named(ids.drop(columns=keys), used[keys], site.name, reserver_named=False)
    mine = within(words[words["window_start_s"] == int(window_at.timestamp())], filters).index.to_numpy()
    lines = []
    for name in asked:
        picousd = priced.picousd if name == "api_microusd" else priced.list_picousd
        whole = whole_microusd(picousd.sum(axis=1))[mine]
        # The posted amount of a row, over its kinds of token.
        row, kinds = np.repeat(np.arange(len(mine)), len(TokenKind)), picousd[mine].ravel()
        parts = split_groups(np.where(picousd[mine].any(axis=1), whole, 0), row, kinds).reshape(-1, len(TokenKind))
        lines += [
            _line(PRICED[name], words.loc[place], kind, counts[place, kind], picousd[place, kind], parts[i, kind])
            for i, place in enumerate(mine)
            for kind in TokenKind
            if counts[place, kind]
        ]
    if not lines:
        return []
    why = (
        "tokens bought are rounded to whole microdollars by largest remainder over the whole day, so that the day sums to what "
        "it cost; an amount below may stand less than one from its product"
    )
    return [Line(why), *most_of(lines, first, "kinds of token like these", "microusd")]


def _line(listed: str, row: "pd.Series[str]", kind: TokenKind, count: int, picousd: int, part: int) -> Line:
    owner = row["team"] or "nobody"
    each = float(picousd) / float(count) / PICOUSD_PER_MICROUSD
    text = (
        f"{owner}, {row['model']}: {count:,} {kind.label} tokens x {listed}{each:.10g} USD a million -> "
        f"{picousd / PICOUSD_PER_MICROUSD:,.6f}, rounded = {part:,} microusd"
    )
    return Line(text, int(part))
