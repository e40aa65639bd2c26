"""On-demand prices of cloud GPUs (The Full Stack's cloud GPU table, MIT): a catalogue without dates."""

from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

import pandas as pd

from aiobserve.domain.frames import RATES
from aiobserve.domain.quality import Quality
from aiobserve.domain.window import Span
from collectors.base import Batch, Rejection, SourceRefused
from collectors.traces.files import NAME_FAULT, bad_name, fingerprint, load, numbers, require, sift

COLUMNS = ("Cloud", "GPU Type", "GPUs", "Per-GPU", "Name")
USD_PER_GPU_HOUR_LIMIT = 1_000


class GpuCatalogue:
    """The price of one cloud's GPUs from a date on that the reader is given, because the file has none: assumed.

    Of several machines with the same GPU the dearest per GPU counts: the list price of a single one.
    """

    name = "gpu-catalogue"

    def __init__(self, path: Path, *, cloud: str, valid_from_at: datetime, includes_electricity: bool = True) -> None:
        self.path = path
        self.cloud = cloud
        self.valid_from_at = valid_from_at
        self.includes_electricity = includes_electricity

    def collect(self, span: Span | None = None) -> Iterator[Batch]:
        """Yield the cloud's prices.

        Raises:
            SourceRefused: the file has no prices of that cloud; the message lists those it has.
        """
        table = require(load(self.path), COLUMNS, path=self.path, what="cloud GPU prices")
        rates, rejections = self.parse(table)
        if rates.empty:
            clouds = ", ".join(sorted(table["Cloud"].dropna().unique()))
            raise SourceRefused(f"{self.path}: no prices of cloud {self.cloud!r}; it has {clouds}")
        terms = f"{self.cloud} {self.valid_from_at.isoformat()} {self.includes_electricity}"
        key = f"{fingerprint(self.path)} {terms}"
        yield Batch(self.name, key, {"rates": rates}, tuple(rejections), last_wins=True)

    def parse(self, raw: pd.DataFrame) -> tuple[pd.DataFrame, list[Rejection]]:
        """Return dated rates by kind of GPU, named as in the file, and the rejected rows of this cloud."""
        price = numbers(raw["Per-GPU"])
        ours = (raw["Cloud"] == self.cloud).fillna(False)
        wrong = ~price.between(0, USD_PER_GPU_HOUR_LIMIT) & ours
        unnamed = bad_name(raw["GPU Type"]) & ours
        good, rejections = sift(raw, {"no believable price per GPU": wrong, f"kind of GPU {NAME_FAULT}": unnamed})
        good = good[ours[good.index]]
        dearest = price[good.index].groupby(good["GPU Type"].astype("str")).max()
        rates = pd.DataFrame({"sku": dearest.index, "usd_per_gpu_hour": dearest.to_numpy()}).assign(
            site=None,
            includes_electricity=self.includes_electricity,
            valid_from_at=self.valid_from_at,
            valid_to_at=pd.NaT,
            quality=int(Quality.ASSUMED),
            source=f"cloud GPU table, {self.cloud}",
        )
        return RATES.check(rates), rejections
