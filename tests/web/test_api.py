from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import ZoneInfo, available_timezones

import pytest
from django.db import connection
from django.test import Client

from aiobserve.reports.scope import BadScope, resolve

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
        ("tz=localtime", "no IANA time zone"),
        ("tz=posixrules", "no IANA time zone"),
        ("tz=Factory", "no IANA time zone"),
        ("tz=posix/Europe/Berlin", "no IANA time zone"),
        ("tz=europe/berlin", "no IANA time zone"),
        ("tz=%2B05:30", "no IANA time zone"),
        ("tz=CET", "no IANA time zone"),
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


def test_every_zone_that_is_taken_means_the_same_to_python_and_the_database(demo_org: str) -> None:
    at = datetime(2026, 7, 1, 12, tzinfo=UTC)
    taken = []
    for name in sorted(available_timezones() | {"localtime", "posixrules"}):
        with suppress(BadScope):
            taken.append(resolve(clock_at=at, organisation=demo_org, timezone=name).timezone)

    with connection.cursor() as cursor:
        cursor.execute("SELECT name, %s AT TIME ZONE name FROM unnest(%s::text[]) AS name", [at, taken])
        there = dict(cursor.fetchall())

    assert len(taken) > 400
    assert {"UTC", "Europe/Berlin", "Asia/Kathmandu", "America/New_York"} <= set(taken)
    assert there == {name: at.astimezone(ZoneInfo(name)).replace(tzinfo=None) for name in taken}


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
