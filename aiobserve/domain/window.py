"""The 15-minute accounting window and half-open spans of time, in UTC.

Fifteen minutes, because every civil time zone in use is a whole number of them away from UTC, so a
local day at +05:30 or +05:45 is an exact sum of windows.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

WINDOW_S = 900
WINDOW = timedelta(seconds=WINDOW_S)
WINDOWS_PER_DAY = 96


class NotAligned(ValueError):
    """An instant was given that is naive or does not lie on a window edge."""


@dataclass(frozen=True, order=True)
class Span:
    """A half-open span `[start_at, end_at)` of aware UTC instants; neighbours meet without overlap."""

    start_at: datetime
    end_at: datetime

    def __post_init__(self) -> None:
        for name, at in (("start_at", self.start_at), ("end_at", self.end_at)):
            if at.tzinfo is None:
                raise NotAligned(f"{name}={at.isoformat()} has no time zone; give an aware UTC instant")
        if self.end_at < self.start_at:
            raise NotAligned(f"end_at {self.end_at.isoformat()} lies before start_at {self.start_at.isoformat()}")

    @property
    def duration_s(self) -> int:
        """Return the whole seconds between the edges."""
        return int((self.end_at - self.start_at).total_seconds())

    def days(self) -> Iterator[date]:
        """Yield each UTC date that the span touches."""
        day = self.start_at.astimezone(UTC).date()
        while datetime.combine(day, time(), UTC) < self.end_at:
            yield day
            day += timedelta(days=1)


def window_floor(at: datetime) -> datetime:
    """Return the start of the window that holds `at`."""
    if at.tzinfo is None:
        raise NotAligned(f"{at.isoformat()} has no time zone; give an aware instant")
    epoch_s = int(at.timestamp() // WINDOW_S) * WINDOW_S
    return datetime.fromtimestamp(epoch_s, UTC)


def window_ceiling(at: datetime) -> datetime:
    """Return the end of the window that ends at `at` or holds it."""
    floor = window_floor(at)
    return floor if floor == at else floor + WINDOW


def utc_day(day: date) -> Span:
    """Return the span of a UTC date."""
    start_at = datetime.combine(day, time(), UTC)
    return Span(start_at, start_at + timedelta(days=1))


def local_day(day: date, zone: str) -> Span:
    """Return the span of a civil date in an IANA zone; 23, 24 or 25 hours long."""
    tz = ZoneInfo(zone)
    start_at = datetime.combine(day, time(), tz).astimezone(UTC)
    end_at = datetime.combine(day + timedelta(days=1), time(), tz).astimezone(UTC)
    return Span(start_at, end_at)


def offsets(span: Span, zone: str) -> list[tuple[datetime, timedelta]]:
    """Return the offset of an IANA zone from UTC over a span: (since when, offset), at its start and from each change on.

    Changes are found to the window. Every local time that a report shows or groups by comes from here or from
    `local_day`, so that there is one table of zones, and not that of whatever database happens to be there.
    """
    tz = ZoneInfo(zone)
    at = window_floor(span.start_at)
    found = [(at, _offset(at, tz))]
    while at < span.end_at:
        next_at = at + timedelta(days=1)
        if _offset(next_at, tz) != found[-1][1]:
            changed_at = next(
                at + WINDOW * number
                for number in range(1, WINDOWS_PER_DAY + 1)
                if _offset(at + WINDOW * number, tz) != found[-1][1]
            )
            found.append((changed_at, _offset(changed_at, tz)))
        at = next_at
    return [(since_at, offset) for since_at, offset in found if since_at < span.end_at] or found[:1]


def _offset(at: datetime, tz: ZoneInfo) -> timedelta:
    return at.astimezone(tz).utcoffset() or timedelta()
