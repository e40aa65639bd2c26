"""The table of `make bench` is readable: every name whole, every figure with its meaning."""

import io

import pytest
from rich.console import Console

from tests.benchmarks.figures import MEANINGS, NoMeaning, table


def test_every_name_and_meaning_is_whole_in_eighty_columns() -> None:
    screen = io.StringIO()

    Console(file=screen, width=80).print(table(dict.fromkeys(MEANINGS, 1234.5678)))

    printed = screen.getvalue()
    assert all(name in printed for name in MEANINGS)
    assert "…" not in printed
    assert printed.count("1234.568") == len(MEANINGS)


def test_a_figure_without_a_meaning_is_not_printed() -> None:
    with pytest.raises(NoMeaning, match="speed"):
        table({"speed": 1.0})
