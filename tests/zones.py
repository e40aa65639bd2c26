"""Every IANA zone and when its clocks change in three years. Not a test; tests draw from it."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import cache
from zoneinfo import ZoneInfo, available_timezones

from aiobserve.domain.window import WINDOW, WINDOWS_PER_DAY

FIRST_AT = datetime(2024, 1, 1, tzinfo=UTC)
DAYS = 366 + 365 + 365


@dataclass(frozen=True)
class Zone:
    """A zone: its name, its offset from UTC at first, and each window from which on it has another one."""

    name: str
    offset: timedelta
    changes: tuple[tuple[datetime, timedelta], ...]

    @property
    def rules(self) -> tuple[timedelta, tuple[tuple[datetime, timedelta], ...]]:
        """Return what the zone does, whatever it is called."""
        return self.offset, self.changes

    def change_days(self) -> list[date]:
        """Return the civil dates on which the clocks change; two ordinary days where they never do."""
        changed = [(at + offset).date() for at, offset in self.changes]
        return changed or [date(2025, 3, 30), date(2025, 10, 26)]


@cache
def zones() -> tuple[Zone, ...]:
    """Return every zone that Python knows, with its changes of 2024 to 2026."""
    return tuple(_zone(name) for name in sorted(available_timezones() - {"localtime"}))


def _zone(name: str) -> Zone:
    tz = ZoneInfo(name)
    first = now = _offset(FIRST_AT, tz)
    changes = []
    for day in range(DAYS):
        start_at = FIRST_AT + timedelta(days=day)
        if _offset(start_at + timedelta(days=1), tz) == now:
            continue
        for at in (start_at + WINDOW * (window + 1) for window in range(WINDOWS_PER_DAY)):
            if _offset(at, tz) != now:
                now = _offset(at, tz)
                changes.append((at, now))
    return Zone(name, first, tuple(changes))


def _offset(at: datetime, tz: ZoneInfo) -> timedelta:
    return at.astimezone(tz).utcoffset() or timedelta()
