"""The commands below `aiobserve ledger` that close, re-open and list months, and show what was restated."""

import getpass
import os
from collections.abc import Callable
from datetime import date
from typing import Any

import click

from aiobserve.commands.servers import database
from aiobserve.commands.terminal import answer, clock, expected_errors, json_option, org_option
from aiobserve.domain.account import COST_MEASURES
from aiobserve.domain.units import kg_co2e, kwh, usd
from aiobserve.pipeline.close import close_period, reopen_period
from aiobserve.reports import periods as report
from aiobserve.reports.restatements import Restated
from aiobserve.reports.restatements import restatements as restated
from aiobserve.reports.scope import organisation_of, present

DAY = click.DateTime(formats=["%Y-%m-%d"])


class Month(click.ParamType):
    """A civil month, 2026-10."""

    name = "month"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> date:
        """Return the first day of the month that a text names."""
        if isinstance(value, date):
            return value
        try:
            return date.fromisoformat(f"{value}-01")
        except ValueError:
            self.fail(f"{value!r} is no month; write it as 2026-10", param, ctx)


def system_user() -> str:
    """Return the name of the user who runs the command, or their number where the system knows no name."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return f"uid {os.getuid()}"


def by_option(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add --by, who is named in the audit."""
    return click.option(
        "--by", default=system_user, show_default="the user of the system", help="Who does it, for the audit."
    )(command)


@click.command()
@click.argument("month", type=Month())
@org_option
@click.option("--tz", default=None, help="IANA time zone of the month; that of the month closed before, else UTC.")
@click.option("--force", is_flag=True, help="Close although days are due, blocked or were never attributed.")
@click.option("--reason", default="", help="Why, for the audit; --force needs one.")
@by_option
@json_option
@expected_errors
def close(month: date, org: str | None, tz: str | None, force: bool, reason: str, by: str, as_json: bool) -> None:
    """Close MONTH: its sums are sealed with a hash, and late figures become corrections in the open month."""
    with database():
        organisation = organisation_of(org)
        now_at = present(organisation, clock())
        closed = close_period(organisation.pk, month, timezone=tz, by=by, now_at=now_at, force=force, reason=reason)
        words = f"{closed.month:%Y-%m} ({closed.timezone}) is closed: {closed.rows:,} sums, {closed.hash}"
        answer(period_dict(closed), as_json=as_json, words=words)


@click.command()
@click.argument("month", type=Month())
@org_option
@click.option("--reason", required=True, help="Why, for the audit.")
@by_option
@json_option
@expected_errors
def reopen(month: date, org: str | None, reason: str, by: str, as_json: bool) -> None:
    """Open MONTH again, the one that was closed last. `aiobserve attribute` then moves its corrections back into it."""
    with database():
        opened = reopen_period(organisation_of(org).pk, month, by=by, reason=reason)
        answer(period_dict(opened), as_json=as_json, words=f"{opened.month:%Y-%m} is open again")


@click.command()
@org_option
@json_option
@expected_errors
def periods(org: str | None, as_json: bool) -> None:
    """List the months that were closed, with their hashes."""
    with database():
        found = report.periods(organisation_of(org).pk)
        lines = [
            f"{one.month:%Y-%m} {one.timezone}  {'open again' if one.reopened_at else 'closed'}  "
            f"{one.closed_at:%Y-%m-%d %H:%M}Z by {one.closed_by}  {usd(cost(one.sums))} USD  {one.hash}"
            for one in found
        ]
        words = "\n".join(lines) or "no month was closed yet: `aiobserve ledger close 2026-10`"
        answer([period_dict(one) for one in found], as_json=as_json, words=words)


@click.command()
@org_option
@json_option
@expected_errors
def audit(org: str | None, as_json: bool) -> None:
    """Show who closed and re-opened which month, when and why."""
    with database():
        found = report.audit(organisation_of(org).pk)
        lines = []
        for one in found:
            lines.append(
                f"{one.at:%Y-%m-%d %H:%M}Z {one.month:%Y-%m} {one.action} by {one.by}: {one.reason or 'no reason given'}"
            )
            lines += [f"  left out {left['day']} at {left['site']}: {left['why']}" for left in one.details]
        result = [
            {"at": one.at, "month": f"{one.month:%Y-%m}", "action": one.action, "by": one.by, "reason": one.reason, "left_out": one.details}
            for one in found
        ]  # fmt: skip
        answer(result, as_json=as_json, words="\n".join(lines) or "nothing was closed or re-opened yet")


@click.command()
@org_option
@click.option("--from", "first_day", type=DAY, default=None, help="First UTC day restated, 2026-10-01.")
@click.option("--to", "end_day", type=DAY, default=None, help="UTC day after the last.")
@json_option
@expected_errors
def restatements(org: str | None, first_day: Any, end_day: Any, as_json: bool) -> None:
    """Show what was restated: the old figure beside the new, why, and by which methods."""
    with database():
        found = restated(
            organisation_of(org).pk,
            first_day=first_day.date() if first_day else None,
            end_day=end_day.date() if end_day else None,
        )
        lines = [_restated_words(one) for one in found.rows]
        lines.append(f"{len(found.rows)} restatements, in all {_amounts(found.difference)}")
        result = {"restatements": [restated_dict(one) for one in found.rows], "difference": found.difference}
        answer(result, as_json=as_json, words="\n".join(lines))


def period_dict(one: report.PeriodRow) -> dict[str, Any]:
    """Return a period as plain values; amounts are exact integers."""
    return {
        "month": f"{one.month:%Y-%m}",
        "timezone": one.timezone,
        "start_at": one.start_at,
        "end_at": one.end_at,
        "closed": one.reopened_at is None,
        "hash": one.hash,
        "previous_hash": one.previous_hash,
        "rows": one.rows,
        "sums": one.sums,
        "closed_at": one.closed_at,
        "closed_by": one.closed_by,
        "reopened_at": one.reopened_at,
    }


def restated_dict(one: Restated) -> dict[str, Any]:
    """Return a restatement as plain values."""
    return {
        "day": one.day,
        "site": one.site,
        "posted_at": one.posted_at,
        "reason": one.reason,
        "batches": list(one.batches),
        "windows": one.windows,
        "old_methods": list(one.old_methods),
        "new_method": one.new_method,
        "corrects_month": f"{one.corrects_month:%Y-%m}" if one.corrects_month else None,
        "old": one.old,
        "new": one.new,
        "difference": one.difference,
    }


def cost(sums: dict[str, int]) -> int:
    """Return the effective cost of sums by measure, in microdollars."""
    return sum(sums[name] for name in COST_MEASURES)


def _restated_words(one: Restated) -> str:
    place = f", corrects {one.corrects_month:%Y-%m}" if one.corrects_month else ""
    methods = f"method {'+'.join(map(str, one.old_methods)) or 'none'} -> {one.new_method}"
    return (
        f"{one.day} at {one.site}: {one.windows} windows, {one.reason or 'first posted'}{place}; {methods}; "
        f"{usd(cost(one.old))} -> {usd(cost(one.new))} USD, {_amounts(one.difference)}"
    )


def _amounts(sums: dict[str, int]) -> str:
    return f"{usd(cost(sums)):+} USD, {kwh(sums['energy_millij']):+} kWh, {kg_co2e(sums['carbon_microg']):+} kgCO2e"
