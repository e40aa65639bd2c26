"""Days sum to hours sum to windows: in every IANA zone, through both clock changes of three years."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import numpy as np

from aiobserve.domain.window import WINDOW, WINDOW_S, WINDOWS_PER_DAY, Span, local_day, offsets
from tests.zones import DAYS, FIRST_AT, Zone, zones

FIRST_S = int(FIRST_AT.timestamp())
EPOCH = date(1970, 1, 1)
# An amount for each window of the three years, and a day more on either side; no two neighbours are alike.
WINDOWS = (DAYS + 2) * WINDOWS_PER_DAY
START_S = FIRST_S - 86_400 + np.arange(WINDOWS, dtype=np.int64) * WINDOW_S
AMOUNT = np.arange(WINDOWS, dtype=np.int64) ** 2 * 7_919 % 1_000_003
BEFORE = np.r_[0, np.cumsum(AMOUNT)]


def local_s(zone: Zone) -> np.ndarray:
    """Return what the clocks of a zone show at the start of each window, in seconds."""
    offset_s = np.full(WINDOWS, int(zone.offset.total_seconds()))
    for at, offset in zone.changes:
        offset_s[int(at.timestamp()) <= START_S] = int(offset.total_seconds())
    return START_S + offset_s


def amount_between(start_at: datetime, end_at: datetime) -> int:
    start, end = ((int(at.timestamp()) - int(START_S[0])) // WINDOW_S for at in (start_at, end_at))
    return int(BEFORE[end] - BEFORE[start])


def test_there_are_clock_changes_to_be_tested() -> None:
    everyone = zones()

    assert len(everyone) > 400
    # Two a year in Europe, America, Australia and Chile; by half an hour on Lord Howe, by two hours at Troll.
    six = {zone.name for zone in everyone if len(zone.changes) == 6}
    assert {"Europe/Berlin", "America/New_York", "America/Santiago", "Australia/Lord_Howe", "Antarctica/Troll"} <= six
    assert len(six) > 150


def test_every_offset_is_a_whole_number_of_windows() -> None:
    for zone in zones():
        for offset in (zone.offset, *(offset for _, offset in zone.changes)):
            assert offset.total_seconds() % WINDOW_S == 0, zone.name


def test_every_day_of_three_years_is_the_sum_of_its_hours_and_of_its_windows() -> None:
    for zone in {zone.rules: zone for zone in zones()}.values():
        shown_s = local_s(zone)
        first_day = (EPOCH + timedelta(seconds=int(shown_s[0]))).toordinal() - EPOCH.toordinal()
        by_day = np.zeros(DAYS + 4, dtype=np.int64)
        np.add.at(by_day, shown_s // 86_400 - first_day, AMOUNT)
        by_hour = np.zeros((DAYS + 4) * 24, dtype=np.int64)
        np.add.at(by_hour, shown_s // 3_600 - first_day * 24, AMOUNT)

        spans = [local_day(FIRST_AT.date() + timedelta(days=day), zone.name) for day in range(DAYS)]
        place = FIRST_AT.date().toordinal() - EPOCH.toordinal() - first_day
        days = [amount_between(span.start_at, span.end_at) for span in spans]

        assert days == by_day[place : place + DAYS].tolist(), zone.name
        assert days == by_hour.reshape(-1, 24).sum(axis=1)[place : place + DAYS].tolist(), zone.name
        assert all(a.end_at == b.start_at for a, b in zip(spans, spans[1:], strict=False)), zone.name
        assert sum(days) == amount_between(spans[0].start_at, spans[-1].end_at)


def test_days_of_every_zone_by_name_meet_around_its_clock_changes() -> None:
    for zone in zones():
        offsets = [zone.offset, *(offset for _, offset in zone.changes)]
        forward = dict(zip(zone.change_days(), map(timedelta.__sub__, offsets[1:], offsets), strict=False))
        for day in zone.change_days():
            before, on, after = (local_day(day + timedelta(days=more), zone.name) for more in (-1, 0, 1))
            assert (before.end_at, on.end_at) == (on.start_at, after.start_at), (zone.name, day)
            length = timedelta(days=3) - forward.get(day, timedelta())
            assert after.end_at - before.start_at == length, (zone.name, day)
            assert {span.start_at.tzinfo for span in (before, on, after)} == {UTC}


def test_offsets_are_what_the_clocks_of_every_zone_show() -> None:
    for zone in zones():
        tz = ZoneInfo(zone.name)
        for day in zone.change_days():
            span = Span(*(datetime.combine(day + timedelta(days=more), datetime.min.time(), UTC) for more in (-1, 2)))
            steps = offsets(span, zone.name)
            for at in (span.start_at + WINDOW * number for number in range(span.duration_s // WINDOW_S)):
                shown = [offset for since_at, offset in steps if since_at <= at][-1]
                assert shown == at.astimezone(tz).utcoffset(), (zone.name, at)


def test_offsets_of_years_are_those_of_their_changes() -> None:
    whole = Span(FIRST_AT, FIRST_AT + timedelta(days=DAYS))

    for zone in zones():
        assert offsets(whole, zone.name) == [(FIRST_AT, zone.offset), *zone.changes], zone.name


def test_offsets_of_no_time_at_all_are_those_of_the_instant() -> None:
    at = datetime(2026, 7, 1, 12, tzinfo=UTC)

    assert offsets(Span(at, at), "Europe/Berlin") == [(at, timedelta(hours=2))]
