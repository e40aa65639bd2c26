"""`aiobserve export`: the ledger as a file."""

from itertools import chain
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
from aiobserve.exports.files import write_csv, write_manifest
from aiobserve.exports.focus import COLUMNS, focus_rows
from aiobserve.exports.focus_corrections import correction_rows
from aiobserve.exports.ledger_csv import DEFAULT_GROUP_BY, ledger_header, ledger_rows
from aiobserve.ledger.correct import Method
from aiobserve.reports.finance_json import bill_values
from aiobserve.reports.reconciliation import reconciliation
from aiobserve.reports.scope import resolve
from aiobserve.reports.sharing import described
from aiobserve.reports.spend import spend


@click.command()
@click.argument("form", type=click.Choice(["focus", "csv"]))
@click.option(
    "--out",
    "path",
    type=out_type,
    default=None,
    help="File to write; FORM-ORG-FROM-TO.csv by default.",
)
@org_option
@click.option("--from", "first_day", default=None, help="First local day, 2026-10-01.")
@click.option("--to", "end_day", default=None, help="Local day after the last.")
@click.option("--tz", default=None, help="IANA time zone in which days begin and end; UTC by default.")
@click.option("--group-by", default=",".join(DEFAULT_GROUP_BY), show_default=True, help="Dimensions of the csv form.")
@sharing_options
@click.option(
    "--corrections",
    type=click.Choice([one.value for one in Method]),
    default=Method.LEDGER.value,
    show_default=True,
    help="How the focus form states corrections of closed months: negated and stated again, or as differences.",
)
@json_option
@expected_errors
def export(
    form: str,
    path: Path | None,
    org: str | None,
    first_day: str | None,
    end_day: str | None,
    tz: str | None,
    group_by: str,
    corrections: str,
    as_json: bool,
    **sharing: str | None,
) -> None:
    """Write the ledger as FOCUS 1.2 or plain CSV, with a manifest beside it.

    The file appears whole or not at all. The manifest has its rows, SHA-256 and total.
    """
    with database():
        scope = resolve(
            clock_at=clock(), organisation=org, first_day=first_day, end_day=end_day, timezone=tz, **sharing
        )
        path = path or Path(f"{form}-{scope.organisation.slug}-{scope.first_day}-{scope.end_day}.csv")
        dimensions = tuple(name for name in group_by.split(",") if name)
        with writing(path, makes_folder=False), spinner(f"writing {path.name}", quiet=as_json):
            if form == "focus":
                rows = chain(focus_rows(scope), correction_rows(scope, Method(corrections)))
                manifest = {**write_csv(path, COLUMNS, rows), "corrections": corrections}
            else:
                manifest = write_csv(path, ledger_header(dimensions), ledger_rows(scope, dimensions))
            total = spend(scope, group_by=()).total
        manifest |= {
            "form": "FOCUS 1.2" if form == "focus" else "csv",
            "organisation": scope.organisation.slug,
            "simulated": scope.organisation.simulated,
            "from": scope.span.start_at.isoformat(),
            "to": scope.span.end_at.isoformat(),
            "timezone": scope.timezone,
            "sharing": described(scope.sharing),
            "cost_usd": str(total.cost_usd),
            "cost_microusd": total.cost_microusd,
            "bill": bill_values(reconciliation(scope)),
        }
        with writing(path, makes_folder=False):
            write_manifest(path, manifest)
        answer(manifest, as_json=as_json, words=f"{path}: {manifest['rows']:,} rows, {total.cost_usd:,} USD")
