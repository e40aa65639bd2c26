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


GAIA = {
    "lowest_slot": (0.780037, 5.638),
    "carbon_time": (0.724888, 4.729),
    "lowest_window": (0.683704, 6.645),
    "ecovisor": (0.639105, 7.821),
    "carbon_time_known": (0.657892, 4.607),
    "lowest_window_known": (0.614376, 6.605),
    "suspend_resume_optimum": (0.546196, 8.964),
}


def test_gaia_policies_are_reproduced_and_ours_beats_them_with_the_same_knowledge(traces: Path) -> None:
    folder = traces / "published" / "gaia"
    files = ("--jobs", folder / "pai_1k.csv", "--carbon", folder / "AU-SA_2022_lca_hourly.csv")

    rows = rows_of("gaia", *files, "--start-row", "7000", "--hours", "720")

    assert rows["no_wait"]["carbon_g"] == pytest.approx(562.171256, abs=1e-6)
    for name, (ratio, wait_h) in GAIA.items():
        assert rows[name]["carbon_ratio"] == pytest.approx(ratio, abs=1e-6)
        # The published waiting of jobs that pause is a mean over their pieces.
        assert rows[name]["mean_wait_per_piece_h"] == pytest.approx(wait_h, abs=1e-3)
    assert rows["ours"]["carbon_ratio"] < 0.6391
    assert rows["ours"]["mean_wait_h"] <= 4.73
    assert rows["ours_patient"]["carbon_ratio"] < rows["ours"]["carbon_ratio"]
    assert rows["ours_patient"]["mean_wait_h"] <= 7.82
    assert min(row["carbon_ratio"] for row in rows.values()) == rows["suspend_resume_optimum"]["carbon_ratio"]


@pytest.mark.parametrize("zone", ["DE", "NL"])
def test_jobs_that_pause_by_forecasts_as_issued_gain_by_what_was_measured_since(traces: Path, zone: str) -> None:
    folder = traces / "published" / "as_issued_forecasts"

    rows = rows_of(
        "gaia",
        *("--jobs", traces / "published" / "gaia" / "pai_1k.csv", "--start-row", "15760"),
        *("--carbon", folder / f"{zone}_actual_direct_lca.csv.gz"),
        *("--forecast", folder / f"{zone}_sundial_96h_daily.csv.gz"),
    )

    for other in ("suspend_resume_issued_once", "suspend_resume_issued_daily", "suspend_resume_yesterday_again"):
        assert rows["ours_issued"]["carbon_ratio"] < rows[other]["carbon_ratio"]


def test_the_published_forecasts_of_south_australia_are_beaten(traces: Path) -> None:
    forecast = traces / "published" / "as_issued_forecasts" / "AU-SA_sundial_96h_daily.csv.gz"
    if not forecast.exists():
        pytest.skip(f"{forecast.name} is not among the recorded traces")
    folder = traces / "published" / "gaia"
    files = ("--jobs", folder / "pai_1k.csv", "--carbon", folder / "AU-SA_2022_lca_hourly.csv", "--forecast", forecast)

    assert rows_of("gaia", *files, "--start-row", "7000")["ours_issued"]["carbon_ratio"] < 0.629


def test_elastic_trainings_keep_more_deadlines_than_elasticflow(traces: Path) -> None:
    folder = traces / "published" / "elasticflow"

    rows = rows_of(
        "elasticflow",
        *("--jobs", folder / "elasticVpollux_e.csv", "--throughputs", folder / "throughputs_T4"),
        *("--nodes", "16", "--gpus-per-node", "4"),
    )

    assert rows["edf"]["deadline_ratio"] == pytest.approx(0.118, abs=5e-4)
    assert rows["bound"]["deadline_ratio"] == pytest.approx(0.928, abs=5e-4)
    assert rows["ours"]["deadline_ratio"] >= 0.80
    assert rows["ours"]["admitted_missed"] == rows["minimum_share"]["admitted_missed"] == 0
