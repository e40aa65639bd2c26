"""`aiobserve budget`: list, set and remove budgets, and ask whether work may start under them."""

from datetime import date
from decimal import Decimal, InvalidOperation

import click

from aiobserve.commands.servers import database
from aiobserve.commands.terminal import answer, expected_errors, json_option, org_option
from aiobserve.domain.units import MICROG_PER_KG, MICROUSD_PER_USD, MILLIJ_PER_KWH
from aiobserve.ledger.budget import MEASURES, SCOPES, WINDOWS, BadBudget, Budget, Standing, written
from aiobserve.pipeline import budgets as pipeline
from aiobserve.reports import budgets as reports
from aiobserve.reports.finance_json import budget_values, standing_values
from aiobserve.reports.names import UnknownName
from aiobserve.reports.scope import organisation_of, zone_of

PER_UNIT = {"cost": MICROUSD_PER_USD, "energy": MILLIJ_PER_KWH, "carbon": MICROG_PER_KG}
UNITS = {"cost": "USD", "energy": "kWh", "carbon": "kgCO2e"}
MOST_UNITS = 10**12
BAR_CELLS = 20


@click.group()
def budget() -> None:
    """Set budgets and see how they stand."""


@budget.command("list")
@org_option
@json_option
@expected_errors
def list_(org: str | None, as_json: bool) -> None:
    """Show how each budget stands: spent, expected, and when it is reached."""
    with database():
        found = reports.standings(organisation_of(org))
        words = "\n".join(map(_words, found)) or "no budget holds: `aiobserve budget set --help` says how to set one"
        answer([standing_values(one) for one in found], as_json=as_json, words=words)


@budget.command("set")
@click.argument("name")
@click.option("--scope", type=click.Choice(SCOPES), default="whole", show_default=True)
@click.option("--subject", default="", help="Name of the team, project or model.")
@click.option("--measure", type=click.Choice(list(MEASURES)), default="cost", show_default=True)
@click.option("--amount", required=True, help="In USD, kWh or kgCO2e, as the measure says.")
@click.option("--window", type=click.Choice(WINDOWS), default="month", show_default=True)
@click.option("--tz", default="UTC", show_default=True, help="IANA time zone in which its days begin and end.")
@click.option("--hard", is_flag=True, help="A scheduler that asks is told no when it would be exceeded.")
@click.option("--thresholds", default="50,80,100", show_default=True, help="Per cents at which to be told.")
@click.option("--from", "valid_from", default="1971-01-01", help="First local day on which it holds.")
@click.option("--to", "valid_to", default=None, help="Local day after the last.")
@org_option
@json_option
@expected_errors
def set_(
    name: str, scope: str, subject: str, measure: str, amount: str, window: str, tz: str, hard: bool, thresholds: str,
    valid_from: str, valid_to: str | None, org: str | None, as_json: bool,
) -> None:  # fmt: skip
    """Set the budget NAME, in place of the one of that name."""
    with database():
        made = Budget(
            name=name, scope=scope, subject=subject, measure=measure, amount=_amount(amount, measure, option="--amount"), window=window,
            timezone=zone_of(tz), is_hard=hard, thresholds=_per_cents(thresholds), valid_from=_day(valid_from),
            valid_to=_day(valid_to) if valid_to else None,
        )  # fmt: skip
        is_new = pipeline.set_budget(organisation_of(org).pk, made)
        words = f"{'set' if is_new else 'replaced'} {name}: {written(measure, made.amount)} a {window} for {made.of}"
        answer(budget_values(made), as_json=as_json, words=words)


@budget.command("remove")
@click.argument("name")
@org_option
@json_option
@expected_errors
def remove(name: str, org: str | None, as_json: bool) -> None:
    """Remove the budget NAME. What was spent stays in the ledger."""
    with database():
        if not pipeline.remove_budget(organisation_of(org).pk, name):
            raise click.ClickException(f"no budget {name!r}; `aiobserve budget list` names them")
        answer({"removed": name}, as_json=as_json, words=f"removed {name}")


@budget.command("may-start")
@click.option("--team", default="")
@click.option("--project", default="")
@click.option("--model", default="")
@click.option("--measure", type=click.Choice(list(MEASURES)), default="cost", show_default=True)
@click.option("--expected", required=True, help="What the work will take, in USD, kWh or kgCO2e.")
@org_option
@json_option
@expected_errors
def may_start(team: str, project: str, model: str, measure: str, expected: str, org: str | None, as_json: bool) -> None:
    """Ask whether work may start. Exits 1 when a hard budget says no, and 2 when what was asked cannot be answered."""
    with database():
        wanted = _amount(expected, measure, option="--expected")
        try:
            found = reports.answer(
                organisation_of(org), expected=wanted, measure=measure, team=team, project=project, model=model
            )
        except UnknownName as error:
            # Code 1 is the answer no; this is no answer.
            raise click.UsageError(str(error)) from error
        answer({"allowed": found.allowed, "words": found.words}, as_json=as_json, words=found.words)
    if not found.allowed:
        raise SystemExit(1)


def _words(one: Standing) -> str:
    measure, filled = one.budget.measure, min(one.per_cent, 100) * BAR_CELLS // 100
    when = f", reached {one.reached_on}" if one.reached_on else ""
    short = " (history too short to be sure)" if one.is_short else ""
    return (
        f"{one.state.upper():5} [{'#' * filled:.<{BAR_CELLS}}] {one.per_cent:>3} %  {one.budget.name}: "
        f"{written(measure, one.spent)} of {written(measure, one.budget.amount)} for {one.budget.of}, {one.window.first} to "
        f"{one.window.end}; {written(measure, one.expected)} expected{short}{when}{', hard' if one.budget.is_hard else ''}"
    )


def _amount(text: str, measure: str, *, option: str) -> int:
    try:
        value = Decimal(text)
    except InvalidOperation as error:
        raise click.BadParameter(f"{text!r} is no number; write it as 1200.50", param_hint=f"'{option}'") from error
    if not value.is_finite() or not 0 <= value <= MOST_UNITS:
        unit = UNITS[measure]
        raise click.BadParameter(f"{text} is not from 0 to {MOST_UNITS:,} {unit}", param_hint=f"'{option}'")
    return int(value * PER_UNIT[measure])


def _per_cents(text: str) -> tuple[int, ...]:
    if not all(one.strip().isascii() and one.strip().isdigit() and len(one.strip()) < 5 for one in text.split(",")):
        raise BadBudget(f"thresholds {text!r}: write whole per cents as 50,80,100")
    return tuple(int(one) for one in text.split(","))


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError as error:
        raise BadBudget(f"{text!r} is no date; write it as 2026-11-01") from error
