"""The kinds of values that a declared entry may have, each with the words that say what to do about a bad one."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from decimal import Decimal
from difflib import get_close_matches
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

REQUIRED = object()
LONGEST_TEXT = 100
LONGEST_SOURCE = 300
FIRST_YEAR, LAST_YEAR = 1970, 2099

Values = dict[str, Any]


class BadValue(ValueError):
    """A value cannot be taken; the message says what to write instead."""


class BadEntry(ValueError):
    """An entry cannot be taken; the message names key and value and says what to do."""


@dataclass(frozen=True)
class Field:
    """A key of an entry: how its value is read, and what it is when it is left out."""

    read: Callable[[Any], Any]
    default: Any = REQUIRED


def read_entry(fields: Mapping[str, Field], given: Mapping[str, Any]) -> Values:
    """Return every value of an entry by key, defaults included.

    Raises:
        BadEntry: a key is unknown or missing, or a value cannot be taken.
    """
    for key in given:
        if key not in fields:
            near = get_close_matches(key, fields, n=1)
            hint = f"did you mean {near[0]}? " if near else ""
            raise BadEntry(f"unknown key {key} = {shown(given[key])}: {hint}Known keys: {', '.join(fields)}")
    values = {}
    for key, field in fields.items():
        if key not in given:
            if field.default is REQUIRED:
                raise BadEntry(f"{key} is missing; write {key} = ...")
            values[key] = field.default
            continue
        try:
            values[key] = field.read(given[key])
        except BadValue as error:
            raise BadEntry(f"{key} = {shown(given[key])}: {error}") from error
    since, until = values.get("valid_from"), values.get("valid_to")
    if since and until and until <= since:
        raise BadEntry(f"valid_to = {shown(until)}: it must be later than valid_from, {shown(since)}")
    return values


def shown(value: Any) -> str:
    """Return a value as a person wrote it, more or less, and not too long."""
    if isinstance(value, datetime | date):
        return value.isoformat()
    return (str(value) if isinstance(value, Decimal) else repr(value))[:LONGEST_TEXT]


def text(value: Any) -> str:
    """Read a name: text without control characters, not empty."""
    return _text(value, LONGEST_TEXT)


def source(value: Any) -> str:
    """Read where a figure comes from."""
    return _text(value, LONGEST_SOURCE)


def _text(value: Any, longest: int) -> str:
    if not isinstance(value, str) or not value.strip():
        raise BadValue('write text in quotes, e.g. "fra"')
    if len(value) > longest:
        raise BadValue(f"{len(value)} characters, {longest} allowed")
    if not value.isprintable():
        raise BadValue("it holds a control character; leave it out")
    return value.strip()


def texts(value: Any) -> list[str]:
    """Read a list of names."""
    if not isinstance(value, list) or not value:
        raise BadValue('write a list of texts, e.g. ["GPU-1", "GPU-2"]')
    return [text(one) for one in value]


def one_of(*words: str) -> Callable[[Any], str]:
    """Return a reader of one of some words."""

    def read(value: Any) -> str:
        if value not in words:
            raise BadValue(f"choose from {', '.join(words)}")
        return str(value)

    return read


def flag(value: Any) -> bool:
    """Read true or false."""
    if not isinstance(value, bool):
        raise BadValue("write true or false, without quotes")
    return value


def number(least: float, most: float, *, above: bool = False) -> Callable[[Any], Decimal]:
    """Return a reader of a number from `least` (or above it) to `most`, exactly as it was written."""

    def read(value: Any) -> Decimal:
        if isinstance(value, bool) or not isinstance(value, int | Decimal):
            raise BadValue("write a number without quotes and without a currency")
        exact = Decimal(value)
        if not exact.is_finite() or not least <= exact <= most or (above and exact == least):
            raise BadValue(
                f"give a number {'above' if above else 'from'} {least:g} {'and at most' if above else 'to'} {most:g}"
            )
        return exact

    return read


def whole(least: int, most: int) -> Callable[[Any], int]:
    """Return a reader of a whole number from `least` to `most`."""
    in_range = number(least, most)

    def read(value: Any) -> int:
        exact = in_range(value)
        if exact != int(exact):
            raise BadValue("write a whole number")
        return int(exact)

    return read


def instant(value: Any) -> datetime:
    """Read an instant: a date is its midnight in UTC, a time must say its offset."""
    if isinstance(value, datetime):
        if value.tzinfo is None:
            raise BadValue("the time has no offset; write e.g. 2026-10-01T08:00:00+02:00, or a date for midnight UTC")
    elif isinstance(value, date):
        value = datetime.combine(value, time(), UTC)
    else:
        raise BadValue("write a date without quotes, e.g. 2026-10-01, or 2026-10-01T08:00:00Z")
    if not FIRST_YEAR <= value.year <= LAST_YEAR:
        raise BadValue(f"the year must lie between {FIRST_YEAR} and {LAST_YEAR}")
    return value.astimezone(UTC)


def time_zone(value: Any) -> str:
    """Read the name of an IANA time zone."""
    name = text(value)
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise BadValue("no such time zone; write an IANA name, e.g. Europe/Berlin") from error
    return name


def label(value: Any) -> str:
    """Read who shares a pool: team=NAME, project=NAME or model=NAME."""
    kind, _, name = text(value).partition("=")
    if kind not in ("team", "project", "model") or not name:
        raise BadValue('write "team=NAME", "project=NAME" or "model=NAME"')
    return f"{kind}={name}"


def changes(value: Any) -> list[tuple[datetime, Decimal]]:
    """Read change points of a price: a list of { from = ..., usd_per_gpu_hour = ... }, in order of time."""
    if not isinstance(value, list) or not value or not all(isinstance(one, dict) for one in value):
        raise BadValue("write a list, e.g. [{ from = 2026-10-01T08:10:00Z, usd_per_gpu_hour = 1.10 }, ...]")
    points: list[tuple[datetime, Decimal]] = []
    for place, one in enumerate(value, start=1):
        try:
            point = read_entry(CHANGE, one)
        except BadEntry as error:
            raise BadValue(f"change {place}: {error}") from error
        if points and point["from"] <= points[-1][0]:
            raise BadValue(f"change {place}: from = {shown(point['from'])} must be later than the change before it")
        points.append((point["from"], point["usd_per_gpu_hour"]))
    return points


PRICE = number(0, 1_000)
CHANGE = {"from": Field(instant), "usd_per_gpu_hour": Field(PRICE)}
