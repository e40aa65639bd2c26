"""Finance on page, API, command line and mail: the same figures to the microdollar."""

import json
from datetime import UTC, datetime
from typing import Any

import pytest
from django.test import Client

from aiobserve.emails.weekly import weekly_digest
from aiobserve.reports.budgets import standings
from aiobserve.reports.forecast import month_forecast
from aiobserve.reports.reconciliation import reconciliation
from aiobserve.reports.scope import Scope, resolve
from dashboards import formats

pytestmark = pytest.mark.django_db

CLOCK_AT = datetime(2026, 11, 24, tzinfo=UTC)
USD = 1_000_000
DATES = {"from": "2026-10-01", "to": "2026-11-06"}


def scope_of(slug: str) -> Scope:
    return resolve(clock_at=CLOCK_AT, organisation=slug, first_day=DATES["from"], end_day=DATES["to"])


def get(client: Client, path: str, **query: str) -> Any:
    response = client.get(f"/api/v1/{path}", query)
    assert response.status_code == 200, response.content
    return response.json()


def test_the_bill_is_the_same_on_page_api_and_mail(finance_org: str, client: Client) -> None:
    found = reconciliation(scope_of(finance_org))
    whole = found.found
    assert whole is not None and whole.unexplained_microusd == 250 * USD

    page = client.get("/finance", {"org": finance_org, **DATES}).content.decode()
    overview = client.get("/", {"org": finance_org, **DATES}).content.decode()
    answer = get(client, "reconciliation", org=finance_org, **DATES)
    costs = get(client, "costs", org=finance_org, **DATES)

    for text in (page, overview):
        assert f'data-measure="unexplained" data-exact="{whole.unexplained_microusd}"' in text
    assert f'data-measure="billed" data-exact="{whole.billed_microusd}"' in page
    assert found.sentence in overview
    assert answer["bill"]["microusd"] == str(whole.billed_microusd)
    assert (
        answer["unexplained"]["microusd"] == costs["bill"]["unexplained"]["microusd"] == str(whole.unexplained_microusd)
    )
    assert sum(int(line["unexplained"]["microusd"]) for line in answer["lines"]) == whole.unexplained_microusd
    for line in answer["lines"]:
        explained = sum(int(amount["microusd"]) for amount in line["explained"].values())
        assert int(line["billed"]["microusd"]) == int(line["ledger"]["microusd"]) + explained + int(
            line["unexplained"]["microusd"]
        )
    digest = weekly_digest(scope_of(finance_org))
    week = reconciliation(
        resolve(clock_at=CLOCK_AT, organisation=finance_org, first_day="2026-10-30", end_day="2026-11-06")
    )
    assert week.sentence in digest.html
    assert week.sentence in " ".join(digest.text.split())
    assert max(map(len, digest.text.splitlines())) <= 72


def test_an_organisation_without_a_bill_is_told_how_to_bring_one_in(demo_org: str, client: Client) -> None:
    page = client.get("/finance", {"org": demo_org}).content.decode()

    assert "No bill touches these days" in page
    assert "No budget holds" in page
    assert get(client, "reconciliation", org=demo_org)["bill"] is None
    assert get(client, "costs", org=demo_org)["bill"] is None


def test_budgets_and_the_month_are_the_same_on_page_and_api(finance_org: str, client: Client) -> None:
    month = month_forecast(scope_of(finance_org))
    assert month is not None
    page = client.get("/finance", {"org": finance_org, **DATES}).content.decode()

    budgets = get(client, "budgets", org=finance_org)["data"]
    forecast = get(client, "forecasts", org=finance_org)

    assert forecast["expected"] == str(month.expected)
    assert f'data-measure="month-expected" data-exact="{month.expected}"' in page
    assert formats.money(month.expected) in page
    held = standings(scope_of(finance_org).organisation)
    assert [(one["name"], one["spent"], one["state"]) for one in budgets] == [
        (one.budget.name, str(one.spent), one.state.value) for one in held
    ]
    assert page.count('class="budget"') == len(held) == 4
    assert 'data-state="over"' in page


def test_a_forecast_names_whose_it_is(finance_org: str, client: Client) -> None:
    whole, team = (
        get(client, "forecasts", org=finance_org, **of) for of in ({}, {"by": "team", "subject": "Language"})
    )

    assert (whole["by"], whole["subject"]) == ("whole", "")
    assert (team["by"], team["subject"]) == ("team", "Language")
    assert 0 < int(team["spent"]) < int(whole["spent"])


def test_anomalies_of_the_api_are_those_of_the_page(finance_org: str, client: Client) -> None:
    answer = get(client, "anomalies", org=finance_org, **DATES)
    page = client.get("/finance", {"org": finance_org, **DATES}).content.decode()

    first = answer["data"][0]
    assert first["words"] in page
    assert sum(int(part["microusd"]) for part in first["parts"].values()) == int(first["change"]["microusd"])


def test_the_page_works_without_script_and_loads_nothing_from_elsewhere(finance_org: str, client: Client) -> None:
    response = client.get("/finance", {"org": finance_org, **DATES})

    page = response.content.decode()
    assert "script-src 'self';" in response["Content-Security-Policy"]
    assert "<script>" not in page and "https://" not in page
    assert page.count("<table") == 4
    assert '<a href="/finance?org=demo-finance" aria-current="page">Finance</a>' in page


@pytest.mark.parametrize("query", ["tz=Nowhere", "from=x", "org=nobody", "org=%00"])
def test_a_page_that_cannot_be_shown_says_why(finance_org: str, client: Client, query: str) -> None:
    assert client.get(f"/finance?{query}").status_code == 400


def post(client: Client, org: str, **body: Any) -> Any:
    return client.post(f"/api/v1/budgets?org={org}", json.dumps(body), content_type="application/json")


def test_a_budget_is_set_listed_asked_and_removed(finance_org: str, client: Client) -> None:
    made = post(
        client, finance_org, name="<b>NLP & co</b>", scope="team", subject="Language", amount=10 * USD, hard=True
    )
    again = post(
        client, finance_org, name="<b>NLP & co</b>", scope="team", subject="Language", amount=11 * USD, hard=True
    )
    page = client.get("/finance", {"org": finance_org, **DATES}).content.decode()
    asked = get(client, "budgets/may-start", org=finance_org, team="Language", expected="1")
    listed = [one["name"] for one in get(client, "budgets", org=finance_org)["data"]]

    removed = client.delete(f"/api/v1/budgets/%3Cb%3ENLP%20&%20co%3C%2Fb%3E?org={finance_org}")

    assert (made.status_code, again.status_code) == (201, 200)
    assert again.json()["amount"] == str(11 * USD)
    assert "<b>NLP" not in page and "&lt;b&gt;NLP" in page
    assert asked["allowed"] is False and asked["words"].startswith("no: ")
    assert "<b>NLP & co</b>" in listed
    assert removed.status_code == 204


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ({"name": "b"}, "amount"),
        ({"name": "b", "amount": 0}, "amount"),
        ({"name": "b", "amount": 10**30}, "amount"),
        ({"name": "b", "amount": 1, "scope": "team"}, "name a team"),
        ({"name": "b", "amount": 1, "window": "custom"}, "needs its last day"),
        ({"name": "b", "amount": 1, "timezone": "Mars/Base"}, "no IANA time zone"),
        ({"name": "b", "amount": 1, "colour": "red"}, "unknown field 'colour'"),
        ({"name": "b", "amount": 1, "thresholds": [80, 50]}, "ascending"),
        ({"name": "b", "amount": 1, "valid_from": "2026-02-01", "valid_to": "2026-01-01"}, "must lie after"),
        ([1], "Invalid data"),
    ],
)
def test_a_budget_that_makes_no_sense_is_a_problem_that_says_why(
    finance_org: str, client: Client, body: Any, said: str
) -> None:
    response = client.post(f"/api/v1/budgets?org={finance_org}", json.dumps(body), content_type="application/json")

    assert response.status_code == 400
    assert response["Content-Type"] == "application/problem+json"
    assert said in response.json()["detail"]


def test_only_json_writes(finance_org: str, client: Client) -> None:
    form = client.post(f"/api/v1/budgets?org={finance_org}", {"name": "b", "amount": "1"})

    assert form.status_code == 415


@pytest.mark.parametrize(
    ("path", "said"),
    [
        ("reconciliation?colour=red", "unknown parameter 'colour'"),
        ("anomalies?from=yesterday", "is no date"),
        ("forecasts?measure=water", "choose from cost"),
        ("forecasts?by=team&subject=Nobody", "nothing was ever posted"),
        ("forecasts?by=team&subject=", "by=team needs a subject, the name of one team; there are: "),
        ("forecasts?by=team&subject=langauge", "'langauge'; there are: Language, "),
        ("forecasts?subject=Language", "subject='Language' needs by=team, project or model"),
        ("budgets/may-start?expected=1&team=langauge", "no team 'langauge'; there are: Language, "),
        ("explain?filter.team=langauge", "no team 'langauge'; there are: Language, "),
        ("budgets?org=nobody", "no organisation"),
        ("budgets/may-start?expected=many", "must be a whole number"),
        ("budgets/may-start?expected=1&measure=water", "choose from"),
    ],
)
def test_a_query_that_cannot_be_understood_says_why(finance_org: str, client: Client, path: str, said: str) -> None:
    chosen = "" if "org=" in path else f"&org={finance_org}"
    response = client.get(f"/api/v1/{path}{chosen}")

    assert response.status_code == 400
    assert said in response.json()["detail"]
