"""The commands of the organisation map, runs and explain are there, and say the same as the reports."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from click.testing import CliRunner

from aiobserve.cli import main
from aiobserve.commands import explain, organisation, runs
from aiobserve.store.models import OrganisationRule
from collectors.simulated import SLUG

pytestmark = pytest.mark.django_db

PERIOD = ("--from", "2026-10-30", "--to", "2026-11-06")


@pytest.fixture
def said(demo_org: str, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Run a command against the tests' own database; returns what it prints as JSON."""

    @contextmanager
    def here() -> Iterator[None]:
        yield

    for module in (explain, organisation, runs):
        monkeypatch.setattr(module, "database", here)

    def run(*arguments: str, code: int = 0) -> Any:
        done = CliRunner().invoke(main, [*arguments, "--org", demo_org, *(("--json",) if not code else ())])
        assert done.exit_code == code, done.output
        return json.loads(done.stdout) if not code else done.output

    return run


def test_a_rule_is_previewed_applied_listed_and_withdrawn(said: Any) -> None:
    change = (
        "add",
        "--user",
        "speech-user",
        "--job-name",
        "*",
        "--team",
        "Vision",
        "--project",
        "voice",
        "--valid-from",
        "2026-11-01",
    )

    seen = said("organisation", "preview", *change, *PERIOD)
    assert [(move["from_team"], move["to_team"]) for move in seen["moves"]] == [("Speech", "Vision")]
    assert seen["total"]["before"] == seen["total"]["after"]
    assert OrganisationRule.objects.filter(organisation__slug=SLUG).count() == 0

    made = said("organisation", "apply", *change)
    assert [rule["rule"] for rule in said("organisation", "rules")["rules"]] == [made["rule"]]
    assert said("organisation", "apply", "withdraw", "--rule", str(made["rule"]))["withdrawn"] == [made["rule"]]
    assert "name the team" in said("organisation", "apply", "add", "--account", "a", code=1)


def test_explain_takes_a_job_or_any_cell(said: Any) -> None:
    (first, *_) = said("runs", *PERIOD)["runs"]

    of_job = said("explain", first["attempts"][0]["key"], *PERIOD)
    of_cell = said("explain", "--filter", "account=idle", "--figure", "energy", *PERIOD)

    assert of_job["cost_usd"] == first["attempts"][0]["amounts"]["cost_usd"]
    assert any("to the unit" in line for line in of_job["explanation"])
    assert any("to the unit" in line for line in of_cell["explanation"])
    assert "no job" in said("explain", "nobody", code=1)
