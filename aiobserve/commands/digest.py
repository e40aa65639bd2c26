"""`aiobserve digest preview`: the very mail that would be sent."""

from pathlib import Path

import click

from aiobserve.commands.servers import database
from aiobserve.commands.terminal import (
    answer,
    clock,
    expected_errors,
    json_option,
    org_option,
    out_type,
    sharing_options,
    spinner,
    writing,
)
from aiobserve.emails.message import message
from aiobserve.emails.weekly import weekly_digest
from aiobserve.reports.scope import resolve


@click.group()
def digest() -> None:
    """Look at the mails."""


@digest.command()
@org_option
@click.option("--to", "end_day", default=None, help="Local day after the week's last.")
@click.option("--tz", default=None, help="IANA time zone in which days begin and end; UTC by default.")
@click.option(
    "--out",
    "path",
    type=out_type,
    default=None,
    help="Also write the whole mail (.eml) or its HTML (.html).",
)
@sharing_options
@json_option
@expected_errors
def preview(
    org: str | None, end_day: str | None, tz: str | None, path: Path | None, as_json: bool, **sharing: str | None
) -> None:
    """Show the weekly digest as its reader would get it; nothing is sent."""
    with database():
        scope = resolve(clock_at=clock(), organisation=org, end_day=end_day, timezone=tz, **sharing)
        with spinner("adding up two weeks", quiet=as_json):
            made = weekly_digest(scope)
        if path is not None:
            mail = message(made, to="reader@example.com", list_id=scope.organisation.slug)
            with writing(path):
                path.write_bytes(made.html.encode() if path.suffix == ".html" else mail.message().as_bytes())
        words = f"Subject: {made.subject}\n\n{made.text}"
        answer({"subject": made.subject, "text": made.text, "html": made.html}, as_json=as_json, words=words)
