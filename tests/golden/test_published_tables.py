"""Published scheduling tables, recomputed by the commands that others run, against what their authors printed."""

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from aiobserve.cli import main

Rows = dict[str, dict[str, Any]]

DEFERRAL = {1: 15.5897, 6: 12.6326, 12: 8.5339, 24: 3.6094, 48: 2.3452, 96: 1.3442, 168: 0.7845}
INTERRUPTION = {1: 0.0, 6: 0.8104, 12: 2.6863, 24: 4.9996, 48: 3.6441, 96: 2.6091, 168: 1.9274}


def rows_of(name: str, *words: str | Path) -> Rows:
    result = CliRunner().invoke(main, ["replay", "table", name, *map(str, words), "--json"])
    assert result.exit_code == 0, result.stderr
    told = json.loads(result.stdout)
    assert told["table"] == name
    return {row["row"]: row for row in told["rows"]}


def test_the_limits_of_shifting_are_those_of_the_paper(traces: Path) -> None:
    folder = traces / "published" / "carbon_shifting_limits"

    rows = rows_of("shifting-limits", "--carbon", folder / "carbon_2022_123zones_lca_hourly.csv.gz", "--slack", "24")

    for hours, defer in DEFERRAL.items():
        assert rows[str(hours)]["defer_percent"] == pytest.approx(defer, abs=1e-4)
        assert rows[str(hours)]["interrupt_extra_percent"] == pytest.approx(INTERRUPTION[hours], abs=1e-4)
