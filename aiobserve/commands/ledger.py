"""`aiobserve ledger`: check the books, close and re-open their months, and show what was restated."""

import click

from aiobserve.commands.periods import audit, close, periods, reopen, restatements
from aiobserve.commands.servers import database
from aiobserve.commands.terminal import answer, expected_errors, json_option, org_option, spinner
from aiobserve.pipeline.check import check_all


@click.group()
def ledger() -> None:
    """Look after the ledger."""


@ledger.command()
@org_option
@json_option
@expected_errors
def check(org: str | None, as_json: bool) -> None:
    """Check that every window balances on every measure and that no posting, token share or closed month was altered.

    All organisations, or the one that is named. Exits 1 when something is wrong, and names the window or the day.
    """
    with database():
        with spinner("adding up every window", quiet=as_json):
            checked = check_all(org)
        lines = [
            f"{checked['windows']:,} windows, {'all balanced' if checked['balanced'] else 'NOT BALANCED'}",
            *(
                f"  {name}: charged {sums['charged']}, metered {sums['metered']}, difference {sums['difference']}"
                for name, sums in checked["measures"].items()
            ),
            *(
                f"  window {one['window_start_at']} at {one['site']} is off by {one['differences']}"
                for one in checked.get("unbalanced_windows", [])
            ),
            *(f"  {one['day']} at {one['site']}: {one['what']}" for one in checked.get("altered_batches", [])),
            *(
                f"  window {one['window_start_at']} at {one['site']} is not what stands for it"
                for one in checked.get("windows_not_standing", [])
            ),
            *(f"  {one['day']} at {one['site']}: {one['what']}" for one in checked.get("altered_shares", [])),
            *([f"  {checked['orphans']} postings belong to no batch"] if "orphans" in checked else []),
            *(
                f"  {one['month']} of {one['organisation']} was closed with {one['sealed']}, now comes to {one['found']}"
                for one in checked.get("altered_periods", [])
            ),
        ]
        answer(checked, as_json=as_json, words="\n".join(lines))
        if not checked["balanced"]:
            raise SystemExit(1)


for command in (audit, close, periods, reopen, restatements):
    ledger.add_command(command)
