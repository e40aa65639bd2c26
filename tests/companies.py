"""Reads the companies of `fixtures/companies`: what each has and did, and the ledger that somebody reckoned. Not a test."""

import re
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from aiobserve.domain import frames
from aiobserve.domain.account import MEASURES, Account, Component
from aiobserve.domain.quality import Quality
from aiobserve.domain.schema import INSTANT
from aiobserve.domain.window import Span
from collectors.base import Batch
from tests.worlds import frame

FOLDER = Path(__file__).resolve().parent.parent / "fixtures" / "companies"
LONG_BEFORE = timedelta(days=30)
EVERY = timedelta(minutes=1)
SITE, ZONE = "lab", "Z"
OF_SITE = ("pue_ratio", "water_l_per_kwh")
# What a row of each table has that the file does not say.
USUAL: dict[str, dict[str, Any]] = {
    "devices": {"site": SITE, "node": "node", "capacity_millis": 1000, "tdp_w": 400.0, "active_w": 100.0},
    "rates": {"includes_electricity": False, "quality": int(Quality.MEASURED), "source": "contract"},
    "signals": {"source": "meter", "quality": int(Quality.MEASURED)},
    "jobs": {
        "site": SITE, "user": "ada", "model": "llm-7b", "workload_type": "training", "tier": "urgent", "attempt": 1,
        "state": "completed", "gpus": 1, "sku": "A100",
    },
    "pools": {"site": SITE}, "commitments": {"site": SITE}, "energy_contracts": {"site": SITE},
    "embodied": {"source": "maker"},
}  # fmt: skip
Key = tuple[object, ...]


@dataclass(frozen=True)
class Company:
    """One file."""

    name: str
    told: dict[str, Any]

    @property
    def day(self) -> date:
        """Return the day that the file's times are of."""
        return date.fromisoformat(str(self.told["day"]))

    @property
    def span(self) -> Span:
        """Return that day and the next two."""
        return Span(self.at("00:00"), self.at("+3 00:00"))

    @property
    def by(self) -> tuple[str, ...]:
        """Return the columns that name a line."""
        return tuple(self.told["by"])

    @property
    def lines(self) -> dict[Key, dict[str, int]]:
        """Return the amounts of each line as they were reckoned by hand, with those that are zero."""
        return {self._key(line): {name: line.get(name, 0) for name in MEASURES} for line in self.told["ledger"]}

    @property
    def qualities(self) -> dict[Key, list[Quality]]:
        """Return the quality of the energy of each line that has energy; it is one."""
        named = [line for line in self.told["ledger"] if "quality" in line]
        return {self._key(line): [Quality[line["quality"].upper()]] for line in named}

    @property
    def total(self) -> dict[str, int]:
        """Return the sum of all lines as it was reckoned by hand."""
        return {name: self.told["total"].get(name, 0) for name in MEASURES}

    def at(self, text: str) -> datetime:
        """Return the instant of `HH:MM` on the file's day, or of `+1 HH:MM` on the next."""
        found = re.fullmatch(r"(?:\+(\d) )?(\d\d):(\d\d)", text)
        if found is None:
            raise ValueError(f"{self.name}: {text!r} is no time; write HH:MM or +1 HH:MM")
        days, hours, minutes = (int(part or 0) for part in found.groups())
        return datetime.combine(self.day, time(), UTC) + timedelta(days=days, hours=hours, minutes=minutes)

    def collect(self, span: Span | None = None) -> Iterator[Batch]:
        """Yield one batch with everything but the ledger."""
        made = {name: self._frame(name, self.told[name]) for name in frames.FRAMES if name in self.told}
        made["sites"] = frame(frames.SITES, {"site": SITE, "grid_zone": ZONE, "timezone": "UTC"})
        constant = [
            {"kind": kind, "scope": SITE if kind in OF_SITE else ZONE, "value": value}
            for kind, value in self.told["constant"].items()
        ]
        made["signals"] = self._frame("signals", [*constant, *self.told.get("signals", [])])
        held = [{"job": job["name"], **job, **one} for job in self.told["jobs"] for one in job["held"]]
        made["intervals"] = self._frame("intervals", held)
        made["telemetry"] = frames.TELEMETRY.check(self._telemetry())
        yield Batch(source=self.name, batch_id="everything", frames=made, rejections=())

    def _frame(self, name: str, rows: list[dict[str, Any]]) -> pd.DataFrame:
        """Return a table; `from` and `to` are its start and end, whatever it calls these."""
        schema = frames.FRAMES[name]
        instants = [column for column, kind in schema.columns.items() if kind.dtype == INSTANT]
        starts = [one for one in ("valid_from_at", "start_at", "started_at", "submitted_at") if one in instants]
        ends = [one for one in ("valid_to_at", "end_at", "ended_at") if one in instants]
        made = []
        for told in rows:
            row = {**USUAL.get(name, {}), **told}
            start_at = self.at(told["from"]) if "from" in told else self.at("00:00") - LONG_BEFORE
            row |= dict.fromkeys(starts, start_at)
            if "to" in told or name == "signals":
                row |= dict.fromkeys(ends, self.at(told["to"]) if "to" in told else self.span.end_at)
            row |= (
                {"job_key": f"{self.name}:{told.get('job', told.get('name'))}"} if "job_key" in schema.columns else {}
            )
            made.append({column: value for column, value in row.items() if column in schema.columns})
        return frame(schema, *made)

    def _telemetry(self) -> pd.DataFrame:
        """Return counters that run on from one span of constant power to the next."""
        samples: list[pd.DataFrame] = []
        reached: dict[str, float] = {}
        for told in self.told["readings"]:
            start_at, end_at = self.at(told["from"]), self.at(told["to"])
            at = [start_at + EVERY * minute for minute in range((end_at - start_at) // EVERY + 1)]
            joules = told["watts"] * np.array([(one - start_at).total_seconds() for one in at])
            counter = reached.get(told["device_uid"], 0.0) + np.rint(joules * 1000)
            reached[told["device_uid"]] = float(counter[-1])
            rows = pd.DataFrame({"device_uid": told["device_uid"], "at": at, "energy_millij": counter})
            samples.append(rows.loc[rows.index.repeat(told.get("repeated", 1))])
        nothing = dict.fromkeys(("power_w", "utilisation_ratio", "memory_mib"), np.nan)
        repeated = {told["device_uid"] for told in self.told["readings"] if "repeated" in told}
        rows = pd.concat(samples, ignore_index=True).assign(**nothing)
        return rows[rows["device_uid"].isin(repeated) | ~rows.duplicated(["device_uid", "at"])]

    def _key(self, line: dict[str, Any]) -> Key:
        words = {"account": Account, "component": Component}
        return tuple(int(words[name][line[name].upper()]) if name in words else line.get(name) for name in self.by)


def companies() -> list[Company]:
    """Return every company that has a ledger of postings."""
    found = [Company(path.stem, tomllib.loads(path.read_text())) for path in sorted(FOLDER.glob("*.toml"))]
    return [one for one in found if "ledger" in one.told]
