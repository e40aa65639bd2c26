from datetime import UTC, datetime

import pytest

from aiobserve.emails.message import message
from aiobserve.emails.weekly import Digest, change, weekly_digest
from aiobserve.reports.scope import resolve
from aiobserve.store.models import Job, Organisation, Team

pytestmark = pytest.mark.django_db

HOSTILE = '<script>alert(1)</script>\r\nBcc: all@example.com\u202e"&'


def digest_of(slug: str) -> Digest:
    return weekly_digest(resolve(clock_at=datetime(2026, 11, 24, tzinfo=UTC), organisation=slug))


def test_the_digest_is_marked_as_simulated(demo_org: str) -> None:
    digest = digest_of(demo_org)

    assert "SIMULATED COMPANY" in digest.text
    assert "SIMULATED COMPANY" in digest.html


def test_hostile_names_are_text_everywhere(demo_org: str) -> None:
    Organisation.objects.filter(slug=demo_org).update(name=HOSTILE)
    Team.objects.filter(organisation__slug=demo_org, name="Language").update(name=HOSTILE)
    Job.objects.filter(organisation__slug=demo_org, state="pending").update(name=HOSTILE[:200])

    digest = digest_of(demo_org)
    mail = message(digest, to="reader@example.com", list_id=demo_org)

    assert "<script>" not in digest.html
    assert "\n" not in digest.subject and "\r" not in digest.subject and "\u202e" not in digest.subject
    assert mail.message()["Bcc"] is None


def test_the_mail_says_that_it_is_automatic_and_keeps_its_id(demo_org: str) -> None:
    first, again = (message(digest_of(demo_org), to="reader@example.com", list_id=demo_org).message() for _ in range(2))

    assert first["Auto-Submitted"] == "auto-generated"
    assert first["Message-ID"] == again["Message-ID"]
    assert [part.get_content_type() for part in first.walk()] == ["multipart/alternative", "text/plain", "text/html"]


def test_the_html_fetches_nothing(demo_org: str) -> None:
    html = digest_of(demo_org).html

    assert "http://" not in html and "https://" not in html and "<img" not in html


@pytest.mark.parametrize(
    ("now", "then", "said"),
    [(110, 100, "up 10.0%"), (90, 100, "down 10.0%"), (5, 5, "unchanged"), (5, 0, "no week before to compare with")],
)
def test_a_change_is_said_in_words(now: int, then: int, said: str) -> None:
    assert change(now, then) == said
