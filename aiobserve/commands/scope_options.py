"""The options of a command that reports on a span of days, and the scope that they name."""

from collections.abc import Callable
from typing import Any

import click

from aiobserve.commands.terminal import clock, org_option
from aiobserve.reports.scope import Scope, resolve


def scope_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add --org, --from, --to and --tz; the command gets them as org, first_day, end_day and tz."""
    for option in (
        click.option("--tz", default=None, help="IANA time zone in which days begin and end; UTC by default."),
        click.option("--to", "end_day", default=None, help="Local day after the last."),
        click.option("--from", "first_day", default=None, help="First local day, 2026-10-01; 30 days by default."),
        org_option,
    ):
        command = option(command)
    return command


def scope_of(org: str | None, first_day: str | None, end_day: str | None, tz: str | None) -> Scope:
    """Return the scope that the options name.

    Raises:
        BadScope: they cannot be understood.
    """
    return resolve(clock_at=clock(), organisation=org, first_day=first_day, end_day=end_day, timezone=tz)
