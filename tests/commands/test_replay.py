"""`aiobserve replay` with files of one's own, and ordinary mistakes."""

from pathlib import Path

import pytest

from tests.commands.conftest import Run, answered

HOURS = 72


@pytest.fixture
def files(tmp_path: Path) -> tuple[str, str]:
    hours = [f"2026-03-{2 + hour // 24:02d} {hour % 24:02d}:00" for hour in range(HOURS)]
    signal = tmp_path / "signal.csv"
    signal.write_text("time,g\n" + "".join(f"{at},{100 if at.endswith('03:00') else 500}\n" for at in hours))
    jobs = tmp_path / "jobs.csv"
    jobs.write_text("job_id,submitted_at,duration_s,gpus,power_w\na,2026-03-03 00:00,3600,2,1000\n")
    return str(jobs), str(signal)


def test_a_replay_shows_run_now_the_policy_and_the_bound(run: Run, files: tuple[str, str]) -> None:
    rows = {
        row["row"]: row for row in answered(run("replay", "--jobs", files[0], "--signal", files[1], "--json"))["rows"]
    }

    # Yesterday's 03:00 was clean, and so is today's: half a kilogram becomes a tenth.
    assert [rows[name]["carbon_kg"] for name in ("run_now", "lowest_carbon", "bound")] == [0.5, 0.1, 0.1]
    assert rows["lowest_carbon"]["carbon_saving_percent"] == pytest.approx(80)
    assert rows["lowest_carbon"]["mean_wait_h"] == 3


@pytest.mark.parametrize(
    ("words", "why"),
    [
        (("replay",), "give --jobs and --signal"),
        (("replay", "--jobs", "JOBS", "--signal", "nowhere.csv"), "no such file"),
        (("replay", "--jobs", "JOBS", "--signal", "SIGNAL", "--policy", "blended"), "give --price"),
        (("replay", "--jobs", "JOBS", "--signal", "SIGNAL", "--capacity", "1"), "needs 2 GPUs, --capacity is 1"),
        (("replay", "--jobs", "JOBS", "--signal", "SIGNAL", "--max-wait-h", "99"), "may run outside the signal"),
        (("replay", "--jobs", "SIGNAL", "--signal", "SIGNAL"), "needs a column submitted_at or submit_s"),
        (("replay", "table", "lwa", "--carbon", "SIGNAL"), "needs all of 2027 and 8 days after it"),
        (("replay", "table", "shifting-limits", "--carbon", "SIGNAL"), "does not fit into a signal of 72"),
        (("replay", "table", "gaia", "--jobs", "JOBS", "--carbon", "SIGNAL"), "column arrival_time, length, cpus"),
    ],
)
def test_a_mistake_is_one_line(run: Run, files: tuple[str, str], words: tuple[str, ...], why: str) -> None:
    names = {"JOBS": files[0], "SIGNAL": files[1]}

    refused = run(*(names.get(word, word) for word in words))

    assert refused.exit_code in (1, 2)
    assert why in refused.stderr
    assert "Traceback" not in refused.stderr
