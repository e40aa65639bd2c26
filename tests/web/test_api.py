from pathlib import Path

import pytest
from django.test import Client

pytestmark = pytest.mark.django_db

ROOT = Path(__file__).resolve().parents[2]
SCHEMA = ROOT / "docs" / "openapi.yaml"


def test_groups_sum_to_the_totals(demo_org: str, client: Client) -> None:
    answer = client.get("/api/v1/costs", {"org": demo_org, "group_by": "account,team"}).json()

    assert answer["simulated"] is True
    assert sum(int(row["exact"]["cost_microusd"]) for row in answer["data"]) == int(
        answer["totals"]["exact"]["cost_microusd"]
    )


def test_an_october_in_berlin_has_745_hours(demo_org: str, client: Client) -> None:
    answer = client.get(
        "/api/v1/costs", {"org": demo_org, "from": "2026-10-01", "to": "2026-11-01", "tz": "Europe/Berlin"}
    ).json()

    assert answer["period"] == {"from": "2026-09-30T22:00:00+00:00", "to": "2026-10-31T23:00:00+00:00", "hours": 745}


def test_pages_follow_each_other_without_gap_or_overlap(demo_org: str, client: Client) -> None:
    whole = client.get("/api/v1/costs", {"org": demo_org, "group_by": "day,team"}).json()["data"]
    url, pages = f"/api/v1/costs?org={demo_org}&group_by=day,team&limit=7", []

    while url:
        page = client.get(url).json()
        pages += page["data"]
        url = page["next"]

    assert pages == whole


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ("colour=red", "unknown parameter 'colour'"),
        ("group_by=colour", "cannot group or filter by 'colour'"),
        ("filter.colour=red", "cannot group or filter by 'colour'"),
        ("granularity=fortnight", "choose from none, hour, day, month"),
        ("tz=Mars/Olympus", "no IANA time zone"),
        ("tz=../../etc/passwd", "no IANA time zone"),
        ("from=yesterday", "from='yesterday' is no date"),
        ("from=2026-11-02&to=2026-11-01", "must lie before"),
        ("org=nobody", "no organisation 'nobody'; there are: demo"),
        ("limit=many", "must be a whole number"),
        ("limit=99999", "up to 1000"),
        ("filter.team=a%00b", "NUL"),
        ("org=a%00b", "NUL"),
        ("from=0001-01-01&tz=Asia/Tokyo", "is no date of ours"),
    ],
)
def test_a_query_that_cannot_be_understood_is_a_problem_that_says_why(
    demo_org: str, client: Client, query: str, said: str
) -> None:
    response = client.get(f"/api/v1/costs?{query}")

    assert response.status_code == 400
    assert response["Content-Type"] == "application/problem+json"
    problem = response.json()
    assert problem["status"] == 400
    assert problem["code"] == "bad_parameter"
    assert said in problem["detail"]


def test_the_api_only_reads(client: Client) -> None:
    assert client.post("/api/v1/costs").status_code == 405


def test_the_committed_schema_is_current(client: Client) -> None:
    current = client.get("/api/v1/schema").content.decode()

    assert SCHEMA.read_text() == current, "run `make openapi` and commit docs/openapi.yaml"


def test_the_documentation_is_served_from_here(client: Client) -> None:
    page = client.get("/api/v1/docs")

    assert page.status_code == 200
    assert "https://" not in page.content.decode().replace("https://aiobserve", "")


def test_health_says_whether_the_database_answers(client: Client) -> None:
    assert client.get("/livez").json() == {"status": "alive"}
    assert client.get("/readyz").json() == {"status": "ready"}
