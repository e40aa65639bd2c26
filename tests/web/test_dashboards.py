import pytest
from django.db import connection, transaction
from django.test import Client
from django.test.utils import CaptureQueriesContext

from aiobserve.store.write.organisation import ensure_organisation

pytestmark = pytest.mark.django_db


def test_an_empty_installation_says_what_to_do(client: Client) -> None:
    with transaction.atomic():
        # Inside this transaction the page must not find anybody: removing them is undone with the test.
        with connection.cursor() as cursor:
            cursor.execute("SET LOCAL session_replication_role = replica")
            cursor.execute("DELETE FROM organisation")
        page = client.get("/").content.decode()

    assert "Nothing here yet" in page
    assert "aiobserve demo" in page


def test_a_simulated_company_is_marked(demo_org: str, client: Client) -> None:
    assert "Simulated company." in client.get("/", {"org": demo_org}).content.decode()


def test_a_company_without_postings_is_told_so(demo_org: str, client: Client) -> None:
    ensure_organisation("fresh", name="Fresh")

    page = client.get("/", {"org": "fresh"}).content.decode()

    assert "Nothing was posted in this period" in page
    assert "Simulated company." not in page


@pytest.mark.parametrize("query", ["tz=Nowhere", "from=x", "org=nobody", "org=%00", "to=9999-12-31&tz=Asia/Tokyo"])
def test_a_query_that_cannot_be_understood_is_a_page_that_says_why(demo_org: str, client: Client, query: str) -> None:
    response = client.get(f"/?{query}")

    assert response.status_code == 400
    assert "That cannot be shown" in response.content.decode()


def test_the_page_asks_the_database_few_questions(demo_org: str, client: Client) -> None:
    with CaptureQueriesContext(connection) as asked:
        client.get("/", {"org": demo_org})

    assert len(asked) <= 26


def test_nothing_is_loaded_from_elsewhere(demo_org: str, client: Client) -> None:
    response = client.get("/", {"org": demo_org})

    assert "script-src 'self';" in response["Content-Security-Policy"]
    page = response.content.decode()
    assert "https://" not in page
    assert "<script>" not in page


def test_every_chart_has_a_table(demo_org: str, client: Client) -> None:
    page = client.get("/", {"org": demo_org}).content.decode()

    assert page.count("<table>") >= 5
    assert "moved" in page


def test_tokens_that_were_bought_stand_under_a_name_among_the_dearest_jobs(client: Client, demo_org: str) -> None:
    page = client.get("/", {"org": demo_org}).content.decode()

    dearest = page.split("Dearest jobs")[1]
    assert "no job: bought tokens" in dearest
    assert '<th scope="row"></th>' not in page
