"""Rules of the organisation map: which job belongs to whom and since when, and what is refused."""

from fnmatch import fnmatchcase

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from aiobserve.attribution.claimants import claim
from aiobserve.attribution.rule_forms import BadRule, StoredRule, proposal
from aiobserve.attribution.rules import FOREVER_S, Rule, _could_both_match, conflicts, effective_map

MAP = pd.DataFrame(
    [("nlp", "NLP", "chat", 0, FOREVER_S)], columns=["account", "team_id", "project_id", "valid_from_s", "valid_to_s"]
)


def rule(
    pk: int = 1,
    priority: int = 100,
    *,
    team: str = "Science",
    since: int = 0,
    until: int = FOREVER_S,
    **conditions: str,
) -> Rule:
    empty = dict.fromkeys(("account", "user", "site", "model", "job_name", "label"), "")
    return Rule(pk, priority, **{**empty, **conditions}, team=team, project="p", valid_from_s=since, valid_to_s=until)


def jobs(*rows: dict[str, object]) -> pd.DataFrame:
    base = {
        "account": "nlp",
        "user": "ada",
        "site": "lab",
        "model": "llm",
        "name": "train-7",
        "labels": frozenset({"urgent"}),
    }
    return pd.DataFrame([{**base, **row} for row in rows])


def bearers(rules: list[Rule], job: dict[str, object], at_s: int) -> object:
    found = effective_map(jobs(job), rules, MAP)
    held = found.dated[
        (found.dated["account"] == found.key.iloc[0])
        & (found.dated["valid_from_s"] <= at_s)
        & (found.dated["valid_to_s"] > at_s)
    ]
    return held["team_id"].iloc[0] if len(held) else None


@pytest.mark.parametrize(
    ("conditions", "job", "met"),
    [
        ({"account": "nlp"}, {}, True),
        ({"account": "nlp", "user": "bob"}, {}, False),
        ({"user": "ada", "site": "lab"}, {}, True),
        ({"model": "llm"}, {"model": ""}, False),
        ({"job_name": "train-*"}, {}, True),
        ({"job_name": "train-?"}, {"name": "train-77"}, False),
        ({"job_name": "a[b]*"}, {"name": "a[b]c"}, True),
        ({"job_name": "a[b]*"}, {"name": "abc"}, False),
        ({"label": "urgent"}, {}, True),
        ({"label": "urgent"}, {"labels": frozenset()}, False),
    ],
)
def test_a_rule_holds_for_jobs_that_meet_every_condition(
    conditions: dict[str, str], job: dict[str, object], met: bool
) -> None:
    assert bearers([rule(**conditions)], job, 5) == ("Science" if met else "NLP")


def test_the_higher_priority_counts_while_it_is_valid_then_the_next_then_the_account() -> None:
    rules = [
        rule(1, 10, team="Low", since=0, until=90, account="nlp"),
        rule(2, 20, team="High", since=30, until=60, user="ada"),
    ]

    assert [bearers(rules, {}, at_s) for at_s in (0, 29, 30, 59, 60, 89, 90)] == [
        "Low",
        "Low",
        "High",
        "High",
        "Low",
        "Low",
        "NLP",
    ]


def test_an_account_that_nobody_maps_can_be_given_away_by_a_rule() -> None:
    assert bearers([], {"account": "stray"}, 5) is None
    assert bearers([rule(account="stray", since=10)], {"account": "stray"}, 5) is None
    assert bearers([rule(account="stray", since=10)], {"account": "stray"}, 10) == "Science"


def test_a_job_across_the_instant_is_cut_there_and_only_what_came_after_moves() -> None:
    facts = jobs({})
    found = effective_map(facts, [rule(user="ada", since=1800, team="Science")], MAP)
    held = pd.DataFrame(
        {
            "device": [0],
            "job_id": [7],
            "model_id": [1],
            "account": found.key,
            "start_s": [0],
            "end_s": [3600],
            "share_millis": [1000],
        }
    )
    numbered = found.dated.replace({"NLP": 1, "Science": 2, "chat": 1, "p": 2}).astype(
        {"team_id": float, "project_id": float}
    )

    claimed = claim(held, numbered)

    assert [
        (claimed.claimants.loc[c, "team_id"], s, e)
        for c, s, e in zip(
            claimed.reservations.claimant, claimed.reservations.start_s, claimed.reservations.end_s, strict=True
        )
    ] == [(1, 0, 1800), (2, 1800, 3600)]


@given(
    st.lists(
        st.builds(
            rule,
            st.integers(1, 99),
            st.integers(0, 3),
            team=st.sampled_from("ABC"),
            since=st.integers(0, 50),
            until=st.integers(51, 99),
            user=st.sampled_from(["", "ada"]),
            account=st.just("nlp"),
        ),
        max_size=6,
        unique_by=lambda one: one.pk,
    ),
    st.integers(0, 120),
)
def test_the_compiled_map_says_what_looking_through_the_rules_says(rules: list[Rule], at_s: int) -> None:
    valid = [one for one in rules if one.valid_from_s <= at_s < one.valid_to_s]
    expected = min(valid, key=lambda one: (-one.priority, one.pk)).team if valid else "NLP"

    assert bearers(rules, {}, at_s) == expected
    dated = effective_map(jobs({}), rules, MAP).dated.sort_values("valid_from_s")
    assert (dated["valid_from_s"].to_numpy()[1:] >= dated["valid_to_s"].to_numpy()[:-1]).all()


@pytest.mark.parametrize(
    ("one", "other", "contradict"),
    [
        ({"account": "nlp"}, {"account": "nlp"}, True),
        ({"account": "nlp"}, {"account": "cv"}, False),
        ({"account": "nlp"}, {"user": "ada"}, True),
        ({"account": "nlp", "user": "ada"}, {"account": "cv", "user": "ada"}, False),
        ({"job_name": "train-*"}, {"job_name": "eval-*"}, False),
        ({"job_name": "train-*"}, {"job_name": "*-llm"}, True),
        ({"account": "nlp", "until": 10}, {"account": "nlp", "since": 10}, False),
        ({"account": "nlp", "priority": 1}, {"account": "nlp", "priority": 2}, False),
        ({"label": "a"}, {"label": "b"}, True),
    ],
)
def test_rules_contradict_when_they_could_meet_the_same_job_with_equal_right(
    one: dict[str, object], other: dict[str, object], contradict: bool
) -> None:
    assert bool(conflicts(rule(1, **one), [rule(2, **other)])) is contradict  # type: ignore[arg-type]


patterns = st.text("ab*?", min_size=1, max_size=6)


@given(patterns, patterns, st.text("ab", max_size=8))
def test_patterns_that_match_a_common_text_are_found(left: str, right: str, text: str) -> None:
    if fnmatchcase(text, left) and fnmatchcase(text, right):
        assert _could_both_match(left, right)
    assert _could_both_match(left, right) == _could_both_match(right, left)


def test_patterns_that_exclude_each_other_are_told_apart() -> None:
    texts = [
        "".join(chars)
        for n in range(5)
        for chars in np.ndindex(*(2,) * n)
        for chars in ["".join("ab"[c] for c in chars)]
    ]
    shapes = ["a*", "b*", "*a", "?b", "a?", "ab", "*", "a*b", "??"]

    for left in shapes:
        for right in shapes:
            common = any(fnmatchcase(text, left) and fnmatchcase(text, right) for text in texts)
            assert _could_both_match(left, right) is common, (left, right)


def test_a_hostile_pattern_does_not_keep_the_reader_waiting() -> None:
    assert bearers([rule(job_name="a*" * 100 + "b")], {"name": "a" * 300}, 5) == "NLP"


FORM = {
    "action": "add",
    "account": "nlp",
    "team": "Science",
    "project": "p",
    "valid_from": "2026-10-15",
    "priority": "100",
}


@pytest.mark.parametrize(
    ("texts", "field", "said"),
    [
        ({"account": ""}, "account", "needs a condition"),
        ({"team": " "}, "team", "name the team"),
        ({"valid_from": ""}, "valid_from", "say from when"),
        ({"valid_from": "15 October"}, "valid_from", "write it as 2026-10-15"),
        ({"valid_from": "2026-10-15T10:07"}, "valid_from", "quarter of an hour"),
        ({"valid_to": "2026-10-15"}, "valid_to", "must lie after valid_from"),
        ({"tz": "Mars/Olympus"}, "tz", "no IANA time zone"),
        ({"priority": "high"}, "priority", "no whole number"),
        ({"team": "x" * 201}, "team", "at most 200"),
        ({"team": "a\0b"}, "team", "NUL"),
        ({"action": "burn"}, "action", "choose from add, change, end, withdraw, restore"),
        ({"action": "end", "rule": "9"}, "rule", "there is no rule '9'"),
        ({"action": "restore", "rule": "1"}, "rule", "rule 1 stands"),
        ({"action": "end", "rule": "1", "at": "1999-01-01"}, "at", "within the rule's own span"),
        ({"account": "cv", "priority": "50"}, "priority", "rule 1 (user ada -> Science) has the same priority 50"),
    ],
)
def test_what_is_wrong_is_said_by_field_with_what_to_do(texts: dict[str, str], field: str, said: str) -> None:
    known = [StoredRule(rule(1, 50, user="ada", since=1_700_000_100), True)]

    with pytest.raises(BadRule) as caught:
        proposal(known, {**FORM, **texts})

    assert said in caught.value.errors[field]


def test_a_date_is_midnight_in_the_readers_zone() -> None:
    made = proposal([], {**FORM, "tz": "Asia/Kathmandu"})

    assert made.add is not None
    assert made.add.valid_from_s == int(pd.Timestamp("2026-10-14T18:15Z").timestamp())


def test_ending_a_rule_puts_a_shorter_one_in_its_place_and_restoring_undoes_that() -> None:
    first = rule(1, 100, account="nlp", since=0)
    ended = proposal([StoredRule(first, True)], {"action": "end", "rule": "1", "at": "2026-10-15"})
    assert ended.add is not None and ended.withdraw == (1,)
    shorter = StoredRule(rule(2, 100, account="nlp", until=ended.add.valid_to_s), True, replaces=1)

    undone = proposal([StoredRule(first, False), shorter], {"action": "restore", "rule": "1"})

    assert undone.after == (first,)
    assert (undone.withdraw, undone.restore) == ((2,), (1,))
