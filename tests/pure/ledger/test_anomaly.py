"""What drove a change: parts that sum to it, the planted driver named, and no alarm where nothing happened."""

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aiobserve.ledger.anomaly import anomalies, episodes
from aiobserve.ledger.drivers import DRIVERS, Cell, DayCost, decompose

HOUR, KWH, USD = 3_600_000, 3_600_000_000, 1_000_000
MONDAY = date(2026, 3, 2)
SINCE, UNTIL = date(2026, 1, 1), date(2027, 1, 1)


def cell(hours: float, *, usd_per_hour: float = 2.0, kwh_per_hour: float = 0.5, usd_per_kwh: float = 0.1) -> Cell:
    kwh = hours * kwh_per_hour
    return Cell(
        round(hours * HOUR), round(kwh * KWH), round(hours * usd_per_hour * USD), round(kwh * usd_per_kwh * USD)
    )


def parts(before: DayCost, now: DayCost) -> dict[str, float]:
    return {name: part / USD for name, part in decompose(before, now).items() if part}


def test_more_hours_of_the_same_is_volume() -> None:
    assert parts(DayCost({"llm": cell(10)}), DayCost({"llm": cell(15)})) == {"volume": 10.25}


def test_another_price_is_price_be_it_of_the_hour_or_of_the_energy() -> None:
    before = DayCost({"llm": cell(10)})

    assert parts(before, DayCost({"llm": cell(10, usd_per_hour=2.5)})) == {"price": 5}
    assert parts(before, DayCost({"llm": cell(10, usd_per_kwh=0.3)})) == {"price": 1}


def test_the_same_hours_elsewhere_is_mix() -> None:
    before = DayCost({"cheap": cell(10, usd_per_hour=1), "dear": cell(10, usd_per_hour=3)})
    now = DayCost({"cheap": cell(5, usd_per_hour=1), "dear": cell(15, usd_per_hour=3)})

    assert parts(before, now) == {"mix": 10}


def test_harder_work_in_the_same_hours_is_utilisation() -> None:
    assert parts(DayCost({"llm": cell(10)}), DayCost({"llm": cell(10, kwh_per_hour=1)})) == {"utilisation": 0.5}


def test_idle_and_other_are_their_own() -> None:
    assert parts(DayCost(idle_microusd=5 * USD), DayCost(other_microusd=2 * USD)) == {"idle": -5, "other": 2}


def test_work_that_was_not_there_before_is_volume_and_mix_and_never_price() -> None:
    before, now = DayCost({"a": cell(10)}), DayCost({"a": cell(10), "new": cell(10, usd_per_hour=8)})

    found = decompose(before, now)

    assert found["price"] == found["utilisation"] == 0
    assert sum(found.values()) == now.cost_microusd - before.cost_microusd
    assert parts(DayCost(), now) == {"volume": 101.0}
    assert parts(now, DayCost()) == {"volume": -101.0}


CELLS = st.builds(Cell, st.integers(0, 10**10), st.integers(0, 10**13), st.integers(0, 10**12), st.integers(0, 10**11))
DAYS = st.builds(
    DayCost,
    st.dictionaries(st.sampled_from("abcde"), CELLS, max_size=5),
    st.integers(0, 10**12),
    st.integers(0, 10**10),
    st.integers(-(10**12), 10**12),
)


@given(DAYS, DAYS)
def test_the_parts_sum_to_the_change(before: DayCost, now: DayCost) -> None:
    found = decompose(before, now)

    assert tuple(found) == DRIVERS
    assert sum(found.values()) == now.cost_microusd - before.cost_microusd


@given(DAYS, DAYS)
def test_the_way_back_is_the_way_there_with_the_other_sign(before: DayCost, now: DayCost) -> None:
    there, back = decompose(before, now), decompose(now, before)

    assert all(abs(there[name] + back[name]) <= 1 for name in DRIVERS)


@given(DAYS)
def test_nothing_drives_a_day_that_is_the_same(day: DayCost) -> None:
    assert not any(decompose(day, day).values())


def plain(weeks: int = 9, *, hours: float = 100) -> dict[date, DayCost]:
    """Return weeks of 100 GPU-hours on working days and 20 on the others, a little noise on each."""
    found = {}
    for number in range(weeks * 7):
        day = MONDAY + timedelta(days=number)
        found[day] = DayCost({"llm-7b": cell((hours if day.weekday() < 5 else 20) + number % 3)})
    return found


def test_plain_weeks_have_no_anomaly() -> None:
    assert anomalies("NLP", plain(), since=SINCE, until=UNTIL) == []


@pytest.mark.parametrize(
    ("driver", "changed"),
    [
        ("volume", DayCost({"llm-7b": cell(100), "llm-70b": cell(195)})),
        ("price", DayCost({"llm-7b": cell(100, usd_per_hour=4)})),
        ("mix", DayCost({"llm-7b": cell(10), "llm-70b": cell(90, usd_per_hour=8)})),
        ("utilisation", DayCost({"llm-7b": cell(100, kwh_per_hour=5)})),
        ("idle", DayCost({"llm-7b": cell(100)}, idle_microusd=300 * USD, idle_gpu_millis=150 * HOUR)),
        ("other", DayCost({"llm-7b": cell(100)}, other_microusd=80 * USD)),
    ],
)
def test_a_planted_driver_is_named(driver: str, changed: DayCost) -> None:
    day = MONDAY + timedelta(weeks=8)
    base = {one: cost for one, cost in plain().items() if one <= day}
    if driver == "mix":
        base = {one: DayCost({**cost.cells, "llm-70b": cell(3, usd_per_hour=8)}) for one, cost in base.items()}

    (found,) = anomalies("NLP", {**base, day: changed}, since=SINCE, until=UNTIL)

    assert (found.day, found.driver) == (day, driver)
    assert sum(found.parts.values()) == found.change_microusd
    assert found.compared_with.weekday() == day.weekday()


def test_the_words_name_numbers_that_can_be_looked_up() -> None:
    day = MONDAY + timedelta(weeks=8)
    days = {MONDAY + timedelta(weeks=number): DayCost({"llm-7b": cell(100)}) for number in range(8)}

    (found,) = anomalies(
        "NLP", {**days, day: DayCost({"llm-7b": cell(100), "llm-70b": cell(195)})}, since=SINCE, until=UNTIL
    )

    assert found.words == (
        "cost of NLP rose by 399.75 USD on Monday 27 April 2026 (604.75 against 205.00 on 20 April, the middle one of 6): "
        "+399.75 from 195.0 more GPU-hours, 195.0 of them llm-70b"
    )


def test_two_weeks_are_too_few_to_say_anything() -> None:
    days = plain(3)
    last = MONDAY + timedelta(weeks=2)

    assert anomalies("NLP", {**days, last: DayCost({"llm-7b": cell(900)})}, since=SINCE, until=UNTIL) == []


def test_an_outlier_among_the_weeks_before_does_not_move_what_is_expected() -> None:
    days = plain()
    days[MONDAY + timedelta(weeks=4)] = DayCost({"llm-7b": cell(5000)})

    found = anomalies("NLP", days, since=SINCE, until=UNTIL)

    assert [one.day for one in found] == [MONDAY + timedelta(weeks=4)]


def test_neighbouring_days_are_one_episode_with_the_driver_of_them_all() -> None:
    days = plain()
    for number in (56, 57, 58):
        days[MONDAY + timedelta(days=number)] = DayCost({"llm-7b": cell(100, usd_per_hour=4)})

    found = episodes(anomalies("NLP", days, since=SINCE, until=UNTIL))

    (one,) = found
    assert (one.first.day, one.last_day) == (MONDAY + timedelta(days=56), MONDAY + timedelta(days=58))
    assert one.driver == "price"
    assert one.peak.change_microusd == max(day.change_microusd for day in one.anomalies)
    assert sum(one.parts.values()) == one.change_microusd


def test_only_the_days_asked_for_are_told() -> None:
    days = plain()
    days[MONDAY + timedelta(weeks=8)] = DayCost({"llm-7b": cell(900)})

    assert anomalies("NLP", days, since=SINCE, until=MONDAY + timedelta(weeks=8)) == []
