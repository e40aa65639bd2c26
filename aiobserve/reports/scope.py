"""What a report is about: an organisation, a span of time and the reader's time zone."""

from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo, available_timezones

from aiobserve.domain.window import Span, local_day
from aiobserve.reports.sharing import BadSharing, Sharing, sharing_of
from aiobserve.store.read import fleet
from aiobserve.store.read.ledger import extent
from aiobserve.store.read.timezones import database_timezones

DEFAULT_DAYS = 30
FIRST_YEAR, LAST_YEAR = 1971, 2199
MOST_DAYS = 1_100
NO_ZONES = frozenset({"localtime", "posixrules", "Factory"})


class BadScope(ValueError):
    """The organisation, zone or dates of a report cannot be understood; the message says which and why."""


@dataclass(frozen=True)
class Scope:
    """An organisation and whole local days `[first_day, end_day)` in an IANA zone, and who bears idle and overhead."""

    organisation: fleet.OrganisationRow
    first_day: date
    end_day: date
    timezone: str
    sharing: Sharing = field(default_factory=Sharing)

    @property
    def span(self) -> Span:
        """Return the UTC span of the days."""
        return Span(local_day(self.first_day, self.timezone).start_at, local_day(self.end_day, self.timezone).start_at)

    @property
    def days(self) -> list[date]:
        """Return each local date of the scope."""
        return [self.first_day + timedelta(days=n) for n in range((self.end_day - self.first_day).days)]


def present(organisation: fleet.OrganisationRow, clock_at: datetime) -> datetime:
    """Return the present of an organisation: the clock's, or the fixed instant of a simulated one."""
    return organisation.now_at or clock_at


def organisation_of(slug: str | None) -> fleet.OrganisationRow:
    """Return the organisation with a slug, or the first one.

    Raises:
        BadScope: there is none; the message lists those that are there.
    """
    if "\0" in (slug or ""):
        raise BadScope("an organisation's slug holds no NUL character")
    try:
        return fleet.organisation(slug)
    except fleet.NoSuchOrganisation as error:
        raise BadScope(str(error)) from error


def resolve(
    *,
    clock_at: datetime,
    organisation: str | None = None,
    first_day: str | None = None,
    end_day: str | None = None,
    timezone: str | None = None,
    idle: str | None = None,
    overhead: str | None = None,
    utilisation_floor: str | None = None,
) -> Scope:
    """Return the scope that texts from a query string or command line name; 30 days up to the last posting by default.

    Args:
        clock_at: the present, from the door.
        first_day, end_day: ISO dates in the zone; the end is exclusive.
        idle, overhead, utilisation_floor: as `sharing_of` takes them.

    Raises:
        BadScope: a text cannot be understood, or there is no such organisation.
    """
    chosen = organisation_of(organisation)
    zone = zone_of(timezone or "UTC")
    end = _date(end_day, "to") if end_day else _default_end(chosen, clock_at, zone)
    first = _date(first_day, "from") if first_day else end - timedelta(days=DEFAULT_DAYS)
    if first >= end:
        raise BadScope(f"from={first} must lie before to={end}, which is exclusive")
    if (end - first).days > MOST_DAYS:
        raise BadScope(f"from={first} to={end} is {(end - first).days} days; ask for at most {MOST_DAYS}")
    try:
        sharing = sharing_of(idle, overhead, utilisation_floor)
    except BadSharing as error:
        raise BadScope(str(error)) from error
    return Scope(chosen, first, end, zone, sharing)


def _default_end(organisation: fleet.OrganisationRow, clock_at: datetime, zone: str) -> date:
    known = extent(organisation.pk)
    last_at = known.end_at if known else present(organisation, clock_at)
    last = (last_at - timedelta(microseconds=1)).astimezone(ZoneInfo(zone))
    return last.date() + timedelta(days=1)


def zone_of(name: str) -> str:
    """Return the name of an IANA time zone if it is one that is known here and to the database.

    Raises:
        BadScope: it is none.
    """
    if name != "UTC" and name not in _zones():
        raise BadScope(f"tz={name!r} is no IANA time zone that is known here; try Europe/Berlin or UTC")
    return name


@lru_cache(maxsize=1)
def _zones() -> frozenset[str]:
    """Return the zones that mean the same to Python and the database."""
    # `localtime` and its like are files beside the zones: they mean something else on every machine.
    return frozenset(available_timezones() & database_timezones()) - NO_ZONES


def _date(text: str, name: str) -> date:
    try:
        day = date.fromisoformat(text)
    except ValueError as error:
        raise BadScope(f"{name}={text!r} is no date; write it as 2026-11-01") from error
    if not FIRST_YEAR <= day.year <= LAST_YEAR:
        raise BadScope(f"{name}={text} is no date of ours; years from {FIRST_YEAR} to {LAST_YEAR} are known")
    return day


def organisations() -> list[fleet.OrganisationRow]:
    """Return all organisations, real ones first."""
    return fleet.organisations()
