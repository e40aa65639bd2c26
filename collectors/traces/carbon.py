"""Grid carbon intensity: actual values, and forecasts as they were issued. Never reads a look-ahead column."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd

from aiobserve.domain.quality import Quality
from aiobserve.domain.window import Span
from collectors.base import Batch
from collectors.traces.files import NAME_FAULT, TIME_FAULT, bad_name, load, numbers, out_of_time, require, sift, utc
from collectors.traces.signal_files import Parsed, hourly, missing_hours, signal_batches

PJM = "US-MIDA-PJM"
G_PER_KWH_LIMIT = 2_000
KINDS = {"ci_direct_g_per_kwh": "carbon_direct_g_per_kwh", "ci_lca_g_per_kwh": "carbon_lifecycle_g_per_kwh"}


class PjmForecast:
    """96-hour forecasts of PJM's direct intensity, one issue a day (CarbonCast)."""

    name = "pjm-carbon-forecast"
    columns = ("issue_time_utc", "valid_time_utc", "ci_direct_forecast_g_per_kwh")
    source = "CarbonCast 96 h forecast"

    def __init__(self, path: Path) -> None:
        self.path = path

    def collect(self, span: Span | None = None) -> Iterator[Batch]:
        """Yield the forecasts; the file's actual generation, which nobody knew at issue, is left unread."""
        parsed = self.parse(require(load(self.path), self.columns, path=self.path, what="PJM forecasts"))
        yield from signal_batches(self.name, self.path, parsed)

    def parse(self, raw: pd.DataFrame) -> Parsed:
        """Return forecast steps and the rejected rows."""
        issued_at, start_at = utc(raw["issue_time_utc"]), utc(raw["valid_time_utc"])
        value = numbers(raw["ci_direct_forecast_g_per_kwh"])
        good, rejections = sift(
            raw,
            {
                "no issue or valid time": issued_at.isna() | start_at.isna(),
                TIME_FAULT: out_of_time(issued_at) | out_of_time(start_at),
                "a forecast of an hour before its issue": start_at < issued_at,
                f"intensity is not between 0 and {G_PER_KWH_LIMIT} g/kWh": ~value.between(0, G_PER_KWH_LIMIT),
                "the hour stands twice in its issue": raw.duplicated(["issue_time_utc", "valid_time_utc"]),
            },
        )
        rows = good.index
        signals = hourly(
            kind="carbon_direct_g_per_kwh",
            scope=PJM,
            source=self.source,
            start_at=start_at[rows],
            value=value[rows],
            quality=int(Quality.ESTIMATED),
            issued_at=issued_at[rows],
        )
        return Parsed(signals, rejections)


class HourlyCarbon:
    """Hourly actual intensity, direct and life-cycle, of one or more zones (Electricity Maps; EIA generation)."""

    name = "hourly-carbon"
    columns = ("timestamp_utc", "zone", "ci_direct_g_per_kwh", "ci_lca_g_per_kwh")
    zones = {"PJM": PJM}

    def __init__(self, path: Path) -> None:
        self.path = path

    def collect(self, span: Span | None = None) -> Iterator[Batch]:
        """Yield both intensities of every zone."""
        raw = load(self.path)
        estimated = raw["estimated"].astype("str").str.lower().eq("true") if "estimated" in raw else None
        table = require(raw, self.columns, path=self.path, what="hourly carbon intensity")
        yield from signal_batches(self.name, self.path, self.parse(table, estimated))

    def parse(self, raw: pd.DataFrame, estimated: "pd.Series[bool] | None" = None) -> Parsed:
        """Return the steps of both kinds, the rejected rows, and the hours that are not there."""
        start_at = utc(raw["timestamp_utc"])
        values = {kind: numbers(raw[column]) for column, kind in KINDS.items()}
        good, rejections = sift(
            raw,
            {
                "no time or zone": start_at.isna() | raw["zone"].isna(),
                TIME_FAULT: out_of_time(start_at),
                f"zone {NAME_FAULT}": bad_name(raw["zone"]),
                f"intensity is not between 0 and {G_PER_KWH_LIMIT} g/kWh": ~pd.concat(
                    [value.between(0, G_PER_KWH_LIMIT) for value in values.values()], axis=1
                ).all(axis=1),
                "the hour stands twice": raw.duplicated(["zone", "timestamp_utc"]),
            },
        )
        rows = good.index
        scope = good["zone"].astype("str").replace(self.zones)
        quality = pd.Series(int(Quality.MEASURED), index=rows)
        if estimated is not None:
            quality = quality.mask(estimated[rows], int(Quality.ESTIMATED))
        steps = [
            hourly(
                kind=kind,
                scope=scope,
                source="hourly grid intensity",
                start_at=start_at[rows],
                value=value[rows],
                quality=quality,
            )
            for kind, value in values.items()
        ]
        positions = pd.Series(np.arange(1, len(raw) + 1), index=raw.index)
        gaps = [
            gap
            for zone, hours in start_at[rows].groupby(scope)
            for gap in missing_hours(hours, positions, f"carbon intensity of {zone}")
        ]
        return Parsed(pd.concat(steps, ignore_index=True), rejections, gaps)
