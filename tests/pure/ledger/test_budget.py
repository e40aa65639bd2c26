"""Budgets: windows by the calendar, thresholds, what is to come, and the answer a scheduler gets."""

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aiobserve.ledger.budget import (
    WINDOWS,
    Ahead,
    BadBudget,
    Budget,
    Days,
    Standing,
    State,
    checked,
    evaluate,
    from_today,
    may_start,
    window_of,
)

MARCH = Days(date(2026, 3, 1), date(2026, 4, 1))
USD = 1_000_000
PLAIN = Budget("NLP", "team", "NLP", "cost", 100 * USD)


def standing(
    *complete: int,
    ahead: tuple[int, ...] = (),
    today: int = 0,
    committed: int = 0,
    corrections: int = 0,
    **more: object,
) -> Standing:
    budget = Budget(
        **{"name": "NLP", "scope": "team", "subject": "NLP", "measure": "cost", "amount": 100 * USD, **more}
    )  # type: ignore[arg-type]
    whole = sum(ahead) * USD
    return evaluate(
        budget, MARCH, complete=[day * USD for day in complete], today=today * USD, committed=committed * USD,
        corrections=corrections * USD, ahead=Ahead([day * USD for day in ahead], whole * 9 // 10, whole * 11 // 10),
    )  # fmt: skip


@pytest.mark.parametrize(
    ("window", "day", "first", "end"),
    [
        ("day", date(2026, 3, 5), date(2026, 3, 5), date(2026, 3, 6)),
        ("week", date(2026, 3, 1), date(2026, 2, 23), date(2026, 3, 2)),  # a Sunday
        ("week", date(2026, 3, 2), date(2026, 3, 2), date(2026, 3, 9)),
        ("month", date(2026, 2, 28), date(2026, 2, 1), date(2026, 3, 1)),
        ("month", date(2026, 12, 31), date(2026, 12, 1), date(2027, 1, 1)),
        ("quarter", date(2026, 11, 30), date(2026, 10, 1), date(2027, 1, 1)),
        ("quarter", date(2026, 3, 31), date(2026, 1, 1), date(2026, 4, 1)),
    ],
)
def test_windows_are_those_of_the_calendar(window: str, day: date, first: date, end: date) -> None:
    assert window_of(Budget("b", "whole", "", "cost", 1, window=window), day) == Days(first, end)


def test_a_window_is_cut_to_the_validity_and_there_is_none_outside_it() -> None:
    budget = Budget("b", "whole", "", "cost", 1, valid_from=date(2026, 3, 10), valid_to=date(2026, 4, 5))

    assert window_of(budget, date(2026, 3, 15)) == Days(date(2026, 3, 10), date(2026, 4, 1))
    assert window_of(budget, date(2026, 4, 4)) == Days(date(2026, 4, 1), date(2026, 4, 5))
    assert window_of(budget, date(2026, 3, 9)) is None
    assert window_of(budget, date(2026, 4, 5)) is None


@given(st.sampled_from([name for name in WINDOWS if name != "custom"]), st.dates(date(1980, 1, 1), date(2100, 1, 1)))
def test_every_day_lies_in_one_window_and_neighbours_meet(window: str, day: date) -> None:
    budget = Budget("b", "whole", "", "cost", 1, window=window)
    found = window_of(budget, day)

    assert found is not None and found.first <= day < found.end
    following = window_of(budget, found.end)
    assert following is not None and following.first == found.end
    assert window_of(budget, found.end - timedelta(days=1)) == found


@pytest.mark.parametrize(
    ("spent", "ahead", "state", "crossed"),
    [
        (49, (), State.OK, ()),
        (50, (), State.OK, (50,)),
        (80, (), State.WARN, (50, 80)),
        (100, (), State.WARN, (50, 80, 100)),
        (101, (), State.OVER, (50, 80, 100)),
        (49, (51,), State.OK, ()),
        (49, (52,), State.WARN, ()),
    ],
)
def test_states(spent: int, ahead: tuple[int, ...], state: State, crossed: tuple[int, ...]) -> None:
    found = standing(spent, ahead=ahead)

    assert (found.state, found.crossed) == (state, crossed)


def test_what_is_expected_is_spent_and_what_is_to_come() -> None:
    found = standing(10, 20, ahead=(30, 50), today=5)

    assert (found.spent, found.expected) == (35 * USD, 110 * USD)
    assert (found.low, found.high) == (102 * USD, 118 * USD)
    assert found.reached_on == date(2026, 3, 4)


def test_a_day_that_already_took_more_than_was_expected_counts_with_what_it_took() -> None:
    found = standing(10, ahead=(5, 10), today=40)

    assert found.expected == 60 * USD
    assert found.low >= found.spent == 50 * USD


@pytest.mark.parametrize("corrections", [7, -7])
def test_a_correction_that_is_booked_today_moves_everything_by_what_it_is(corrections: int) -> None:
    # 30 are over, 4 of the 10 expected today are used, 10 come tomorrow: 50. A correction is about neither day.
    before = standing(10, 20, ahead=(10, 10), today=4)
    found = standing(10, 20, ahead=(10, 10), today=4, corrections=corrections)

    assert (before.spent, before.low, before.expected, before.high) == (34 * USD, 48 * USD, 50 * USD, 52 * USD)
    assert [found.spent, found.low, found.expected, found.high] == [
        (one + corrections) * USD for one in (34, 48, 50, 52)
    ]


def test_a_correction_is_not_what_running_jobs_were_to_take() -> None:
    assert standing(10, ahead=(5,), committed=60, corrections=7).expected == 77 * USD


def test_a_correction_that_takes_the_limit_takes_it_today() -> None:
    assert standing(60, ahead=(10, 10), corrections=31).reached_on == date(2026, 3, 2)
    assert standing(60, 45, ahead=(10,), corrections=-31).reached_on == date(2026, 3, 2)


@given(st.lists(st.integers(0, 99), min_size=1, max_size=9), st.integers(0, 99), st.integers(-99, 99))
def test_the_days_ahead_sum_to_so_much_more_as_is_corrected(expected: list[int], today: int, corrections: int) -> None:
    plain, corrected = from_today(expected, today=today), from_today(expected, today=today, corrections=corrections)

    assert sum(corrected) == sum(plain) + corrections
    assert corrected[1:] == plain[1:] == expected[1:]


def test_what_is_committed_is_at_least_to_come() -> None:
    assert standing(10, ahead=(5,), committed=60).expected == 70 * USD


def test_a_limit_that_was_passed_says_when() -> None:
    assert standing(60, 60, 1).reached_on == date(2026, 3, 2)
    assert standing(60, 40).reached_on is None


def test_a_hard_budget_says_no_in_words() -> None:
    answer = may_start([standing(90, committed=5, is_hard=True)], expected=6 * USD)

    assert answer.allowed is False
    assert answer.words == (
        "no: 90.00 USD spent, 5.00 USD committed and 6.00 USD asked for exceed 100.00 USD of NLP (team NLP); "
        "it is a hard budget until 2026-04-01"
    )


def test_exactly_the_rest_of_a_hard_budget_may_be_spent() -> None:
    answer = may_start([standing(90, committed=5, is_hard=True)], expected=5 * USD)

    assert answer == type(answer)(True, "yes: 0.00 USD of NLP are left after it")


def test_a_soft_budget_only_says_so() -> None:
    answer = may_start([standing(99)], expected=2 * USD)

    assert answer.allowed is True
    assert answer.words.startswith("yes, beyond a soft budget")


def test_the_strictest_of_several_budgets_decides() -> None:
    whole = standing(10, name="Company", scope="whole", subject="", is_hard=True)

    assert may_start([whole, standing(99, is_hard=True)], expected=2 * USD).allowed is False
    assert may_start([], expected=2 * USD).words == "yes: no budget of cost applies"
    assert may_start([standing(99, is_hard=True, measure="carbon")], expected=2 * USD).allowed is True


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ({"scope": "planet"}, "choose from whole, team"),
        ({"measure": "water"}, "choose from cost, energy, carbon"),
        ({"window": "fortnight"}, "choose from day, week"),
        ({"scope": "whole"}, "name a team"),
        ({"subject": ""}, "name a team"),
        ({"amount": 0}, "more than nothing"),
        ({"thresholds": (80, 50)}, "ascending"),
        ({"thresholds": ()}, "ascending"),
        ({"window": "custom"}, "needs its last day"),
        ({"valid_from": date(2026, 3, 2), "valid_to": date(2026, 3, 1)}, "must lie after"),
        ({"name": " "}, "needs a name"),
        ({"name": "a\0"}, "NUL"),
    ],
)
def test_a_budget_that_makes_no_sense_says_why(more: dict[str, object], said: str) -> None:
    with pytest.raises(BadBudget, match=said):
        checked(Budget(**{**PLAIN.__dict__, **more}))  # type: ignore[arg-type]


@given(
    complete=st.lists(st.integers(0, 10**9), max_size=31),
    ahead=st.lists(st.integers(0, 10**9), max_size=31),
    today=st.integers(0, 10**9),
    committed=st.integers(0, 10**10),
)
def test_what_is_expected_lies_in_its_interval_and_is_never_less_than_spent(
    complete: list[int], ahead: list[int], today: int, committed: int
) -> None:
    found = evaluate(
        PLAIN,
        MARCH,
        complete=complete,
        today=today,
        committed=committed,
        ahead=Ahead(ahead, sum(ahead) // 2, sum(ahead) * 2),
    )

    assert found.spent == sum(complete) + today
    assert found.spent <= found.low <= found.high
    assert found.low <= found.expected <= found.high
    assert found.expected >= found.spent + committed or ahead == []
