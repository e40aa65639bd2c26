"""`aiobserve doctor`: what is wrong, and the command that puts it right."""

import click
from django.db import OperationalError

from aiobserve.commands.servers import BadAddress, broker, database
from aiobserve.commands.terminal import answer, clock, json_option
from aiobserve.diagnosis.checks import Finding, State, diagnose
from aiobserve.embedded.broker import BrokerNotInstalled
from aiobserve.embedded.postgres_home import PostgresNotInstalled
from aiobserve.embedded.server import ServerFailed

MARKS = {State.OK: "ok  ", State.WARNING: "warn", State.BROKEN: "FAIL"}
SERVERS_FIX = (
    "check DATABASE_URL and BROKER_URL; unset, the embedded servers are used, whose logs are in the data directory"
)


@click.command()
@json_option
def doctor(as_json: bool) -> None:
    """Check versions, tables, clock, broker, sources, permissions and disk, and print the fix for each fault.

    Exits 0 when all is well, 1 with warnings, 2 when something is broken.
    """
    findings = _findings()
    worst = max((one.state for one in findings), default=State.OK)
    result = {"worst": worst.name.lower(), "checks": [_plain(one) for one in findings]}
    answer(result, as_json=as_json, words="\n".join(_line(one) for one in findings))
    raise SystemExit(int(worst))


def _findings() -> list[Finding]:
    try:
        with database(any_state=True), broker() as broker_url:
            return diagnose(broker_url=broker_url, now_at=clock())
    except (BadAddress, OperationalError, ServerFailed, PostgresNotInstalled, BrokerNotInstalled) as error:
        return [Finding("servers", State.BROKEN, str(error).strip(), SERVERS_FIX)]


def _plain(one: Finding) -> dict[str, str]:
    return {"check": one.check, "state": one.state.name.lower(), "found": one.found, "fix": one.fix}


def _line(one: Finding) -> str:
    return f"{MARKS[one.state]}  {one.check:<22} {one.found}" + (f"\n      fix: {one.fix}" if one.fix else "")
