"""`aiobserve organisation`: the rules that say whose a job is, what a change would move, and the change."""

from collections.abc import Callable
from typing import Any

import click

from aiobserve.commands.servers import database
from aiobserve.commands.terminal import answer, clock, expected_errors, json_option, org_option
from aiobserve.pipeline.organise import apply_change
from aiobserve.reports.amounts import Amounts
from aiobserve.reports.organisation import ACTIONS, BadRule, Preview, RuleRow, all_rules, mapped_accounts, preview
from aiobserve.reports.organisation_values import CONDITIONS, preview_values, rule_values
from aiobserve.reports.scope import organisation_of, resolve

FIELDS = (
    ("--rule", "Number of the rule, but for add."),
    ("--at", "When the rule ends, for end."),
    ("--priority", "The higher one counts; 100 by default."),
    ("--account", "Account of the job."),
    ("--user", "User of the job."),
    ("--site", "Site of the job."),
    ("--model", "Model of the job."),
    ("--job-name", "Name of the job, with * for any text and ? for any character."),
    ("--label", "A label that the job carries."),
    ("--team", "Team that matching jobs belong to."),
    ("--project", "Project that matching jobs belong to."),
    ("--valid-from", "Date (midnight in --tz) or instant from which the rule holds."),
    ("--valid-to", "Until when; without end by default."),
    ("--reason", "Why, for whoever reads it later."),
    ("--tz", "IANA time zone of dates; UTC by default."),
)


def change_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add the fields of a change."""
    for name, words in reversed(FIELDS):
        command = click.option(name, default=None, help=words)(command)
    return click.argument("action", type=click.Choice(list(ACTIONS)))(command)


@click.group()
def organisation() -> None:
    """Say whose a job is, since when, and see what a change would move."""


@organisation.command("rules")
@org_option
@json_option
@expected_errors
def list_rules(org: str | None, as_json: bool) -> None:
    """List the rules by priority, withdrawn ones last, then the map of accounts, which counts where no rule does."""
    with database():
        chosen = organisation_of(org)
        rows, accounts = all_rules(chosen.pk), mapped_accounts(chosen.pk)
        result = {
            "organisation": chosen.slug,
            "rules": [rule_values(row) for row in rows],
            "accounts": [
                dict(zip(("account", "team", "project", "valid_from", "valid_to"), row, strict=True))
                for row in accounts
            ],
        }
        lines = [_rule_line(row) for row in rows] or ["no rule: every job goes by its account"]
        lines += [f"account {account} -> {team} / {project}" for account, team, project, _, _ in accounts]
        answer(result, as_json=as_json, words="\n".join(lines))


@organisation.command("preview")
@change_options
@org_option
@click.option("--from", "first_day", default=None, help="First local day of what is looked at, 2026-10-01.")
@click.option("--to", "end_day", default=None, help="Local day after the last.")
@json_option
@expected_errors
def show_preview(
    action: str, org: str | None, first_day: str | None, end_day: str | None, as_json: bool, **texts: str | None
) -> None:
    """Show what a change would move over a period; nothing is written."""
    with database():
        scope = resolve(
            clock_at=clock(), organisation=org, first_day=first_day, end_day=end_day, timezone=texts.get("tz")
        )
        try:
            found = preview(scope, _change(action, texts))
        except BadRule as error:
            raise click.ClickException(str(error)) from error
        answer(preview_values(found), as_json=as_json, words="\n".join(_preview_lines(found)))


@organisation.command("apply")
@change_options
@org_option
@json_option
@expected_errors
def carry_out(action: str, org: str | None, as_json: bool, **texts: str | None) -> None:
    """Carry a change out; the days that it touches become due. Undo it with withdraw or restore."""
    with database():
        try:
            done = apply_change(organisation_of(org).pk, _change(action, texts), clock_at=clock())
        except BadRule as error:
            raise click.ClickException(str(error)) from error
        words = f"rule {done.rule} made" if done.rule else "no rule made"
        words += "".join(f", rule {pk} withdrawn" for pk in done.withdrawn)
        words += "".join(f", rule {pk} restored" for pk in done.restored)
        result = {
            "rule": done.rule,
            "withdrawn": list(done.withdrawn),
            "restored": list(done.restored),
            "days_due": done.days_due,
        }
        answer(result, as_json=as_json, words=f"{words}; {done.days_due} days are due: `aiobserve attribute`")


def _change(action: str, texts: dict[str, str | None]) -> dict[str, str]:
    return {"action": action, **{name: text for name, text in texts.items() if text is not None}}


def _rule_line(row: RuleRow) -> str:
    met = " and ".join(f"{name.replace('_', ' ')} {getattr(row, name)}" for name in CONDITIONS if getattr(row, name))
    until = f"{row.valid_to_at:%Y-%m-%d %H:%M}Z" if row.valid_to_at else "further on"
    state = "" if row.withdrawn_at is None else f"  (withdrawn {row.withdrawn_at:%Y-%m-%d %H:%M}Z)"
    span = f"{row.valid_from_at:%Y-%m-%d %H:%M}Z to {until}"
    return f"rule {row.pk}, priority {row.priority}: {met} -> {row.team} / {row.project}, {span}{state}"


def _preview_lines(found: Preview) -> list[str]:
    lines = [
        f"{_bearer(move.before)} -> {_bearer(move.after)}: {_words(move.amounts)} of {move.jobs} jobs"
        for move in found.moves
    ] or ["nothing would move"]
    lines += [
        f"{name or 'nobody'}: {_words(before)} before, {_words(after)} after" for name, before, after in found.teams
    ]
    lines.append(f"in all {_words(found.before)} before, {_words(found.after)} after")
    lines.append(
        "of jobs as they were charged; bought tokens and tenants of model servers go by account and do not move"
    )
    return [*lines, *([f"{found.due} days are due and not looked at"] if found.due else [])]


def _bearer(pair: tuple[str, str]) -> str:
    return " / ".join(pair) if pair[0] else "nobody"


def _words(amounts: Amounts) -> str:
    return f"{amounts.cost_usd:,} USD, {amounts.energy_kwh:,} kWh, {amounts.carbon_kg:,} kgCO2e"
