"""Runs a command inside the test's own transaction, as a person types it."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from click.testing import CliRunner, Result

from aiobserve.cli import main

Run = Callable[..., Result]


@pytest.fixture
def run(db: None, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Return a function that runs `aiobserve` with words; the database is the test's."""
    # With an address of the site's own no embedded server is started; the connection is the test's already.
    monkeypatch.setenv("DATABASE_URL", "postgresql://the.test/database")

    def command(*words: str) -> Result:
        result = CliRunner().invoke(main, list(words))
        if result.exception is not None and not isinstance(result.exception, SystemExit):
            raise result.exception
        return result

    return command


def answered(result: Result) -> Any:
    """Return the JSON that a command printed on stdout."""
    return json.loads(result.stdout)
