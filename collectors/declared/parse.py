"""The text of a declared file -> checked frames; a bad entry is rejected with its line, its neighbours go in."""

import re
import tomllib
from collections.abc import Iterator
from datetime import UTC, datetime
from decimal import Decimal
from itertools import zip_longest
from typing import Any

import pandas as pd

from aiobserve.domain.frames import FRAMES
from collectors.base import Rejection, SourceGarbled
from collectors.declared.fields import BadEntry, read_entry, shown
from collectors.declared.rows import Known, Row
from collectors.declared.tables import TABLES

EXCERPT_LENGTH = 200
# A signal that ends on no stated day ends here.
NEVER_AT = datetime(2100, 1, 1, tzinfo=UTC)
# [[table]] or [table].
HEAD = re.compile(r"""\s*\[{1,2}\s*["']?([\w-]+)["']?\s*\]""")
# What makes two rows say the same thing: the store keeps one of each.
KEYS = {
    "sites": ("site",),
    "devices": ("device_uid",),
    "accounts": ("account", "valid_from_at"),
    "rates": ("sku", "site", "contract", "valid_from_at"),
    "pools": ("site", "pool", "valid_from_at"),
    "commitments": ("site", "commitment", "valid_from_at"),
    "energy_contracts": ("site", "contract", "valid_from_at"),
    "embodied": ("sku",),
    "dedications": ("device_uid", "valid_from_at"),
    "signals": ("kind", "scope", "start_at"),
    "token_prices": ("provider", "model", "kind", "valid_from_at"),
}
# One after another in time: (what they are of, start, end). An open end is closed by the next.
TIMELINES = {
    "accounts": ("account", "valid_from_at", "valid_to_at"),
    "dedications": ("device_uid", "valid_from_at", "valid_to_at"),
    "signals": ("kind", "scope", "start_at", "end_at"),
    "token_prices": ("provider", "model", "kind", "valid_from_at", "valid_to_at"),
}


def parse(text: str, *, file: str) -> tuple[dict[str, pd.DataFrame], list[Rejection]]:
    """Return the frames that a file declares, and a rejection of each entry that cannot be taken, in order of line.

    Args:
        file: its name, for messages.

    Raises:
        SourceGarbled: the text is no TOML; the message has line and column.
    """
    try:
        document = tomllib.loads(text, parse_float=Decimal)
    except tomllib.TOMLDecodeError as error:
        raise SourceGarbled(f"{file}: no TOML: {error}") from error
    taken = _Taken()
    known = Known(file)
    rejections = []
    for table, number, line, entry in _entries(document, text):
        where = f"{file}: [[{table}]]" + (f" entry {number}" if number else "") + (f", line {line}" if line else "")
        try:
            if table not in TABLES:
                raise BadEntry(f"no such table; there are {', '.join(f'[[{name}]]' for name in TABLES)}")
            if not number:
                raise BadEntry(f"write it as a list of tables: [[{table}]] in double brackets")
            taken.add(
                TABLES[table].rows(read_entry(TABLES[table].fields, entry), known), where=f"[[{table}]] entry {number}"
            )
        except BadEntry as error:
            rejections.append(Rejection(line or 1, f"{where}: {error}", _excerpt(entry)))
    return taken.frames(), sorted(rejections, key=lambda one: one.position)


def _entries(document: dict[str, Any], text: str) -> Iterator[tuple[str, int, int, dict[str, Any]]]:
    """Yield (table, number, line, entry) in the order in which tables refer to each other; number 0: no list of tables."""
    lines: dict[str, list[int]] = {}
    for line, content in enumerate(text.splitlines(), start=1):
        head = HEAD.match(content)
        if head:
            lines.setdefault(head.group(1), []).append(line)
    for table in sorted(document, key=lambda name: list(TABLES).index(name) if name in TABLES else len(TABLES)):
        value, found = document[table], lines.get(table, [])
        if not isinstance(value, list) or not all(isinstance(one, dict) for one in value):
            yield table, 0, found[0] if found else 0, value if isinstance(value, dict) else {table: value}
            continue
        # Where an inline table or a text block looks like a header, no line is better than a wrong one.
        numbered = found if len(found) == len(value) else [0] * len(value)
        for number, (line, entry) in enumerate(zip(numbered, value, strict=True), start=1):
            yield table, number, line, entry


class _Taken:
    """The rows taken so far, and which entry said each."""

    def __init__(self) -> None:
        self._rows: dict[str, list[Row]] = {}
        self._said: dict[tuple[object, ...], str] = {}

    def add(self, rows: list[tuple[str, Row]], *, where: str) -> None:
        """Take the rows of an entry, all or none.

        Raises:
            BadEntry: one says again what an earlier entry said, or overlaps it in time.
        """
        said = {(frame, *(row[name] for name in KEYS[frame])): where for frame, row in rows}
        for key, earlier in self._said.items():
            if key in said:
                raise BadEntry(
                    f"it says again what {earlier} says of {shown(' '.join(map(str, key[1:])))}; leave one out"
                )
        if len(said) < len(rows):
            raise BadEntry("it names the same thing twice; leave one out")
        for frame, row in rows:
            if frame in TIMELINES:
                self._refuse_overlap(frame, row)
        for frame, row in rows:
            self._rows.setdefault(frame, []).append(row)
        self._said |= said

    def _refuse_overlap(self, frame: str, row: Row) -> None:
        *of, start, end = TIMELINES[frame]
        for other in self._rows.get(frame, []):
            if any(other[name] != row[name] for name in of):
                continue
            first, second = sorted((other, row), key=lambda one: _at(one[start]))
            if not pd.isna(first[end]) and _at(first[end]) > _at(second[start]):
                what = " ".join(str(row[name]) for name in of)
                raise BadEntry(
                    f"{what} has two values from {shown(_at(second[start]))} to {shown(_at(first[end]))}; "
                    "end the earlier one where the later begins"
                )

    def frames(self) -> dict[str, pd.DataFrame]:
        """Return checked frames by name."""
        for frame in TIMELINES:
            self._close(frame)
        return {name: FRAMES[name].check(pd.DataFrame(rows)) for name, rows in self._rows.items()}

    def _close(self, frame: str) -> None:
        """End each open row of a timeline where the next begins; a signal has to end at some time."""
        *of, start, end = TIMELINES[frame]
        rows = sorted(self._rows.get(frame, []), key=lambda one: ([str(one[name]) for name in of], _at(one[start])))
        for row, following in zip_longest(rows, rows[1:]):
            if not pd.isna(row[end]):
                continue
            if following is not None and all(following[name] == row[name] for name in of):
                row[end] = following[start]
            elif frame == "signals":
                row[end] = NEVER_AT


def _at(value: object) -> datetime:
    if not isinstance(value, datetime):
        raise TypeError(f"{value!r} is no instant")
    return value


def _excerpt(entry: dict[str, Any]) -> str:
    return ", ".join(f"{name} = {shown(value)}" for name, value in entry.items())[:EXCERPT_LENGTH]
