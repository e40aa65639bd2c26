"""`aiobserve doctor`: what is wrong, and the command that puts it right."""

import click

from aiobserve.commands.servers import broker, database
from aiobserve.commands.terminal import answer, clock, expected_errors, json_option
from aiobserve.diagnosis.checks import Finding, State, diagnose

MARKS = {State.OK: "ok  ", State.WARNING: "warn", State.BROKEN: "FAIL"}


@click.command()
@json_option
@expected_errors
def doctor(as_json: bool) -> None:
    """Check versions, tables, clock, broker, sources, permissions and disk, and print the fix for each fault.

    Exits 0 when all is well, 1 with warnings, 2 when something is broken.
    """
    with database(), broker() as broker_url:
        findings = diagnose(broker_url=broker_url, now_at=clock())
        worst = max((one.state for one in findings), default=State.OK)
        result = {"worst": worst.name.lower(), "checks": [_plain(one) for one in findings]}
        words = "\n".join(_line(one) for one in findings)
        answer(result, as_json=as_json, words=words)
        raise SystemExit(int(worst))


def _plain(one: Finding) -> dict[str, str]:
    return {"check": one.check, "state": one.state.name.lower(), "found": one.found, "fix": one.fix}


def _line(one: Finding) -> str:
    return f"{MARKS[one.state]}  {one.check:<22} {one.found}" + (f"\n      fix: {one.fix}" if one.fix else "")
