"""The Models page: the report's figures, safe and readable without a script."""

from datetime import UTC, datetime

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from aiobserve.reports.scope import resolve
from aiobserve.reports.units import unit_costs
from aiobserve.store.models import AiModel
from aiobserve.store.write.organisation import ensure_organisation

pytestmark = pytest.mark.django_db

WEEK = {"from": "2026-10-30", "to": "2026-11-06"}


def test_the_page_shows_what_the_report_says(demo_org: str, client: Client) -> None:
    scope = resolve(
        clock_at=datetime(2026, 11, 24, tzinfo=UTC), organisation=demo_org, first_day=WEEK["from"], end_day=WEEK["to"]
    )
    found = unit_costs(scope)

    page = client.get("/models", {"org": demo_org, **WEEK}).content.decode()

    assert f'data-exact="{found.total.total.cost_microusd}"' in page
    for row in found.rows:
        assert row.keys["model"] in page
        assert f"${row.output.usd_per_million:,.4f}" in page
    assert "Simulated company." in page


def test_both_pages_lead_to_each_other(demo_org: str, client: Client) -> None:
    overview, models = (client.get(path, {"org": demo_org}).content.decode() for path in ("/", "/models"))

    here = f"?org={demo_org}"
    assert f'<a href="/models{here}">Models</a>' in overview and f'<a href="/{here}" aria-current="page">' in overview
    assert f'<a href="/{here}">Overview</a>' in models and f'<a href="/models{here}" aria-current="page">' in models


def test_a_company_without_tokens_is_told_so(demo_org: str, client: Client) -> None:
    ensure_organisation("fresh", name="Fresh")

    assert "No token was served or bought" in client.get("/models", {"org": "fresh"}).content.decode()


def test_a_hostile_name_of_a_model_is_text(demo_org: str, client: Client) -> None:
    AiModel.objects.filter(organisation__slug=demo_org, name="chat-70b").update(name="<script>alert(1)</script>&")

    page = client.get("/models", {"org": demo_org, **WEEK}).content.decode()

    assert "<script>alert" not in page
    assert "&lt;script&gt;alert(1)" in page


def test_the_page_asks_few_questions_and_loads_nothing_from_elsewhere(demo_org: str, client: Client) -> None:
    with CaptureQueriesContext(connection) as asked:
        page = client.get("/models", {"org": demo_org, **WEEK}).content.decode()

    assert len(asked) <= 6
    assert "https://" not in page and "<script>" not in page
    assert page.count("<table>") >= 4


def test_a_query_that_cannot_be_understood_is_a_page_that_says_why(demo_org: str, client: Client) -> None:
    response = client.get("/models?tz=Nowhere")

    assert response.status_code == 400
    assert "That cannot be shown" in response.content.decode()
