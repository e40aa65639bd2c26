"""`aiobserve attribute`: attribute every day that is due."""

from collections.abc import Sequence

import click

from aiobserve.commands.servers import database
from aiobserve.commands.terminal import answer, clock, expected_errors, json_option, org_option, progress
from aiobserve.pipeline.attribute import DayAttributed
from aiobserve.pipeline.sweep import Swept, attribute_due, due_of
from aiobserve.reports.scope import organisation_of, present
from aiobserve.store.read import fleet


@click.command()
@org_option
@click.option("--site", "sites", multiple=True, help="Attribute this site's days alone; may be given several times.")
@json_option
@expected_errors
def attribute(org: str | None, sites: tuple[str, ...], as_json: bool) -> None:
    """Attribute energy, carbon and money of every day that is due, and post it to the ledger.

    Safe to stop and to run again: a day is posted whole or not at all, and a day that comes to the same is
    not posted twice. Exits 1 when a day had to be left, with the reason.
    """
    with database():
        organisation = organisation_of(org)
        swept = attribute_all(organisation, quiet=as_json, site_ids=_ids(organisation, sites))
        left = [{"site_id": one.site_id, "day": one.day, "reason": one.blocked_reason} for one in swept.blocked]
        words = f"{swept.days:,} days attributed: {swept.posted:,} postings in {swept.windows:,} windows, {swept.reversed:,} reversed"
        words += f"; {len(left):,} left" if left else ""
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


def _ids(organisation: fleet.OrganisationRow, names: tuple[str, ...]) -> list[int] | None:
    known = {site.name: site.pk for site in fleet.sites(organisation.pk)}
    unknown = [name for name in names if name not in known]
    if unknown:
        raise click.BadParameter(f"no site {unknown[0]!r}; there are: {', '.join(known)}", param_hint="--site")
    return [known[name] for name in names] or None


def attribute_all(organisation: fleet.OrganisationRow, *, quiet: bool, site_ids: Sequence[int] | None = None) -> Swept:
    """Attribute the due days of an organisation with a progress bar."""
    due = due_of(organisation.pk, site_ids)
    with progress(quiet=quiet) as bar:
        task = bar.add_task("attributing days", total=len(due))

        def advance(day: DayAttributed) -> None:
            bar.advance(task)

        return attribute_due(organisation.pk, now_at=present(organisation, clock()), on_day=advance, site_ids=site_ids)
