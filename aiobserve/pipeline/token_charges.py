"""Adds tokens to the attribution of a site-day: model servers split over their tenants, and tokens that were bought."""

from dataclasses import dataclass, replace
from datetime import date, timedelta

import numpy as np
import numpy.typing as npt
import pandas as pd

from aiobserve.attribution.charges import KEYS as KEYS_OF_CHARGES
from aiobserve.attribution.charges import Rows, as_charges, sum_by, summed
from aiobserve.attribution.claimants import KEYS, Claimed, claim
from aiobserve.attribution.engine import Attribution
from aiobserve.attribution.numbering import matched, numbered
from aiobserve.attribution.phase_weights import PhaseWeights
from aiobserve.attribution.serving import choose_weights, read_servers
from aiobserve.attribution.split import Groups
from aiobserve.attribution.token_prices import price_tokens, whole_microusd
from aiobserve.attribution.token_windows import Pieces, WindowTokens, tokens_by_window
from aiobserve.attribution.tokens import (
    PARTS,
    STAYS,
    parts_of_servers,
    phases_of,
    redistribute,
)
from aiobserve.domain.account import MEASURES, Account, Component
from aiobserve.domain.frames import CHARGES
from aiobserve.domain.quality import Quality
from aiobserve.domain.tokens import TOKEN_COLUMNS, TokenKind
from aiobserve.domain.units import MILLIJ_PER_J
from aiobserve.domain.window import Span
from aiobserve.store.read import fleet, tokens, workloads
from aiobserve.store.write.tokens import Weight, replace_shares

Int64Array = npt.NDArray[np.int64]

# Counters this far outside the day are read too: those at its edges, and the ends of requests in flight at midnight.
MARGIN = timedelta(hours=6)
# Kinds of token that reports keep together: their parts of a bought window are what they cost.
CLASSES = {
    "input_parts": (TokenKind.INPUT, TokenKind.CACHE_WRITE),
    "cached_parts": (TokenKind.CACHED_READ,),
    "output_parts": (TokenKind.OUTPUT, TokenKind.REASONING),
}
NANOUSD = 1_000
NO_CHARGES = CHARGES.empty()
NO_METERED = pd.DataFrame({name: pd.Series(dtype="int64") for name in ("window_start_s", *MEASURES)})


@dataclass(frozen=True)
class WithTokens:
    """Charges and metered totals of a site-day with tokens, and what each claimant number stands for."""

    attribution: Attribution
    claimants: pd.DataFrame


def with_tokens(
    site: fleet.SiteRow, day: date, edge_s: Int64Array, attribution: Attribution, claimed: Claimed
) -> WithTokens:
    """Return a site-day's attribution with its servers split over tenants and its bought tokens charged.

    Writes how postings divide over tokens, in the caller's transaction.

    Raises:
        TokenPriceMissing: tokens were bought for which no price is known.
    """
    span = Span(*(pd.Timestamp(int(edge), unit="s", tz="UTC").to_pydatetime() for edge in edge_s[[0, -1]]))
    usage = tokens.usage(site.pk, span)
    counters = tokens.counters(site.pk, Span(span.start_at - MARGIN, span.end_at + MARGIN))
    if usage.empty and counters.empty:
        replace_shares(site.pk, day, shares=usage, weights=[])
        return WithTokens(attribution, claimed.claimants)
    users, used = _used(usage, workloads.account_map(site.organisation_id), edge_s)
    first = int(claimed.claimants.index.max()) + 1 if len(claimed.claimants) else 0
    used["claimant"] += first
    claimants = pd.concat([claimed.claimants[KEYS], users.set_axis(users.index + first)])
    served = _Servers(site, day, edge_s, attribution.charges, claimed.claimants, counters, used[used["job_id"].notna()])
    bought = _bought(site, used[used["job_id"].isna()])
    shares = pd.concat([served.shares(claimants), _shares(bought.rows, claimants)], ignore_index=True)
    replace_shares(
        site.pk, day, shares=shares.assign(organisation_id=site.organisation_id), weights=served.weight_rows()
    )
    charges = redistribute(attribution.charges, served.server_of, served.parts)
    metered = attribution.metered
    if len(bought.charges):
        charges = pd.concat([charges, bought.charges], ignore_index=True)
        metered = pd.concat([metered, bought.charges[list(metered.columns)]], ignore_index=True)
    return WithTokens(replace(attribution, charges=charges, metered=_sum_by_window(metered)), claimants)


def _used(usage: pd.DataFrame, account_map: pd.DataFrame, edge_s: Int64Array) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return the users, and their tokens by window: claimant, job_id, model_id, window_start_s and `TOKEN_COLUMNS`."""
    claimed = claim(usage.assign(device=np.arange(len(usage)), share_millis=1), account_map)
    cut = claimed.reservations
    order = np.lexsort((cut.start_s, cut.device))
    pieces = Pieces(
        row=cut.device[order],
        claimant=cut.claimant[order],
        start_s=cut.start_s[order],
        end_s=cut.end_s[order],
        tokens=usage[list(TOKEN_COLUMNS)].to_numpy(dtype=np.int64),
        requests=usage["requests"].to_numpy(dtype=np.int64),
    )
    return claimed.claimants, _within(tokens_by_window(pieces), claimed.claimants, edge_s)


def _within(found: WindowTokens, claimants: pd.DataFrame, edge_s: Int64Array) -> pd.DataFrame:
    within = (found.window_start_s >= edge_s[0]) & (found.window_start_s < edge_s[-1])
    claimant, start_s = found.claimant[within], found.window_start_s[within]
    number, first = numbered([claimant, start_s])
    sums = Groups.of(np.sort(number), len(first))
    kinds = found.tokens[within][np.argsort(number, kind="stable")]
    used = {name: sums.sum(kinds[:, kind]) for kind, name in enumerate(TOKEN_COLUMNS)}
    ids = {name: claimants[name].to_numpy()[claimant[first]] for name in ("job_id", "model_id")}
    return pd.DataFrame({"claimant": claimant[first], "window_start_s": start_s[first], **ids, **used})


class _Servers:
    """The servers of a site-day: their numbers, their weights, and the parts of each window."""

    def __init__(
        self,
        site: fleet.SiteRow,
        day: date,
        edge_s: Int64Array,
        charges: pd.DataFrame,
        claimants: pd.DataFrame,
        counters: pd.DataFrame,
        used: pd.DataFrame,
    ) -> None:
        self.site, self.day = site, day
        job_ids = np.unique(np.concatenate([counters["job_id"].to_numpy(np.int64), used["job_id"].to_numpy(np.int64)]))
        self.jobs = tokens.servers(job_ids.tolist())
        number = pd.Index(self.jobs["job_id"])
        server = number.get_indexer(claimants["job_id"])
        ours = np.flatnonzero(server >= 0)
        self.server_of = pd.Series(server[ours], index=claimants.index[ours])
        self.charged = _charged(charges, self.server_of)
        used = used.assign(server=number.get_indexer(used["job_id"]))
        self.weights, self.parts = self._split(
            counters.assign(server=number.get_indexer(counters["job_id"])), used, edge_s
        )

    def _split(
        self, counters: pd.DataFrame, used: pd.DataFrame, edge_s: Int64Array
    ) -> tuple[list[PhaseWeights], pd.DataFrame]:
        readings = read_servers(counters, len(self.jobs), edge_s)
        known = _by_server(used, phases_of(used[list(TOKEN_COLUMNS)].to_numpy(dtype=np.int64)), len(self.jobs), edge_s)
        counted = readings.served.tokens
        energy_j = self.charged["energy_millij"].to_numpy(dtype=np.float64) / MILLIJ_PER_J
        weights = choose_weights(
            readings,
            self.jobs.groupby(["model_id", "sku"], dropna=False).ngroup().to_numpy(dtype=np.int64),
            np.where(np.isnan(counted), known, counted),
            _by_server(self.charged, energy_j, len(self.jobs), edge_s),
        )
        return weights, parts_of_servers(used, readings.served, weights, edge_s)

    def shares(self, claimants: pd.DataFrame) -> pd.DataFrame:
        """Return the rows that say how each posting of the servers divides over tokens.

        What stays with a server is its owner's. Tokens count once, though an account that changed hands within the
        window makes two owners.
        """
        names = ["server", "window_start_s"]
        own = self.parts["claimant"].to_numpy() == STAYS
        stays, charged = self.parts[own], [self.charged[name].to_numpy(np.int64) for name in (*names, "claimant")]
        _, first = numbered(charged)
        *owned, owner = (values[first] for values in charged)
        row, owner_of = matched([stays[name].to_numpy(np.int64) for name in names], owned)
        columns = {name: stays[name].to_numpy(np.int64)[row] for name in self.parts.columns if name != "claimant"}
        again = np.r_[False, row[1:] == row[:-1]] if len(row) else np.zeros(0, dtype=bool)
        for name in TOKEN_COLUMNS:
            columns[name] = np.where(again, 0, columns[name])
        counted = np.logical_or.reduce([columns[name] != 0 for name in TOKEN_COLUMNS])
        claimant = np.where(owner_of >= 0, np.append(owner, STAYS)[owner_of], STAYS)
        rows = pd.DataFrame({**columns, "claimant": claimant})[(owner_of >= 0) | counted]
        rows = pd.concat([self.parts[~own], rows], ignore_index=True)
        shares = _shares(rows, claimants)
        shares["job_id"] = self.jobs["job_id"].to_numpy()[rows["server"]]
        return shares

    def weight_rows(self) -> list[Weight]:
        """Return what each server was split by."""
        return [
            Weight(int(job_id), one.prefill_s, one.cached_s, one.decode_s, int(one.quality), one.source)
            for job_id, one in zip(self.jobs["job_id"], self.weights, strict=True)
        ]


def _charged(charges: pd.DataFrame, server_of: "pd.Series[int]") -> pd.DataFrame:
    """Return what the engine charged to servers: server, window_start_s, claimant, energy_millij."""
    claimant = charges["claimant"].to_numpy(dtype=np.int64)
    place = server_of.index.get_indexer(claimant)
    ours = np.flatnonzero((place >= 0) & (charges["kind"].to_numpy() == Account.JOB))
    names = ("window_start_s", "claimant", "energy_millij")
    return pd.DataFrame(
        {"server": server_of.to_numpy()[place[ours]], **{name: charges[name].to_numpy()[ours] for name in names}}
    )


def _by_server(
    rows: pd.DataFrame, values: npt.NDArray[np.number], servers: int, edge_s: Int64Array
) -> npt.NDArray[np.float64]:
    """Return values summed by server and window, shape (s, w, ...)."""
    window = np.searchsorted(edge_s, rows["window_start_s"].to_numpy(), side="right") - 1
    sums = np.zeros((servers, len(edge_s) - 1, *values.shape[1:]))
    np.add.at(sums, (rows["server"].to_numpy(dtype=np.int64), window), values)
    return sums


@dataclass(frozen=True)
class _Bought:
    """Charges of bought tokens, and their rows with tokens and parts."""

    charges: pd.DataFrame
    rows: pd.DataFrame


def _bought(site: fleet.SiteRow, used: pd.DataFrame) -> _Bought:
    if used.empty:
        return _Bought(NO_CHARGES, used.assign(**dict.fromkeys(PARTS, 0)))
    counts = used[list(TOKEN_COLUMNS)].to_numpy(dtype=np.int64)
    window_start_s = used["window_start_s"].to_numpy(dtype=np.int64)
    model = used["model_id"].fillna(-1).to_numpy(dtype=np.int64)
    priced = price_tokens(model, window_start_s, counts, tokens.prices(site.pk))
    same = {
        "kind": Account.JOB, "component": Component.API, "pool_id": -1, "energy_quality": Quality.MEASURED,
        "carbon_quality": Quality.MEASURED,
    }  # fmt: skip
    keys = {
        "window_start_s": window_start_s,
        "claimant": used["claimant"].to_numpy(dtype=np.int64),
        "cost_quality": priced.quality,
        **{name: np.full(len(used), value, CHARGES.columns[name].dtype) for name, value in same.items()},
    }
    amounts = {
        "api_microusd": whole_microusd(priced.picousd.sum(axis=1)),
        "list_microusd": whole_microusd(priced.list_picousd.sum(axis=1)),
    }
    parts = {
        name: sum((_parts(priced.picousd[:, kind]) for kind in kinds), np.zeros(len(used), dtype=np.int64))
        for name, kinds in CLASSES.items()
    }
    charges = as_charges(summed(Rows({name: keys[name] for name in KEYS_OF_CHARGES}, amounts)))
    return _Bought(charges, used.assign(**parts, idle_parts=0))


def _parts(picousd: Int64Array) -> Int64Array:
    """Return parts in proportion, in nanodollars: small enough to be summed over a window, and never nought for something."""
    return np.where(picousd > 0, np.maximum(picousd // NANOUSD, 1), 0).astype(np.int64)


def _shares(rows: pd.DataFrame, claimants: pd.DataFrame) -> pd.DataFrame:
    """Return rows with the ids that their claimants stand for, missing ones as NaN."""
    ids = claimants[KEYS].to_numpy(dtype=np.float64)[claimants.index.get_indexer(rows["claimant"])]
    shares = {name: rows[name].to_numpy(dtype=np.int64) for name in (*TOKEN_COLUMNS, *PARTS)}
    at = pd.to_datetime(rows["window_start_s"].to_numpy(dtype=np.int64), unit="s", utc=True)
    return pd.DataFrame({"window_start_at": at, **shares, **dict(zip(KEYS, ids.T, strict=True))})


def _sum_by_window(metered: pd.DataFrame) -> pd.DataFrame:
    start_s, window = np.unique(metered["window_start_s"].to_numpy(dtype=np.int64), return_inverse=True)
    sums = {name: sum_by(window, metered[name].to_numpy(dtype=np.int64), len(start_s)) for name in MEASURES}
    frame = pd.DataFrame({"window_start_s": start_s, **sums})
    return frame[np.logical_or.reduce([values != 0 for values in sums.values()])].reset_index(drop=True)
