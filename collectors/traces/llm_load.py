"""Requests per second to a served model (ServeGen client rates, Apache-2.0), moved to any date."""

from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

import pandas as pd

from aiobserve.domain.frames import SIGNALS
from aiobserve.domain.quality import Quality
from aiobserve.domain.units import SECONDS_PER_DAY
from aiobserve.domain.window import Span
from collectors.base import Batch
from collectors.traces.files import NAME_FAULT, bad_name, load, numbers, require, sift
from collectors.traces.signal_files import Parsed, signal_batches

COLUMNS = ("model", "client", "t_s", "rate_rps")
STEP_S = 600
LAST_DAY = 3650
LIMIT_RPS = 10_000_000


class ServeGenLoad:
    """The load of each model, summed over its clients, in steps of ten minutes from a given instant on."""

    name = "servegen-load"

    def __init__(self, path: Path, *, start_at: datetime) -> None:
        self.path = path
        self.start_at = start_at

    def collect(self, span: Span | None = None) -> Iterator[Batch]:
        """Yield the load of every model in the file."""
        parsed = self.parse(require(load(self.path), COLUMNS, path=self.path, what="ServeGen client rates"))
        yield from signal_batches(self.name, self.path, parsed, terms=f"from {self.start_at.isoformat()}")

    def parse(self, raw: pd.DataFrame) -> Parsed:
        """Return load steps and the rejected rows; an empty rate is an idle client."""
        at_s, rate = numbers(raw["t_s"]), numbers(raw["rate_rps"])
        good, rejections = sift(
            raw,
            {
                f"model {NAME_FAULT}": bad_name(raw["model"]),
                f"time is not between 0 and {LAST_DAY} days from the start": ~at_s.between(
                    0, LAST_DAY * SECONDS_PER_DAY
                ),
                f"rate is not between 0 and {LIMIT_RPS} requests per second": ~rate.fillna(0).between(0, LIMIT_RPS),
                "the client's step stands twice": raw.duplicated(["model", "client", "t_s"]),
            },
        )
        load_rps = rate[good.index].fillna(0).groupby([good["model"].astype("str"), at_s[good.index]]).sum()
        frame = load_rps.rename("value").reset_index()
        frame["start_at"] = pd.Timestamp(self.start_at).as_unit("us") + pd.to_timedelta(frame["t_s"], unit="s")
        signals = frame.assign(
            kind="requests_per_s",
            scope=frame["model"],
            source="ServeGen client rates",
            issued_at=pd.NaT,
            end_at=frame["start_at"] + pd.Timedelta(seconds=STEP_S),
            quality=int(Quality.MEASURED),
        )
        return Parsed(SIGNALS.check(signals), rejections)
