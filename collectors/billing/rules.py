"""A file of rules that say which lines of a bill stand for which part of the ledger: CSV with a header. Pure but for reading."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pandas as pd

from aiobserve.domain.bill_frames import BILL_PARTS, BILL_RULES
from aiobserve.domain.window import Span
from collectors.base import Batch, Rejection, SourceGarbled
from collectors.billing.client import fingerprint, pieces

COLUMNS = ("provider", "service", "resource", "sku", "sub_account", "region", "site", "node", "device_sku", "part")
DATED = ("valid_from_at", "valid_to_at")
LONG_AGO = "1971-01-01"


class BillRules:
    """The rules of one file. They replace all rules that were there: a map is read as a whole or not at all."""

    name = "bill-rules"

    def __init__(self, path: Path) -> None:
        self.path = path

    def collect(self, span: Span | None = None) -> Iterator[Batch]:
        """Yield the rules.

        Raises:
            SourceGarbled: a column is missing, or any rule cannot be understood: a map with a hole would move money.
        """
        raw = pd.concat(list(pieces(self.path)), ignore_index=True)
        missing = [name for name in COLUMNS if name not in raw.columns]
        if missing:
            raise SourceGarbled(f"{self.path}: no file of bill rules: column {', '.join(missing)} is missing")
        rules, rejections = parse(raw)
        if rejections:
            first = rejections[0]
            raise SourceGarbled(
                f"{self.path}: rule {first.position}: {first.reason} ({len(rejections)} in all); nothing was taken in"
            )
        yield Batch(self.name, f"{fingerprint(self.path)}", {"bill_rules": rules}, last_wins=True)


def parse(raw: pd.DataFrame) -> tuple[pd.DataFrame, list[Rejection]]:
    """Return the rules as `BILL_RULES`, in the order of the file, and what is wrong with the others."""
    texts = {name: raw[name].astype("str").str.strip() for name in COLUMNS}
    dates = {name: raw.get(name, pd.Series("", index=raw.index)).astype("str").str.strip() for name in DATED}
    at = {name: pd.to_datetime(dates[name], errors="coerce", utc=True, format="ISO8601") for name in DATED}
    faults: dict[str, pd.Series[Any]] = {
        f"part is none of {', '.join(BILL_PARTS)}": ~texts["part"].isin(BILL_PARTS),
        "names no pattern: at least one of the first six columns must say which lines are meant": (
            pd.DataFrame({name: texts[name] for name in COLUMNS[:6]}) == ""
        ).all(axis=1),
        "a node needs its site": (texts["node"] != "") & (texts["site"] == ""),
        **{f"{name} is no instant": at[name].isna() & (dates[name] != "") for name in DATED},
        "valid_to_at does not lie after valid_from_at": at["valid_to_at"] <= at["valid_from_at"],
    }
    wrong = pd.DataFrame(faults)
    rejections = [
        Rejection(row + 1, str(wrong.columns[int(wrong.iloc[row].to_numpy().argmax())]))
        for row in wrong.any(axis=1).to_numpy().nonzero()[0].tolist()
    ]
    from_at = at["valid_from_at"].fillna(pd.Timestamp(LONG_AGO, tz="UTC"))
    rules = pd.DataFrame(
        {**texts, "position": range(len(raw)), "valid_from_at": from_at, "valid_to_at": at["valid_to_at"]}
    )
    return BILL_RULES.check(rules[~wrong.any(axis=1)]), rejections
