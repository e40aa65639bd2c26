"""Hourly electricity prices of several zones (day-ahead and real-time, ISO and ENTSO-E facts)."""

import math
from collections.abc import Iterator, Mapping
from pathlib import Path

import numpy as np
import pandas as pd

from aiobserve.domain.quality import Quality
from aiobserve.domain.window import Span
from collectors.base import Batch, Rejection, SourceRefused
from collectors.traces.files import NAME_FAULT, TIME_FAULT, bad_name, load, numbers, out_of_time, require, sift, utc
from collectors.traces.signal_files import Parsed, hourly, missing_hours, signal_batches

COLUMNS = ("zone", "raw_datetime", "price_per_mwh", "currency", "timestamp_utc")
USD_PER_MWH_LIMIT = 10_000


class ElectricityPrices:
    """Prices in US dollars; another currency needs a rate (`usd_per_unit`), else its rows are refused.

    A price's currency is never guessed: a euro taken for a dollar is a wrong bill.
    """

    name = "electricity-prices"

    def __init__(self, path: Path, *, usd_per_unit: Mapping[str, float] | None = None) -> None:
        self.path = path
        self.usd_per_unit = {"USD": 1.0, **(usd_per_unit or {})}

    def collect(self, span: Span | None = None) -> Iterator[Batch]:
        """Yield the prices of every zone whose currency is known.

        The rates that bear on the file are part of a batch's name, so that another rate is taken in as the later word.

        Raises:
            SourceRefused: a rate is no number above zero, or says that a dollar is not one dollar.
        """
        for currency, rate in self.usd_per_unit.items():
            if not (math.isfinite(rate) and rate > 0) or (currency == "USD" and rate != 1):
                raise SourceRefused(f"{rate} dollars per {currency} is no rate of exchange; give one like EUR=1.18")
        raw = require(load(self.path), COLUMNS, path=self.path, what="electricity prices")
        yield from signal_batches(self.name, self.path, self.parse(raw), terms=self._terms(raw))

    def _terms(self, raw: pd.DataFrame) -> str:
        found = sorted(set(self.usd_per_unit) & set(raw["currency"].dropna().astype("str")))
        return " ".join(f"{currency}={self.usd_per_unit[currency]!r}" for currency in found if currency != "USD")

    def parse(self, raw: pd.DataFrame) -> Parsed:
        """Return price steps, rejected rows and missing hours; a currency without a rate is said once, with its count."""
        foreign = ~raw["currency"].isin(list(self.usd_per_unit))
        refused = self._refused(raw, foreign)
        positions = pd.Series(np.arange(1, len(raw) + 1), index=raw.index)
        raw = raw[~foreign]
        start_at = utc(raw["timestamp_utc"])
        usd = numbers(raw["price_per_mwh"]) * raw["currency"].map(self.usd_per_unit).astype("float64")
        good, rejections = sift(
            raw,
            {
                "no UTC hour: the local hour is ambiguous when clocks go back, or does not exist": start_at.isna(),
                TIME_FAULT: out_of_time(start_at),
                f"zone {NAME_FAULT}": bad_name(raw["zone"]),
                f"price is not between -{USD_PER_MWH_LIMIT} and {USD_PER_MWH_LIMIT} USD/MWh": ~usd.between(
                    -USD_PER_MWH_LIMIT, USD_PER_MWH_LIMIT
                ),
                "the hour stands twice": pd.Series(raw["zone"].astype("str") + start_at.astype("str")).duplicated(),
            },
        )
        rejections = [
            Rejection(int(positions[raw.index[one.position - 1]]), one.reason, one.excerpt) for one in rejections
        ]
        rows = good.index
        signals = hourly(
            kind="electricity_usd_per_mwh",
            scope=good["zone"].astype("str"),
            source="hourly electricity price",
            start_at=start_at[rows],
            value=usd[rows],
            quality=int(Quality.MEASURED),
        )
        gaps = [
            gap
            for zone, hours in start_at[rows].groupby(good["zone"].astype("str"))
            for gap in missing_hours(hours, positions, f"electricity price of {zone}")
        ]
        return Parsed(signals, [*refused, *rejections], gaps)

    def _refused(self, raw: pd.DataFrame, foreign: "pd.Series[bool]") -> list[Rejection]:
        found = []
        for (zone, currency), rows in raw[foreign].groupby(["zone", "currency"], dropna=False):
            position = int(raw.index.get_loc(rows.index[0])) + 1
            reason = f"{len(rows)} rows of {zone} from here on are in {currency}; give its rate with --usd-per-unit {currency}=..."
            found.append(Rejection(position, reason, rows=len(rows)))
        return found
