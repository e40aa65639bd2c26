"""Tells what a file is by the columns it has, or by its first table where it is TOML."""

from pathlib import Path

from collectors.base import SourceGarbled
from collectors.traces import carbon, electricity_price, gpu_prices, itp, llm_load, mlperf_power
from collectors.traces.files import load, regular

# How a bill and its rules are known; their readers are in `collectors.billing`, which this source may not know.
FOCUS_COLUMNS = ("BilledCost", "EffectiveCost", "ChargePeriodStart", "ChargePeriodEnd", "ChargeCategory")
BILL_RULE_COLUMNS = (
    "provider",
    "service",
    "resource",
    "sku",
    "sub_account",
    "region",
    "site",
    "node",
    "device_sku",
    "part",
)
# Columns that a file must have to be of a format; the first that fits wins.
FORMATS = {
    "itp-jobs": itp.COLUMNS,
    "mlperf-power": mlperf_power.POWER_COLUMNS,
    "mlperf-runs": mlperf_power.RUN_COLUMNS,
    "pjm-carbon-forecast": carbon.PjmForecast.columns,
    "hourly-carbon": carbon.HourlyCarbon.columns,
    "electricity-prices": electricity_price.COLUMNS,
    "gpu-catalogue": gpu_prices.COLUMNS,
    "servegen-load": llm_load.COLUMNS,
    "focus-bill": FOCUS_COLUMNS,
    "bill-rules": BILL_RULE_COLUMNS,
}
# A file that a person wrote: it is read by another source, whose errors have line and column.
DECLARED = "declared"
HEAD_BYTES = 65_536


def detect(path: Path) -> str:
    """Return the name of a file's format.

    Raises:
        SourceUnavailable: the file cannot be opened, or is a folder or a device.
        SourceGarbled: it is of no known format; the message lists its columns and the formats.
    """
    regular(path)
    # Also a declaration too broken to be known as one is best told what is wrong with it by its own reader.
    if path.suffix.lower() == ".toml" or _begins_with_a_table(path):
        return DECLARED
    found = set(map(str, load(path).columns))
    for name, columns in FORMATS.items():
        if found.issuperset(columns):
            return name
    known = "; ".join(f"{name}: {', '.join(columns)}" for name, columns in FORMATS.items())
    raise SourceGarbled(f"{path}: no known format has its columns ({', '.join(sorted(found))}). Known formats: {known}")


def _begins_with_a_table(path: Path) -> bool:
    """Return whether the first line that is neither blank nor a comment opens a table of TOML."""
    with path.open("rb") as file:
        lines = file.read(HEAD_BYTES).splitlines()
    said = (line.strip() for line in lines if line.strip() and not line.strip().startswith(b"#"))
    return next(said, b"").startswith(b"[")
