"""What the commands share: words that stay whole, and a sign that something goes on."""

import io

import pytest
from rich.console import Console

from aiobserve.commands import terminal
from aiobserve.store.write.organisation import ensure_organisation
from tests.commands.conftest import Run


def test_a_spinner_shows_its_words_at_a_terminal_and_nothing_in_json(monkeypatch: pytest.MonkeyPatch) -> None:
    shown = {}
    for quiet in (False, True):
        screen = io.StringIO()
        monkeypatch.setattr(terminal, "console", Console(file=screen, force_terminal=True, width=60))
        with terminal.spinner("adding up", quiet=quiet):
            pass
        shown[quiet] = screen.getvalue()

    assert "adding up" in shown[False]
    assert shown[True] == ""


def test_the_check_of_the_ledger_shows_that_it_is_at_work(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    ensure_organisation("world", name="World")
    shown = {}
    for words in ((), ("--json",)):
        screen = io.StringIO()
        monkeypatch.setattr(terminal, "console", Console(file=screen, force_terminal=True, width=60))
        run("ledger", "check", "--org", "world", *words)
        shown[words] = screen.getvalue()

    assert "adding up every window" in shown[()]
    assert shown[("--json",)] == ""
