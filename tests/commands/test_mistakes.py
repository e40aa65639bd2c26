"""Ordinary mistakes are one line that says what to do, and never a traceback."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from aiobserve.pipeline.collect import collect
from aiobserve.store.write.organisation import ensure_organisation
from tests.commands.conftest import Run, answered
from tests.conftest import ROOT
from tests.worlds import World, at


@pytest.fixture
def company(db: None) -> str:
    organisation_id = ensure_organisation("world", name="World")
    collect(organisation_id, World().job("train", start=1, end=2), now_at=at(100))
    return "world"


@pytest.mark.parametrize(
    "words",
    [
        ("ledger", "check", "--org", "nope"),
        ("attribute", "--org", "nope"),
        ("export", "csv", "--org", "nope"),
        ("digest", "preview", "--org", "nope"),
    ],
)
def test_an_unknown_organisation_is_answered_with_those_there_are(
    run: Run, company: str, words: tuple[str, ...]
) -> None:
    refused = run(*words)

    assert refused.exit_code == 1
    assert refused.stderr.startswith("Error: no organisation 'nope'; there are: ")
    assert company in refused.stderr


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("reconcile", "--breach-usd", "nan"), "'--breach-usd': nan is not from 0 to"),
        (("reconcile", "--breach-usd", "inf"), "'--breach-usd': inf is not from 0 to"),
        (("reconcile", "--warn-usd", "-1"), "'--warn-usd': -1 is not from 0 to"),
        (("reconcile", "--warn-usd", "ten"), "'--warn-usd': 'ten' is no number"),
        (("anomalies", "--limit", "-3"), "'--limit': -3 is not in the range"),
        (("budget", "may-start", "--expected=-5"), "'--expected': -5 is not from 0 to"),
        (("budget", "may-start", "--expected=nan"), "'--expected': nan is not from 0 to"),
        (("budget", "set", "b", "--amount=-5"), "'--amount': -5 is not from 0 to"),
        (("budget", "may-start", "--expected=5", "--team", "nobody"), "no team 'nobody'; there are: NLP"),
    ],
)
def test_a_value_that_cannot_be_is_refused_with_its_option(
    run: Run, company: str, words: tuple[str, ...], said: str
) -> None:
    refused = run(*words, "--org", company)

    assert refused.exit_code == 2
    assert said in refused.stderr.splitlines()[-1]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("explain", "--filter", "team=nlp"), "no team 'nlp'; there are: NLP"),
        (("explain", "--filter", "account=jobs"), "no account 'jobs'; there are: job, "),
        (("explain", "--filter", "site=moon"), "no site 'moon'; there are: lab"),
    ],
)
def test_a_name_that_nobody_knows_is_not_answered_with_nothing(
    run: Run, company: str, words: tuple[str, ...], said: str
) -> None:
    refused = run(*words, "--org", company)

    assert refused.exit_code == 1
    assert refused.stderr.startswith(f"Error: {said}")


def test_a_team_that_is_known_and_spent_nothing_is_explained(run: Run, company: str) -> None:
    assert run("explain", "--filter", "team=NLP", "--org", company).exit_code == 0


def test_work_of_a_name_that_only_a_budget_knows_may_be_asked_about(run: Run, company: str) -> None:
    run("budget", "set", "new", "--scope", "project", "--subject", "moonshot", "--amount", "5", "--org", company)

    assert run("budget", "may-start", "--expected=6", "--project", "moonshot", "--org", company).exit_code == 0


@pytest.mark.parametrize("command", ["up", "demo"])
@pytest.mark.parametrize("port", ["0", "-1", "65536", "99999", "http"])
def test_a_port_that_is_none_is_refused(run: Run, command: str, port: str) -> None:
    refused = run(command, "--port", port)

    assert refused.exit_code == 2
    assert "Invalid value for '--port'" in refused.stderr


@pytest.mark.parametrize("words", [("export", "csv"), ("export", "focus"), ("digest", "preview")])
def test_a_file_that_cannot_be_written_is_named(run: Run, company: str, tmp_path: Path, words: tuple[str, ...]) -> None:
    (tmp_path / "file").write_text("")
    below_a_file = tmp_path / "file" / "out.csv"

    a_folder = run(*words, "--org", company, "--out", str(tmp_path))
    nowhere = run(*words, "--org", company, "--out", str(below_a_file))

    assert (a_folder.exit_code, nowhere.exit_code) == (2, 1)
    assert "is a directory" in a_folder.stderr
    assert "cannot be written" in nowhere.stderr and "choose another with --out" in nowhere.stderr
    assert sorted(one.name for one in tmp_path.iterdir()) == ["file"]


@pytest.mark.parametrize("form", ["csv", "focus"])
def test_an_export_makes_no_folder(run: Run, company: str, tmp_path: Path, form: str) -> None:
    refused = run("export", form, "--org", company, "--out", str(tmp_path / "missing" / "x.csv"))

    assert refused.exit_code == 1
    assert refused.stderr == (f"Error: no folder {tmp_path / 'missing'}; make it first, or choose another with --out\n")
    assert not list(tmp_path.iterdir())


def test_a_mail_is_written_into_a_folder_that_is_made_for_it(run: Run, company: str, tmp_path: Path) -> None:
    done = run("digest", "preview", "--org", company, "--out", str(tmp_path / "missing" / "a.eml"))

    assert done.exit_code == 0
    assert (tmp_path / "missing" / "a.eml").read_text().startswith("Content-Type: multipart/alternative")


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("redis://127.0.0.1:1/0", "the broker does not answer"),
        ("nope://x", "BROKER_URL names no broker"),
        ("foo", "BROKER_URL names no broker"),
    ],
)
def test_a_broker_that_cannot_be_reached_is_said(
    run: Run, monkeypatch: pytest.MonkeyPatch, url: str, said: str
) -> None:
    monkeypatch.setenv("BROKER_URL", url)

    refused = run("tick")

    assert refused.exit_code == 1
    assert refused.stderr.startswith("Error: ") and said in refused.stderr


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("DATABASE_URL", "foo", "DATABASE_URL is no address of a PostgreSQL"),
        ("DATABASE_URL", "mysql://root:secret@db/x", "DATABASE_URL is no address of a PostgreSQL"),
        ("DATABASE_URL", "secret", "DATABASE_URL is no address of a PostgreSQL"),
        ("AIOBSERVE_DATA_DIR", __file__, "cannot be used: Not a directory; set AIOBSERVE_DATA_DIR"),
    ],
)
def test_an_environment_that_cannot_work_is_one_line(name: str, value: str, said: str) -> None:
    clean = {key: text for key, text in os.environ.items() if key not in ("DATABASE_URL", "BROKER_URL")}

    done = subprocess.run(
        [sys.executable, "-m", "aiobserve", "plan"],
        env={**clean, name: value}, capture_output=True, text=True, check=False, cwd=ROOT, timeout=60,
    )  # fmt: skip

    assert done.returncode == 1
    assert done.stderr.startswith("Error: ") and said in done.stderr
    assert "Traceback" not in done.stderr and "secret" not in done.stderr


def test_a_day_that_was_left_is_not_among_the_days_that_were_attributed(run: Run, db: None) -> None:
    organisation_id = ensure_organisation("world", name="World")
    without_a_price = World(devices=("busy_gpu",)).job("train", start=1, end=2, sku="H100")
    batch = next(without_a_price.collect())
    batch.frames.pop("rates")
    without_a_price.collect = lambda span=None: iter([batch])  # type: ignore[method-assign]
    collect(organisation_id, without_a_price, now_at=at(100))

    said = run("attribute", "--org", "world")
    counted = answered(run("attribute", "--org", "world", "--json"))

    assert said.exit_code == 1
    assert said.stdout.startswith("0 days attributed: 0 postings in 0 windows, 0 reversed; ")
    assert "left: no price per GPU-hour" in said.stdout
    assert counted["days"] == 0
