"""Days, hours and windows of a real ledger in every IANA zone, around both clock changes of three years.

Zones that never differed in these years make the same statement, so one of each rule is asked; that every zone has the
offsets that its rule says is tested in tests/pure/domain/test_zones.py.
"""

from collections import defaultdict
from datetime import UTC, date, datetime, timedelta

import numpy as np
import pandas as pd
import pytest

from aiobserve.domain.account import MEASURES, Account, Component
from aiobserve.domain.quality import Quality
from aiobserve.domain.window import WINDOW, WINDOWS_PER_DAY, Span, local_day, utc_day
from aiobserve.store.models import Site
from aiobserve.store.read import ledger
from aiobserve.store.write.ledger import Books
from aiobserve.store.write.ledger import post as post_batch
from aiobserve.store.write.organisation import ensure_organisation
from tests.zones import Zone, zones

pytestmark = pytest.mark.django_db

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
# Each measure of a window is another multiple of its amount, so that one that is taken for another is seen.
TIMES = {measure: number + 1 for number, measure in enumerate(MEASURES)}


def amount(window_at: datetime) -> int:
    """Return the amount of a window; no two neighbours are alike."""
    number = (window_at - EPOCH) // WINDOW
    return number**2 * 7_919 % 1_000_003 + 1


def windows_of(span: Span) -> list[datetime]:
    return [span.start_at + WINDOW * number for number in range((span.end_at - span.start_at) // WINDOW)]


def posted(days: list[date]) -> int:
    """Post every window of some UTC days, and return the organisation."""
    organisation_id = ensure_organisation("world", name="World")
    site = Site.objects.create(organisation_id=organisation_id, name="lab", grid_zone="Z", timezone="UTC")
    for day in days:
        post(organisation_id, site.pk, day)
    return organisation_id


def post(organisation_id: int, site_id: int, day: date) -> None:
    window_at = windows_of(utc_day(day))
    amounts = np.array([amount(at) for at in window_at])
    sides = [
        pd.DataFrame(
            {
                "window_start_s": [int(at.timestamp()) for at in window_at], "account": int(account), "component": int(Component.GPU),
                **dict.fromkeys(("pool_id", "team_id", "project_id", "model_id", "job_id"), pd.NA),
                **dict.fromkeys(("energy_quality", "carbon_quality", "cost_quality"), int(Quality.MEASURED)),
                **{measure: sign * amounts * TIMES[measure] for measure in MEASURES},
            }
        )
        for account, sign in ((Account.IDLE, 1), (Account.METERED, -1))
    ]  # fmt: skip
    start_s = [int(at.timestamp()) for at in window_at]
    windows = pd.DataFrame({"window_start_s": start_s, "booked_s": start_s, "digest": 0, "assumed": False})
    books = Books(organisation_id, site_id, day, "", 1)
    post_batch(books, pd.concat(sides, ignore_index=True), windows, is_first=True, period=0)


def around(zone: Zone) -> list[Span]:
    """Return for each clock change the three civil days around it."""
    one = timedelta(days=1)
    return [
        Span(local_day(day - one, zone.name).start_at, local_day(day + one, zone.name).end_at)
        for day in zone.change_days()
    ]


def sums(organisation_id: int, span: Span, zone: Zone, *by: str) -> dict[tuple[object, ...], int]:
    """Return the amount by some dimensions, and see that every measure is its multiple."""
    found = {}
    for row in ledger.sums(organisation_id, span, group_by=by, timezone=zone.name):
        found[row.keys] = row.sums[MEASURES[0]]
        assert row.sums == {measure: found[row.keys] * TIMES[measure] for measure in MEASURES}
    return found


def test_days_are_hours_are_windows_in_every_zone() -> None:
    everyone = list({zone.rules: zone for zone in zones()}.values())
    touched = {day for zone in everyone for span in around(zone) for day in span.days()}
    organisation_id = posted(sorted(touched))
    checked = 0

    for zone in everyone:
        offset_at = [(datetime.min.replace(tzinfo=UTC), zone.offset), *zone.changes]
        for span in around(zone):
            hours: dict[tuple[object, ...], int] = defaultdict(int)
            for at in windows_of(span):
                shown = (at + [offset for since, offset in offset_at if since <= at][-1]).replace(tzinfo=None)
                hours[(shown.date(), shown.replace(minute=0))] += amount(at)

            by_hour = sums(organisation_id, span, zone, "day", "hour")
            by_day = sums(organisation_id, span, zone, "day")

            assert by_hour == hours, (zone.name, span)
            days: dict[tuple[object, ...], int] = defaultdict(int)
            for (day, _), part in hours.items():
                days[(day,)] += part
            assert by_day == days, (zone.name, span)
            assert len(by_day) == 3, (zone.name, span)
            checked += len(windows_of(span))
    assert checked > len(everyone) * 2 * 3 * 92


def test_windows_sum_to_the_total_of_any_span() -> None:
    days = [date(2026, 3, 28), date(2026, 3, 29), date(2026, 3, 30)]
    organisation_id = posted(days)
    berlin = next(zone for zone in zones() if zone.name == "Europe/Berlin")
    span = local_day(days[1], "Europe/Berlin")

    windows = sums(organisation_id, span, berlin, "window")

    assert windows == {(at,): amount(at) for at in windows_of(span)}
    assert len(windows) == WINDOWS_PER_DAY - 4
    assert sums(organisation_id, span, berlin) == {(): sum(windows.values())}
