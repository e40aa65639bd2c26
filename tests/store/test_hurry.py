"""Commits that do not wait for the disk wait again afterwards."""

import pytest
from django.db import connection

from aiobserve.store.hurry import not_waiting_for_the_disk

pytestmark = pytest.mark.django_db


def setting() -> str:
    with connection.cursor() as cursor:
        cursor.execute("SHOW synchronous_commit")
        return str((cursor.fetchone() or ("",))[0])


def test_commits_wait_again_afterwards() -> None:
    before = setting()
    with not_waiting_for_the_disk():
        assert setting() == "off"

    assert (setting(), before) == ("on", "on")
