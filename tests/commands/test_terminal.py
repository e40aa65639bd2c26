"""What the commands share: words that stay whole, and a sign that something goes on."""

import io

import pytest
from rich.console import Console

from aiobserve.commands import terminal


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
