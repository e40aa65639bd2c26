"""The open list of sources, one line each, and how one is made from plain options."""

from collections.abc import Callable, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

from collectors.base import Collector, SourceRefused
from collectors.billing.collector import FocusBill
from collectors.billing.rules import BillRules
from collectors.declared import DeclaredFile
from collectors.simulated import SimulatedFleet
from collectors.traces.carbon import HourlyCarbon, PjmForecast
from collectors.traces.electricity_price import ElectricityPrices
from collectors.traces.gpu_prices import GpuCatalogue
from collectors.traces.itp import ItpJobs
from collectors.traces.llm_load import ServeGenLoad
from collectors.traces.mlperf_power import read_power_model

Options = Mapping[str, Any]

COLLECTORS: dict[str, Callable[[Options], Collector]] = {
    "simulated": lambda options: SimulatedFleet(),
    "declared": lambda options: DeclaredFile(Path(options["path"])),
    "itp-jobs": lambda options: ItpJobs(Path(options["path"]), power=_power(options), sku=options["sku"]),
    "pjm-carbon-forecast": lambda options: PjmForecast(Path(options["path"])),
    "hourly-carbon": lambda options: HourlyCarbon(Path(options["path"])),
    "electricity-prices": lambda options: ElectricityPrices(
        Path(options["path"]), usd_per_unit=options.get("usd_per_unit")
    ),
    "gpu-catalogue": lambda options: GpuCatalogue(
        Path(options["path"]),
        cloud=options["cloud"],
        valid_from_at=datetime.fromisoformat(options["valid_from_at"]),
        includes_electricity=options.get("includes_electricity", True),
    ),
    "servegen-load": lambda options: ServeGenLoad(
        Path(options["path"]), start_at=datetime.fromisoformat(options["start_at"])
    ),
    "focus-bill": lambda options: FocusBill(
        Path(options["path"]), is_part=options.get("is_part", False), usd_per_unit=options.get("usd_per_unit")
    ),
    "bill-rules": lambda options: BillRules(Path(options["path"])),
}


def make_collector(source: str, options: Options) -> Collector:
    """Return the source of a name with its options.

    Raises:
        SourceRefused: there is no such source, or an option is missing; the message says which.
    """
    if source not in COLLECTORS:
        raise SourceRefused(f"no source {source!r}; choose from {', '.join(COLLECTORS)}")
    try:
        return COLLECTORS[source](options)
    except KeyError as error:
        raise SourceRefused(f"source {source} needs the option {error.args[0]!r}") from error


def _power(options: Options) -> Any:
    if "power_path" not in options:
        return None
    return read_power_model(Path(options["power_path"]), Path(options["runs_path"]))
