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


WAITING = {
    "next_workday": 5.912,
    "next_workday_interruptible": 7.926,
    "semi_weekly": 14.105,
    "semi_weekly_interruptible": 18.107,
}


def test_waiting_saves_what_the_paper_says(traces: Path) -> None:
    rows = rows_of("lwa", "--carbon", traces / "published" / "lets_wait_awhile" / "ger_ci.csv", "--mode", "paper")

    for name, saving in WAITING.items():
        assert rows[name]["saving_percent"] == pytest.approx(saving, abs=0.002)
        assert rows[name]["optimum_percent"] > saving
        assert rows[name]["baseline_peak_jobs"] == 45


def test_an_honest_scheduler_saves_nearly_as_much(traces: Path) -> None:
    """One seed of ten, for its time; docs/scheduling.md has all."""
    carbon = traces / "published" / "lets_wait_awhile" / "ger_ci.csv"

    rows = rows_of("lwa", "--carbon", carbon, "--mode", "honest", "--capacity", "45", "--seeds", "1")

    assert rows["semi_weekly_interruptible"]["saving_percent"] >= 17.0
    for row in rows.values():
        assert row["missed_deadlines"] == 0
        assert row["peak_jobs"] <= 45
        assert row["mean_pieces"] <= 3


@pytest.mark.parametrize(("zone", "replanned_daily"), [("DE", 9.69), ("NL", 13.91)])
def test_forecasts_as_issued_save_more_than_planning_again_every_day(
    traces: Path, zone: str, replanned_daily: float
) -> None:
    folder = traces / "published" / "as_issued_forecasts"

    rows = rows_of(
        "lwa",
        *("--carbon", folder / f"{zone}_actual_direct_lca.csv.gz", "--mode", "honest"),
        *("--forecast", folder / f"{zone}_sundial_96h_daily.csv.gz"),
    )

    ours = rows["semi_weekly_interruptible"]
    assert ours["year"] == 2022
    assert ours["saving_percent"] > replanned_daily
    assert ours["saving_percent"] >= 0.70 * ours["optimum_percent"]
    assert all(row["missed_deadlines"] == 0 for row in rows.values())
