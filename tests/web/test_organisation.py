"""Rules on the page and through the API: preview, apply, undo; refused in words; safe from forms of other sites."""

import re
from typing import Any

import pytest
from django.db.models import QuerySet
from django.test import Client

from aiobserve.store.models import OrganisationRule

pytestmark = pytest.mark.django_db

PERIOD = "from=2026-10-30&to=2026-11-06"
FORM = {
    "action": "add",
    "account": "speech",
    "team": "Vision",
    "project": "voice",
    "valid_from": "2026-11-01",
    "tz": "UTC",
}


def rules_of(slug: str) -> "QuerySet[OrganisationRule]":
    return OrganisationRule.objects.filter(organisation__slug=slug)


def test_the_page_previews_then_applies_then_undoes(demo_org: str, client: Client) -> None:
    url = f"/organisation?org={demo_org}&{PERIOD}"

    seen = client.post(url, {**FORM, "do": "preview"}).content.decode()

    assert not rules_of(demo_org).exists()
    assert "Speech / voice" in seen and "Vision / voice" in seen
    assert "Apply this change" in seen

    applied = client.post(url, {**FORM, "do": "apply"})

    assert applied.status_code == 302
    rule = rules_of(demo_org).get()
    page = client.get(applied["Location"]).content.decode()
    assert "days are due" in page and "account <strong>speech</strong>" in page
    client.post(url, {"action": "withdraw", "rule": str(rule.pk), "do": "apply"})
    assert rules_of(demo_org).get().withdrawn_at is not None
    assert "Preview restoring" in client.get(url).content.decode()


def test_the_api_previews_what_the_page_does(demo_org: str, client: Client) -> None:
    answer = client.post(
        f"/api/v1/organisation/preview?org={demo_org}&{PERIOD}", FORM, content_type="application/json"
    ).json()
    page = client.post(f"/organisation?org={demo_org}&{PERIOD}", {**FORM, "do": "preview"}).content.decode()

    (move,) = answer["moves"]
    assert (move["from_team"], move["to_team"]) == ("Speech", "Vision")
    assert f'data-exact="{move["amounts"]["cost_microusd"]}"' in page
    assert answer["total"]["before"] == answer["total"]["after"]
    assert sum(int(team["after"]["cost_microusd"]) for team in answer["teams"]) == int(
        answer["total"]["after"]["cost_microusd"]
    )


def test_a_form_that_is_wrong_says_which_field_and_keeps_what_was_typed(demo_org: str, client: Client) -> None:
    url = f"/organisation?org={demo_org}"
    answer = client.post(url, {**FORM, "team": "", "valid_from": "soon", "do": "apply"})

    page = answer.content.decode()
    assert answer.status_code == 400
    assert re.search(r'id="error-team">Team name the team', page)
    assert "write it as 2026-10-15" in page
    assert 'value="speech"' in page
    assert not rules_of(demo_org).exists()


def test_a_form_of_another_site_is_refused(demo_org: str) -> None:
    strict = Client(enforce_csrf_checks=True)

    assert strict.post(f"/organisation?org={demo_org}", {**FORM, "do": "apply"}).status_code == 403
    assert strict.post(f"/api/v1/organisation/changes?org={demo_org}", FORM).status_code == 415
    assert not rules_of(demo_org).exists()


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ({**FORM, "colour": "red"}, "unknown field 'colour'"),
        ({**FORM, "team": ["a"]}, "every field is a text"),
        ([], "send a JSON object"),
        ({"action": "withdraw", "rule": "77"}, "there is no rule"),
        ({**FORM, "valid_from": "2026-11-01T10:01"}, "quarter of an hour"),
    ],
)
def test_a_change_that_cannot_be_made_is_a_problem_that_says_why(
    demo_org: str, client: Client, body: Any, said: str
) -> None:
    for resource in ("preview", "changes"):
        answer = client.post(f"/api/v1/organisation/{resource}?org={demo_org}", body, content_type="application/json")
        assert answer.status_code == 400
        assert said in answer.json()["detail"]
    assert not rules_of(demo_org).exists()


def test_hostile_names_stay_text(demo_org: str, client: Client) -> None:
    hostile = {**FORM, "team": "<script>alert(1)</script>", "reason": '"><img src=x onerror=alert(1)>'}
    client.post(f"/organisation?org={demo_org}", {**hostile, "do": "apply"})

    page = client.get(f"/organisation?org={demo_org}").content.decode()

    assert "<script>alert" not in page and "<img src=x" not in page
