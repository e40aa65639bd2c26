"""`aiobserve plan`: plan the jobs that wait."""

from collections import Counter

import click

from aiobserve.commands.servers import database
from aiobserve.commands.terminal import answer, clock, expected_errors, json_option, org_option, spinner
from aiobserve.pipeline.plan import DEFAULT_POLICY, make_plan
from aiobserve.reports.scope import organisation_of, present
from scheduler.policy import POLICIES


@click.command()
@org_option
@click.option("--policy", default=DEFAULT_POLICY, type=click.Choice(list(POLICIES)), help="What makes an hour better.")
@json_option
@expected_errors
def plan(org: str | None, policy: str, as_json: bool) -> None:
    """Plan the jobs that wait into cheap or clean hours, and say why for each."""
    with database():
        organisation = organisation_of(org)
        with spinner("planning the queue", quiet=as_json):
            made = make_plan(organisation.pk, now_at=present(organisation, clock()), policy=policy)
        lines = [f"{d.start_at:%Y-%m-%d %H:%MZ}  {d.action:<20}  {d.job_key}\n    {d.reason}" for d in made.decisions]
        counts = ", ".join(f"{count} {action}" for action, count in Counter(d.action for d in made.decisions).items())
        lines.append(f"{policy}: {counts or 'no job waits'}; proven gap {made.gap_ratio:.2%}")
        result = {
            "policy": policy,
            "gap_ratio": made.gap_ratio,
            "decisions": [
                {"job": d.job_key, "action": d.action, "start_at": d.start_at, "end_at": d.end_at, "reason": d.reason}
                for d in made.decisions
            ],
        }
        answer(result, as_json=as_json, words="\n".join(lines))
