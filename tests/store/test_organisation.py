"""Rules of the organisation map in a real PostgreSQL: what a preview says is what comes of it, and only that."""

from datetime import date

import pytest

from aiobserve.attribution.rule_forms import BadRule
from aiobserve.domain.account import MEASURES
from aiobserve.domain.window import Span
from aiobserve.pipeline.check import check_all
from aiobserve.pipeline.collect import collect
from aiobserve.pipeline.organise import apply_change
from aiobserve.pipeline.sweep import attribute_due
from aiobserve.reports.organisation import preview
from aiobserve.reports.scope import Scope, organisation_of
from aiobserve.store.models import OrganisationRule, Posting, Watermark
from aiobserve.store.read import ledger
from aiobserve.store.write.organisation import ensure_organisation
from tests.worlds import World, at

pytestmark = pytest.mark.django_db

LATER_AT = at(100)
# The first day of the world is 2 March 2026, the instant of the re-organisation its noon.
NOON = {
    "action": "add",
    "account": "nlp",
    "user": "ada",
    "team": "Science",
    "project": "folding",
    "valid_from": "2026-03-02T12:00",
}


def company() -> int:
    """One GPU that NLP holds from eleven to two, across noon, and another held by bob from one to three; 100 W each."""
    organisation_id = ensure_organisation("world", name="World")
    world = (
        World()
        .job("across", start=11, end=14)
        .job("bobs", start=13, end=15, device="idle_gpu", user="bob")
        .power("busy_gpu", watts=100, start=0, end=25)
        .power("idle_gpu", watts=100, start=0, end=25)
    )
    collect(organisation_id, world, now_at=LATER_AT)
    attribute_due(organisation_id, now_at=LATER_AT)
    return organisation_id


def rules(organisation_id: int) -> int:
    """Return how many rules the company has."""
    return OrganisationRule.objects.filter(organisation_id=organisation_id).count()


def wanted(organisation_id: int) -> dict[date, int]:
    """Return by day which version of it is wanted."""
    days = Watermark.objects.filter(site__organisation_id=organisation_id)
    return dict(days.values_list("day", "wanted_version"))


def scope() -> Scope:
    return Scope(organisation_of("world"), date(2026, 3, 1), date(2026, 3, 5), "UTC")


def by_team(organisation_id: int, *more: str) -> dict[tuple[object, ...], dict[str, int]]:
    rows = ledger.sums(
        organisation_id, Span(at(-24), at(72)), group_by=("team", *more), filters={"account": ["1", "4"]}
    )
    return {row.keys: row.sums for row in rows}


def test_a_reorganisation_moves_only_what_came_after_and_the_preview_says_so() -> None:
    organisation_id = company()
    before = by_team(organisation_id)

    seen = preview(scope(), NOON)

    assert by_team(organisation_id) == before
    assert rules(organisation_id) == 0
    # Two of the three hours of ada's job come after noon: two dollars each and 0.1 kWh at ten cents.
    assert [
        (move.before, move.after, move.jobs, move.amounts.capacity_microusd, move.amounts.gpu_millis)
        for move in seen.moves
    ] == [(("NLP", "chat"), ("Science", "folding"), 1, 4_000_000, 7_200_000)]
    assert seen.before == seen.after

    apply_change(organisation_id, NOON, clock_at=LATER_AT)
    attribute_due(organisation_id, now_at=LATER_AT)

    after = by_team(organisation_id)
    for name, expected_before, expected_after in seen.teams:
        assert {m: before.get((name or None,), {}).get(m, 0) for m in MEASURES} == {
            m: getattr(expected_before, m) for m in MEASURES
        }
        assert {m: after.get((name or None,), {}).get(m, 0) for m in MEASURES} == {
            m: getattr(expected_after, m) for m in MEASURES
        }
    assert check_all("world")["balanced"]
    assert by_team(organisation_id, "window").keys() >= {
        ("NLP", at(11)),
        ("NLP", at(11.75)),
        ("Science", at(12)),
        ("Science", at(13.75)),
    }
    assert ("Science", at(11.75)) not in by_team(organisation_id, "window")


def test_withdrawing_a_rule_brings_every_posting_back_to_where_it_was() -> None:
    organisation_id = company()
    before = by_team(organisation_id, "window", "project", "job")
    made = apply_change(organisation_id, NOON, clock_at=LATER_AT)
    attribute_due(organisation_id, now_at=LATER_AT)
    assert by_team(organisation_id, "window", "project", "job") != before

    apply_change(organisation_id, {"action": "withdraw", "rule": str(made.rule)}, clock_at=LATER_AT)
    attribute_due(organisation_id, now_at=LATER_AT)

    after = by_team(organisation_id, "window", "project", "job")
    assert {key: sums for key, sums in after.items() if any(sums.values())} == before
    restored = apply_change(organisation_id, {"action": "restore", "rule": str(made.rule)}, clock_at=LATER_AT)
    assert restored.restored == (made.rule,)


def test_ending_a_rule_gives_back_what_comes_after_its_end() -> None:
    organisation_id = company()
    made = apply_change(organisation_id, NOON, clock_at=LATER_AT)
    attribute_due(organisation_id, now_at=LATER_AT)

    end = {"action": "end", "rule": str(made.rule), "at": "2026-03-02T13:00"}
    seen = preview(scope(), end)
    apply_change(organisation_id, end, clock_at=LATER_AT)
    attribute_due(organisation_id, now_at=LATER_AT)

    assert seen.moved.gpu_millis == 3_600_000
    assert by_team(organisation_id)[("Science",)]["gpu_millis"] == 3_600_000


def test_a_change_makes_due_the_days_it_touches_and_no_other() -> None:
    organisation_id = company()
    before = wanted(organisation_id)

    applied = apply_change(organisation_id, {**NOON, "valid_from": "2026-03-03"}, clock_at=LATER_AT)

    now = wanted(organisation_id)
    assert {day for day in now if now[day] > before[day]} == {day for day in now if day >= date(2026, 3, 3)}
    assert applied.days_due == 1


def test_a_refused_change_leaves_nothing_behind() -> None:
    organisation_id = company()
    apply_change(organisation_id, NOON, clock_at=LATER_AT)

    with pytest.raises(BadRule, match="same priority"):
        apply_change(organisation_id, {**NOON, "user": "", "team": "Vision"}, clock_at=LATER_AT)

    assert rules(organisation_id) == 1
    assert not Posting.objects.filter(organisation_id=organisation_id, team__name="Vision").exists()


def test_a_rule_gives_an_account_that_nobody_answers_for_to_a_team() -> None:
    organisation_id = company()
    collect(organisation_id, World(name="more").job("stray", start=16, end=17, account="contractors"), now_at=LATER_AT)
    attribute_due(organisation_id, now_at=LATER_AT)

    seen = preview(scope(), {**NOON, "account": "contractors", "user": "", "valid_from": "2026-03-01"})

    assert [(move.before, move.after, move.amounts.gpu_millis) for move in seen.moves] == [
        (("", ""), ("Science", "folding"), 3_600_000)
    ]
