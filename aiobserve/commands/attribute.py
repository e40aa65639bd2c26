"""`aiobserve attribute`: attribute every day that is due."""

import click

from aiobserve.commands.servers import database
from aiobserve.commands.terminal import answer, clock, expected_errors, json_option, org_option, progress
from aiobserve.pipeline.attribute import DayAttributed
from aiobserve.pipeline.sweep import Swept, attribute_due
from aiobserve.reports.scope import organisation_of, present
from aiobserve.store.read import fleet


@click.command()
@org_option
@json_option
@expected_errors
def attribute(org: str | None, as_json: bool) -> None:
    """Attribute energy, carbon and money of every day that is due, and post it to the ledger.

    Safe to stop and to run again: a day is posted whole or not at all, and a day that comes to the same is
    not posted twice. Exits 1 when a day had to be left, with the reason.
    """
    with database():
        organisation = organisation_of(org)
        swept = attribute_all(organisation, quiet=as_json)
        left = [{"site_id": one.site_id, "day": one.day, "reason": one.blocked_reason} for one in swept.blocked]
        words = f"{swept.days} days attributed: {swept.posted} postings in {swept.windows} windows, {swept.reversed} reversed"
        words += "".join(f"\n{one['day']} left: {one['reason']}" for one in left)
        result = {
            "days": swept.days,
            "posted": swept.posted,
            "reversed": swept.reversed,
            "windows": swept.windows,
            "left": left,
        }
        answer(result, as_json=as_json, words=words)
        if left:
            raise SystemExit(1)


def attribute_all(organisation: fleet.OrganisationRow, *, quiet: bool) -> Swept:
    """Attribute the due days of an organisation with a progress bar."""
    due = fleet.due_days(organisation.pk)
    with progress(quiet=quiet) as bar:
        task = bar.add_task("attributing days", total=len(due))

        def advance(day: DayAttributed) -> None:
            bar.advance(task)

        return attribute_due(organisation.pk, now_at=present(organisation, clock()), on_day=advance, due=due)
