"""The commands that people type, on the running product."""

import json
import subprocess
import sys
from datetime import datetime
from pathlib import Path

import psycopg
import pytest

from tests.collectors.test_contract import carbon, prices
from tests.conftest import ROOT, Served, free_port
from tests.faults.test_kills import database, one


def test_a_posting_altered_by_hand_is_refused_and_where_it_is_forced_the_check_names_its_window(served: Served) -> None:
    altered = "UPDATE posting SET energy_millij = energy_millij + %s WHERE id = %s"
    fine = served.command("ledger", "check", "--json", "--org", "demo")
    with database(served) as connection:
        found = connection.execute(
            """SELECT posting.id, window_start_at FROM posting JOIN organisation AS o ON o.id = organisation_id
               WHERE o.slug = 'demo' ORDER BY posting.id LIMIT 1"""
        ).fetchone()
        assert found is not None
        posting, window = found
        with pytest.raises(psycopg.errors.IntegrityConstraintViolation, match="append-only"):
            connection.execute(altered, [1, posting])
        # What only a superuser can do.
        connection.execute("SET session_replication_role = replica")
        connection.execute(altered, [1, posting])
        broken = served.command("ledger", "check", "--json", "--org", "demo", check=False)
        connection.execute(altered, [-1, posting])
    again = served.command("ledger", "check", "--json", "--org", "demo")

    assert json.loads(fine.stdout)["balanced"] is True
    assert broken.returncode == 1
    named = json.loads(broken.stdout)["unbalanced_windows"][0]["window_start_at"]
    assert datetime.fromisoformat(named) == window
    assert json.loads(again.stdout)["balanced"] is True


def test_doctor_says_what_it_found_and_how_to_put_it_right(served: Served) -> None:
    done = served.command("doctor", "--json", check=False)

    report = json.loads(done.stdout)
    assert done.returncode in (0, 1)
    assert {one["check"] for one in report["checks"]} >= {
        "versions",
        "database",
        "migrations",
        "partitions",
        "clock",
        "broker",
        "disk",
    }
    assert all(one["fix"] for one in report["checks"] if one["state"] != "ok")


def test_a_taken_port_is_named(served: Served) -> None:
    port = served.url.rsplit(":", 1)[1]

    refused = served.command("up", "--port", port, check=False)

    assert refused.returncode == 1
    assert f"port {port} is taken" in refused.stderr


def test_a_second_demo_loads_nothing_twice(served: Served) -> None:
    again = json.loads(served.command("demo", "--no-serve", "--json").stdout)

    assert again["rows"] == 0
    assert again["postings"] == 0


def test_a_job_is_explained_down_to_its_postings(served: Served) -> None:
    key = one(
        served,
        "SELECT key FROM job JOIN organisation AS o ON o.id = organisation_id WHERE o.slug = 'demo' AND attempt = 2 LIMIT 1",
    )

    words = served.command("explain", key, "--org", "demo").stdout

    for expected in (
        "attempt 2",
        "postings in",
        "ledger batches",
        "intervals",
        "USD/GPU-h",
        "carbon_lifecycle",
        "to the unit",
    ):
        assert expected in words


def test_a_file_that_is_none_of_ours_does_not_stop_the_others(served: Served, tmp_path: Path) -> None:
    good = carbon(tmp_path)["path"]
    (tmp_path / "bad.csv").write_text("tea,leaves\n1,2\n")

    done = served.command(
        "import", "--org", "mixed", "--json", str(tmp_path / "bad.csv"), "nowhere.csv", good, check=False
    )

    report = json.loads(done.stdout)
    assert done.returncode == 1
    assert [one["format"] for one in report["files"]] == ["hourly-carbon"]
    assert ["no known format" in one["error"] or "no such file" in one["error"] for one in report["failed"]] == [
        True,
        True,
    ]


def test_rows_are_counted_and_refused_ones_are_said(served: Served, tmp_path: Path) -> None:
    path = Path(prices(tmp_path)["path"])
    path.write_text(path.read_text().replace("30.0", "99999.0", 1))

    done = served.command("import", "--org", "mixed", str(path))

    assert "row 1: price is not between -10000 and 10000 USD/MWh" in done.stderr
    assert "3 rows in, 1 refused" in done.stdout


def test_an_export_lies_beside_its_manifest(served: Served, tmp_path: Path) -> None:
    path = tmp_path / "focus.csv"

    served.command("export", "focus", "--org", "demo", "--out", str(path), "--tz", "Europe/Berlin")

    manifest = json.loads((tmp_path / "focus.csv.manifest.json").read_text())
    assert manifest["rows"] == len(path.read_text(encoding="utf-8-sig").splitlines()) - 1
    assert manifest["simulated"] is True


def test_a_database_that_does_not_answer_is_one_line_and_exit_2_of_doctor(served: Served) -> None:
    environ = {
        **served.environ,
        "DATABASE_URL": f"postgresql://nobody:x@127.0.0.1:{free_port()}/none",
        "BROKER_URL": "redis://127.0.0.1:1/0",
    }

    def run(*arguments: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "aiobserve", *arguments]
        return subprocess.run(command, env=environ, capture_output=True, text=True, check=False, cwd=ROOT, timeout=60)

    doctor, check = run("doctor", "--json"), run("ledger", "check")

    assert doctor.returncode == 2
    assert "DATABASE_URL" in json.loads(doctor.stdout)["checks"][0]["fix"]
    assert check.returncode == 1
    assert check.stderr.startswith("Error:") and "Traceback" not in check.stderr


@pytest.mark.parametrize(
    "command", ["demo", "up", "doctor", "import", "attribute", "plan", "explain", "export", "runs"]
)
def test_every_command_speaks_json(served: Served, command: str) -> None:
    assert "--json" in served.command(command, "--help").stdout
