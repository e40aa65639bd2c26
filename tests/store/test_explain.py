"""From a figure down to the samples: every number that is printed is the ledger's, and the formulas give what they say."""

from dataclasses import replace
from datetime import date, timedelta

import pytest

from aiobserve.pipeline.collect import collect
from aiobserve.pipeline.sweep import attribute_due
from aiobserve.reports.explain import FIGURES, Explanation, Question, explain
from aiobserve.reports.reckoning import reckon, terms
from aiobserve.reports.scope import BadScope, Scope, organisation_of
from aiobserve.reports.spend import spend
from aiobserve.store.models import Device, Job, Posting
from aiobserve.store.read import fleet
from aiobserve.store.write.organisation import ensure_organisation
from tests.worlds import World, at

pytestmark = pytest.mark.django_db


def scope() -> Scope:
    return Scope(organisation_of("world"), date(2026, 3, 2), date(2026, 3, 3), "UTC")


@pytest.fixture
def company() -> int:
    """One GPU at 100 W from one to three; half of it is NLP's all the time, the other half stray's until two."""
    organisation_id = ensure_organisation("world", name="World")
    world = (
        World()
        .job("train", start=1, end=3, share_millis=500)
        .job("stray", start=1, end=2, share_millis=500, account="contractors")
        .power("busy_gpu", watts=100, start=0, end=25)
        .power("idle_gpu", watts=20, start=0, end=25)
    )
    collect(organisation_id, world, now_at=at(100))
    attribute_due(organisation_id, now_at=at(100))
    return organisation_id


def text(found: Explanation) -> str:
    return "\n".join(found.lines)


def test_the_filled_in_formula_of_a_simple_window_gives_the_posted_amount_exactly(company: int) -> None:
    site = fleet.sites(company)[0]
    found = reckon(site, at(2.25), reserver_named=False)
    assert found is not None
    mine, _ = found.matching({"job": ["train"]})
    (row,) = (row for _, row in mine.iterrows())

    filled = {term.measure: term for term in terms(row)}

    # A quarter of an hour at 2 USD is half a dollar, at 100 W it is 25 Wh: half of the GPU is NLP's, what is above idle too.
    assert filled["capacity_microusd"].driver * filled["capacity_microusd"].factor * 1_000_000 / 3_600_000 == 500_000
    assert (filled["capacity_microusd"].total, filled["capacity_microusd"].part) == (500_000, 250_000)
    assert filled["electricity_microusd"].total == 90_000_000 * 100 / 3.6e12 * 1e6
    posted = Posting.objects.get(organisation_id=company, job__key="train", window_start_at=at(2.25))
    for term in filled.values():
        assert term.holds()
        assert term.total * term.weight == term.part * term.weights
        # The list price is posted together with the electricity.
        listed = posted.list_microusd - posted.electricity_microusd
        assert term.part == (listed if term.measure == "list_capacity_microusd" else getattr(posted, term.measure))
    assert row["energy_millij"] == posted.energy_millij


def test_each_figure_is_the_sum_of_its_postings_and_comes_out_the_same_when_worked_out_again(company: int) -> None:
    total = spend(scope(), group_by=()).total

    for figure, columns in FIGURES.items():
        found = explain(Question(scope(), {}, figure))
        assert found.exact == found.posted == sum(getattr(total, name) for name in columns)
        if found.exact:
            assert found.reckoned is not None, figure
            assert found.reckoned[0] == found.reckoned[1], figure
            assert f"exactly {found.exact:,}" in text(found)
            assert "the same, to the unit" in text(found)


CELLS: list[dict[str, list[str]]] = [
    {"team": ["NLP"]},
    {"job": ["stray"]},
    {"account": ["idle"]},
    {"account": ["overhead"]},
    {"account": ["unattributed"]},
    {"component": ["facility"]},
    {"model": ["llm-7b"], "team": [""]},
    {"workload_type": ["training"]},
]


def test_every_window_of_a_cell_comes_out_the_same_when_worked_out_again(company: int) -> None:
    for filters in CELLS:
        worked_out = 0
        for quarter in (3, 4, 7, 8, 11, 12):
            try:
                found = explain(Question(scope(), filters, window_at=at(quarter / 4)))
            except BadScope:
                continue
            assert found.reckoned is not None and found.reckoned[0] == found.reckoned[1] > 0, filters
            worked_out += 1
        assert worked_out, filters


SAID = """
cost of job train
train (train), attempt 1, completed
8 postings in 8 windows
1 devices held by 1 jobs, 1 intervals
A100 busy_gpu in node-1 at lab
rows of telemetry
A100 2 USD/GPU-h, without electricity
source contract
electricity_usd_per_mwh of Z: 1 steps, 100 to 100
pue_ratio of lab
450,000 of 900,000 GPU-ms offered
900,000 GPU-ms x 2 USD/GPU-h x 1,000,000 / 3,600,000 = 500,000 microusd; x 450,000 / 900,000
90,000,000 mJ x 100 USD/MWh
Samples of busy_gpu
45 samples from 2026-03-02 01:45:00
power 100 W
"""


def test_the_text_leads_to_postings_inputs_prices_and_samples(company: int) -> None:
    said = text(explain(replace(Question(scope(), {"job": ["train"]}), window_at=at(2), device="busy_gpu")))

    postings = Posting.objects.filter(organisation_id=company, job__key="train")
    posted = postings.order_by("window_start_at").first()
    assert posted is not None
    assert f"(postings {posted.pk}; batch {posted.batch_id})" in said
    for words in SAID.strip().splitlines():
        assert words in said, words


def test_a_changed_input_is_said_to_differ_from_what_was_posted(company: int) -> None:
    Device.objects.filter(node__site__organisation_id=company, uid="busy_gpu").update(idle_w=50.0)
    collect(company, World(name="again", usd_per_mwh=200.0), now_at=at(100))

    found = explain(Question(scope(), {"job": ["train"]}))

    assert found.reckoned is not None and found.reckoned[0] != found.reckoned[1]
    assert "inputs changed since" in text(found)


REFUSED: list[tuple[dict[str, object], str]] = [
    ({"figure": "happiness"}, "choose from cost"),
    ({"filters": {"job": ["nobody"]}}, "no job 'nobody'"),
    ({"window_at": at(1) + timedelta(minutes=7)}, "quarter of an hour"),
    ({"window_at": at(400)}, "nothing was posted for this figure in the window"),
    ({"device": "none_such"}, "no device 'none_such'"),
]


def test_what_is_not_known_is_refused_in_words(company: int) -> None:
    for question, said in REFUSED:
        with pytest.raises(BadScope, match=said):
            explain(replace(Question(scope()), **question))  # type: ignore[arg-type]


def test_a_job_that_waits_belongs_to_the_team_of_its_account_and_a_strange_account_to_nobody(company: int) -> None:
    Job.objects.filter(organisation_id=company).update(started_at=None, ended_at=None, state="pending")

    waits = text(explain(Question(scope(), {"job": ["train"]})))
    stray = text(explain(Question(scope(), {"job": ["stray"]})))

    assert "-> team NLP, project" in waits and "started not yet" in waits
    assert "account contractors -> nobody: unattributed" in stray
