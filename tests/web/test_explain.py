"""Every figure leads to its explanation, and API and page explain in the same words."""

import html
import re

import pytest
from django.test import Client

from aiobserve.store.models import Job

pytestmark = pytest.mark.django_db

WEEK = {"from": "2026-10-30", "to": "2026-11-06"}


def test_every_figure_of_the_overview_leads_to_an_explanation_of_the_same_amount(demo_org: str, client: Client) -> None:
    page = client.get("/", {"org": demo_org, **WEEK}).content.decode()
    figures = re.findall(r'data-exact="(-?\d+)">(?:<[^>]*>)*?<a href="(/explain[^"]*)"', page)
    tiles = re.findall(r'data-exact="(-?\d+)">\s*<h2>[^<]*</h2><p class="value"><a href="(/explain[^"]*)"', page)

    assert len(figures) > 15 and len(tiles) == 4
    for exact, url in [*tiles, *figures[:4], figures[-1]]:
        answer = client.get(html.unescape(url))
        assert answer.status_code == 200, url
        assert f'data-exact="{exact}"' in answer.content.decode(), url


def test_a_shared_figure_leads_to_an_explanation_of_the_same_amount(demo_org: str, client: Client) -> None:
    page = client.get("/", {"org": demo_org, **WEEK, "idle": "by_use", "overhead": "shared"}).content.decode()
    exact, url = re.findall(r'data-exact="(-?\d+)"><a href="(/explain[^"]*team[^"]*)"', page)[0]

    said = client.get(html.unescape(url)).content.decode()

    assert f'data-exact="{exact}"' in said
    assert "of it from idle" in said


def test_api_and_page_explain_in_the_same_words(demo_org: str, client: Client) -> None:
    query = {"org": demo_org, **WEEK, "filter.team": "Language", "figure": "energy"}

    answer = client.get("/api/v1/explain", query).json()
    page = html.unescape(client.get("/explain", query).content.decode())

    assert answer["exact"] == answer["posted"]
    assert answer["reckoned"] == answer["reckoned_posted"]
    for section in answer["sections"]:
        for line in section["lines"]:
            assert line in answer["text"]
            assert line in page


def test_the_samples_of_a_device_are_listed_on_demand(demo_org: str, client: Client) -> None:
    job = Job.objects.filter(organisation__slug=demo_org, workload_type="training", state="completed").latest(
        "ended_at"
    )
    query = {"org": demo_org, **WEEK, "filter.job": job.key}
    inputs = client.get("/api/v1/explain", query).json()
    uid = re.search(r"GPU-[0-9a-f-]{36}", inputs["text"])
    assert uid is not None

    said = client.get("/api/v1/explain", {**query, "device": uid.group(), "window": inputs["window"]}).json()["text"]

    assert "longest silence" in said and "counter" in said


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ("figure=joy", "choose from cost"),
        ("filter.colour=red", "cannot filter by"),
        ("window=noon", "is no instant"),
        ("filter.job=nobody", "no job"),
        ("window=2026-11-01T00:07Z", "quarter of an hour"),
    ],
)
def test_what_cannot_be_explained_is_refused_in_words(demo_org: str, client: Client, query: str, said: str) -> None:
    problem = client.get(f"/api/v1/explain?{query}")

    assert problem.status_code == 400 and said in problem.json()["detail"]
    assert client.get(f"/explain?{query}").status_code == 400


def test_hostile_names_stay_text(demo_org: str, client: Client) -> None:
    job = Job.objects.filter(organisation__slug=demo_org, state="completed").first()
    assert job is not None
    Job.objects.filter(pk=job.pk).update(name="<script>alert(1)</script>")

    page = client.get("/explain", {"org": demo_org, **WEEK, "filter.job": job.key}).content.decode()

    assert "<script>alert" not in page
