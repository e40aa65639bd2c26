"""Adds tokens to the attribution of a site-day: model servers split over their tenants, and tokens that were bought."""

from dataclasses import dataclass, replace
from datetime import date, timedelta

import numpy as np
import numpy.typing as npt
import pandas as pd

from aiobserve.attribution.claimants import Claimed, claim
from aiobserve.attribution.engine import Attribution
from aiobserve.attribution.phase_weights import PhaseWeights
from aiobserve.attribution.serving import choose_weights, read_servers
from aiobserve.attribution.token_prices import price_tokens, whole_microusd
from aiobserve.attribution.token_windows import Pieces, WindowTokens, tokens_by_window
from aiobserve.attribution.tokens import (
    PARTS,
    STAYS,
    grouped,
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
KEYS = ["job_id", "model_id", "team_id", "project_id"]
# Kinds of token that reports keep together: their parts of a bought window are what they cost.
CLASSES = {
    "input_parts": (TokenKind.INPUT, TokenKind.CACHE_WRITE),
    "cached_parts": (TokenKind.CACHED_READ,),
    "output_parts": (TokenKind.OUTPUT, TokenKind.REASONING),
}
NANOUSD = 1_000
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
    charges = (
        redistribute(attribution.charges, served.server_of, served.parts) if len(served.jobs) else attribution.charges
    )
    return WithTokens(
        replace(
            attribution,
            charges=grouped(pd.concat([charges, bought.charges], ignore_index=True))
            if len(bought.charges)
            else charges,
            metered=_sum_by_window(pd.concat([attribution.metered, bought.metered], ignore_index=True)),
        ),
        claimants,
    )


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
    return claimed.claimants[KEYS], _within(tokens_by_window(pieces), usage, edge_s)


def _within(found: WindowTokens, usage: pd.DataFrame, edge_s: Int64Array) -> pd.DataFrame:
    frame = pd.DataFrame(found.tokens, columns=list(TOKEN_COLUMNS)).assign(
        claimant=found.claimant,
        window_start_s=found.window_start_s,
        job_id=usage["job_id"].to_numpy()[found.row],
        model_id=usage["model_id"].to_numpy()[found.row],
    )
    frame = frame[(frame["window_start_s"] >= edge_s[0]) & (frame["window_start_s"] < edge_s[-1])]
    keys = ["claimant", "window_start_s", "job_id", "model_id"]
    return frame.groupby(keys, as_index=False, dropna=False, sort=True)[list(TOKEN_COLUMNS)].sum()


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
        self.jobs = tokens.servers(sorted({int(pk) for pk in [*counters["job_id"], *used["job_id"]]}))
        number = pd.Series(self.jobs.index, index=self.jobs["job_id"])
        self.server_of = claimants["job_id"].map(number).dropna().astype("int64")
        charged = charges[(charges["kind"] == Account.JOB) & charges["claimant"].isin(self.server_of.index)]
        self.charged = charged.assign(server=charged["claimant"].map(self.server_of).astype("int64"))
        used = used.assign(server=used["job_id"].map(number).astype("int64"))
        self.weights, self.parts = self._split(counters.assign(server=counters["job_id"].map(number)), used, edge_s)

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
        """Return the rows that say how each posting of the servers divides over tokens."""
        stays = self.parts[self.parts["claimant"] == STAYS].drop(columns="claimant")
        owners = self.charged[["server", "window_start_s", "claimant"]].drop_duplicates()
        own = stays.merge(owners, on=["server", "window_start_s"], how="left")
        # Tokens count once, though an account that changed hands within the window makes two owners.
        again = own.duplicated(["server", "window_start_s"])
        own.loc[again, list(TOKEN_COLUMNS)] = 0
        nobody = own["claimant"].isna()
        own = own[~nobody | own[list(TOKEN_COLUMNS)].any(axis=1)]
        rows = pd.concat([self.parts[self.parts["claimant"] != STAYS], own], ignore_index=True)
        shares = _shares(rows, claimants)
        shares["job_id"] = self.jobs["job_id"].reindex(rows["server"]).to_numpy()
        return shares

    def weight_rows(self) -> list[Weight]:
        """Return what each server was split by."""
        return [
            Weight(int(job_id), one.prefill_s, one.cached_s, one.decode_s, int(one.quality), one.source)
            for job_id, one in zip(self.jobs["job_id"], self.weights, strict=True)
        ]


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
    """Charges of bought tokens, their sums by window, and their rows with tokens and parts."""

    charges: pd.DataFrame
    metered: pd.DataFrame
    rows: pd.DataFrame


def _bought(site: fleet.SiteRow, used: pd.DataFrame) -> _Bought:
    if used.empty:
        return _Bought(CHARGES.empty(), NO_METERED, used.assign(**dict.fromkeys(PARTS, 0)))
    used = used.reset_index(drop=True)
    counts = used[list(TOKEN_COLUMNS)].to_numpy(dtype=np.int64)
    window_start_s = used["window_start_s"].to_numpy(dtype=np.int64)
    model = used["model_id"].fillna(-1).to_numpy(dtype=np.int64)
    priced = price_tokens(model, window_start_s, counts, tokens.prices(site.pk))
    paid = whole_microusd(priced.picousd.sum(axis=1))
    listed = whole_microusd(priced.list_picousd.sum(axis=1))
    charges = pd.DataFrame(dict.fromkeys(CHARGES.columns, 0), index=used.index).assign(
        window_start_s=window_start_s, kind=int(Account.JOB), component=int(Component.API), claimant=used["claimant"],
        pool_id=-1, energy_quality=int(Quality.MEASURED), carbon_quality=int(Quality.MEASURED),
        cost_quality=priced.quality, api_microusd=paid, list_microusd=listed,
    )  # fmt: skip
    parts = {
        name: sum((_parts(priced.picousd[:, kind]) for kind in kinds), np.zeros(len(used), dtype=np.int64))
        for name, kinds in CLASSES.items()
    }
    metered = charges[["window_start_s", *MEASURES]]
    return _Bought(CHARGES.check(charges), metered, used.assign(**parts, idle_parts=0))


def _parts(picousd: Int64Array) -> Int64Array:
    """Return parts in proportion, in nanodollars: small enough to be summed over a window, and never nought for something."""
    return np.where(picousd > 0, np.maximum(picousd // NANOUSD, 1), 0).astype(np.int64)


def _shares(rows: pd.DataFrame, claimants: pd.DataFrame) -> pd.DataFrame:
    keys = claimants.reindex(rows["claimant"]).reset_index(drop=True).astype("Int64")
    shares = pd.concat([rows[["window_start_s", *TOKEN_COLUMNS, *PARTS]].reset_index(drop=True), keys], axis=1)
    shares["window_start_at"] = pd.to_datetime(shares.pop("window_start_s"), unit="s", utc=True)
    return shares


def _sum_by_window(metered: pd.DataFrame) -> pd.DataFrame:
    sums = metered.groupby("window_start_s", as_index=False)[list(MEASURES)].sum()
    return sums[(sums[list(MEASURES)] != 0).any(axis=1)].reset_index(drop=True)
