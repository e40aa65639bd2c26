"""The lines of every figure's formula sum to the amount that was posted: nothing is left out, nothing is of another figure."""

import re
from datetime import date

import pytest

from aiobserve.domain.account import MEASURES
from aiobserve.pipeline.collect import collect
from aiobserve.pipeline.sweep import attribute_due
from aiobserve.reports.explain import FIGURES, Explanation, Question, explain
from aiobserve.reports.reckoning import FORMULAS, reckon
from aiobserve.reports.scope import BadScope, Scope, organisation_of
from aiobserve.store.models import Device, Posting, TokenShare
from aiobserve.store.read import fleet
from aiobserve.store.write.organisation import ensure_organisation
from tests.store.test_tokens import TokenWorld, world
from tests.worlds import at

pytestmark = pytest.mark.django_db

ENDS_IN = re.compile(r" = (-?[\d,]+) (?:microusd|millij|microg|microl|millis)$")


@pytest.fixture
def company() -> int:
    """A server of NLP's from one to two o'clock whose tenants are all three teams, and tokens that Search and a stranger bought."""
    organisation_id = ensure_organisation("world", name="World")
    made: TokenWorld = world()
    made.reading(0.9, 0).reading(1.25, 600, seconds=600).reading(1.5, 1200, seconds=1200).reading(
        2.1, 1400, seconds=1400
    )
    made.use("nlp", start=1, end=1.5, job="server", output=400).use(
        "search", start=1, end=1.5, job="server", output=500
    )
    made.use("vision", start=1, end=1.5, job="server", output=299, input=7, cached_read=3)
    for kind, usd in (("input", 3), ("cached_read", 0.3), ("output", 15.7)):
        made.price(kind, usd, listed=usd * 2)
    for nth, account in enumerate(("search", "strangers", "search")):
        made.use(
            account, start=1 + nth, end=1.2 + nth, model="frontier", input=1001, cached_read=7, output=333, reasoning=5
        )
    collect(organisation_id, made, now_at=at(100))
    attribute_due(organisation_id, now_at=at(100))
    return organisation_id


def scope(slug: str = "world") -> Scope:
    return Scope(organisation_of(slug), date(2026, 3, 2), date(2026, 3, 3), "UTC")


def formula(found: Explanation) -> tuple[str, ...]:
    (section,) = (one for one in found.sections if one.title.startswith("Formula"))
    return section.lines


def amounts(lines: tuple[str, ...]) -> list[int]:
    return [int(hit.group(1).replace(",", "")) for line in lines if (hit := ENDS_IN.search(line))]


def posted_in(found: Explanation, filters: dict[str, list[str]]) -> int:
    """Return what the ledger has for the chosen window, read from the ledger alone."""
    rows = ledger_rows(found.question.scope, found, filters)
    return sum(rows)


def ledger_rows(where: Scope, found: Explanation, filters: dict[str, list[str]]) -> list[int]:
    title = next(one.title for one in found.sections if one.title.startswith("Formula"))
    assert found.window_at is not None
    mine = Posting.objects.filter(
        organisation_id=where.organisation.pk, window_start_at=found.window_at, site__name=title.rsplit(" at ", 1)[1]
    ).exclude(account=0)
    if "team" in filters:
        mine = mine.filter(team__name__in=filters["team"])
    return [sum(getattr(one, name) for name in FIGURES[found.question.figure]) for one in mine]


CELLS: list[dict[str, list[str]]] = [
    {}, {"team": ["NLP"]}, {"team": ["Search"]}, {"team": ["Vision"]}, {"account": ["overhead"]}, {"account": ["idle"]},
    {"account": ["unattributed"]}, {"component": ["api"]}, {"component": ["gpu"]}, {"site": ["example"]}, {"job": ["server"]},
]  # fmt: skip


def test_the_lines_of_every_figure_sum_to_the_posted_amount_with_nothing_left_over(company: int) -> None:
    seen = set()
    for figure in FIGURES:
        for filters in CELLS:
            found = explain(Question(scope(), filters, figure))
            if not found.exact:
                continue
            lines = formula(found)
            assert found.reckoned is not None, (figure, filters, lines)
            assert sum(amounts(lines)) == found.reckoned[0] == found.reckoned[1], (figure, filters, lines)
            assert not any("remainder, as" in line for line in lines), (figure, filters, lines)
            if set(filters) <= {"team"}:
                assert sum(amounts(lines)) == posted_in(found, filters), (figure, filters)
            seen.add(figure)
    # What this world has none of is looked at in the demo.
    assert seen >= set(FIGURES) - {"embodied", "water"}


def test_every_figure_of_the_demo_sums_from_its_lines(demo_org: str) -> None:
    where = Scope(organisation_of(demo_org), date(2026, 10, 30), date(2026, 11, 6), "UTC")
    for figure in FIGURES:
        for filters in ({}, {"account": ["overhead"]}, {"team": ["Vision"]}, {"team": ["Assistant"]}):
            found = explain(Question(where, filters, figure))
            if not found.exact:
                assert filters, f"{figure} of everything is nought: nothing is tested"
                continue
            lines = formula(found)
            assert found.reckoned is not None, (figure, filters, lines)
            assert sum(amounts(lines)) == found.reckoned[0] == found.reckoned[1], (figure, filters, lines[-12:])
            assert "the same, to the unit" in lines[-1], (figure, filters, lines[-3:])
            assert found.reckoned[1] == posted_in(found, filters) or "account" in filters, (figure, filters)


def test_a_figure_whose_formula_is_missing_does_not_sum(company: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(FORMULAS, "list_capacity_microusd")

    found = explain(Question(scope(), {"component": ["gpu"]}, "list"))

    assert sum(amounts(formula(found))) != posted_in(found, {})


def test_a_tenant_of_a_model_server_is_shown_what_it_bore_and_its_owner_what_it_gave(company: int) -> None:
    bore = "\n".join(formula(explain(Question(scope(), {"team": ["Vision"]}, window_at=at(1)))))
    gave = "\n".join(formula(explain(Question(scope(), {"team": ["NLP"]}, window_at=at(1)))))

    assert "model server server, gpu: borne by Vision / chat as tenant" in bore
    assert "given by NLP / chat to tenants" in gave
    assert "inputs changed" not in bore + gave


def test_moves_of_a_window_sum_to_nought_on_every_measure(company: int) -> None:
    site = next(one for one in fleet.sites(company) if one.name == "lab")
    found = reckon(site, at(1), reserver_named=False)

    assert found is not None and len(found.moves) >= 3
    assert (found.moves[list(MEASURES)].sum() == 0).all()


def test_tokens_bought_are_explained_by_kind_and_price(company: int) -> None:
    lines = "\n".join(formula(explain(Question(scope(), {"team": ["Search"]}, "api", window_at=at(1)))))

    # 1,001 x 3 = 3,003; 333 x 15.7 = 5,228.1; reasoning is billed as output; cached 7 x 0.3 = 2.1.
    assert "Search, frontier: 1,001 input tokens x 3 USD a million -> 3,003.000000, rounded = 3,003 microusd" in lines
    assert "333 output tokens x 15.7 USD a million -> 5,228.100000" in lines
    assert "7 cached_read tokens x 0.3 USD a million -> 2.100000" in lines
    assert "5 reasoning tokens x 15.7 USD a million" in lines
    assert "largest remainder over the whole day" in lines


def test_only_what_is_left_is_called_changed_inputs(company: int) -> None:
    Device.objects.filter(node__site__organisation_id=company).update(idle_w=99.0)
    TokenShare.objects.filter(organisation_id=company, job__isnull=True).delete()

    energy, bought = (explain(Question(scope(), {}, figure)) for figure in ("energy", "api"))

    assert "comes neither from a device nor from tokens" in formula(bought)[-1]
    assert sum(amounts(formula(bought))) == posted_in(bought, {})
    assert sum(amounts(formula(energy))) == posted_in(energy, {})
    assert "remainder, as inputs changed since it was posted = " in formula(energy)[-2]


def test_every_window_of_the_server_comes_out(company: int) -> None:
    tried = 0
    for quarter in range(4, 13):
        for figure in ("cost", "energy_error", "carbon_market", "list"):
            try:
                found = explain(Question(scope(), {"team": ["Vision"]}, figure, window_at=at(quarter / 4)))
            except BadScope:
                continue
            assert found.reckoned is not None and found.reckoned[0] == found.reckoned[1] == sum(amounts(formula(found)))
            tried += 1
    assert tried >= 4
