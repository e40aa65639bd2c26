"""`aiobserve reconcile`: the ledger beside the imported bill."""

import click

from aiobserve.commands.dollars import Dollars
from aiobserve.commands.scope_options import scope_of, scope_options
from aiobserve.commands.servers import database
from aiobserve.commands.terminal import answer, expected_errors, json_option
from aiobserve.domain.units import usd
from aiobserve.ledger.reconcile import REASONS, Status, Thresholds
from aiobserve.reports.finance_json import reconciliation_values
from aiobserve.reports.reconciliation import Reconciled, reconciliation

SHOWN_LINES = 40


@click.command()
@scope_options
@click.option("--bill", "provider", default=None, help="Compare with the bill of this provider alone.")
@click.option(
    "--warn-usd", default="1", type=Dollars(), show_default=True, help="Unexplained money of a line from which to warn."
)
@click.option(
    "--breach-usd",
    default="10",
    type=Dollars(),
    show_default=True,
    help="Unexplained money of a line that is a breach.",
)
@json_option
@expected_errors
def reconcile(
    org: str | None,
    first_day: str | None,
    end_day: str | None,
    tz: str | None,
    provider: str | None,
    warn_usd: int,
    breach_usd: int,
    as_json: bool,
) -> None:
    """Compare the ledger with the imported bill: matched, explained, unexplained.

    bill = ledger + explained + unexplained, to the microdollar. Exits 1 when what nobody can explain of a line is
    beyond the limit of a breach (that many dollars, or one per cent of the line).
    """
    limits = Thresholds(warn_microusd=warn_usd, breach_microusd=breach_usd)
    with database():
        scope = scope_of(org, first_day, end_day, tz)
        found = reconciliation(scope, provider=provider, thresholds=limits)
        answer(reconciliation_values(found), as_json=as_json, words="\n".join(_words(found)))
    if found.found is not None and found.found.status is Status.BREACH:
        raise SystemExit(1)


def _words(found: Reconciled) -> list[str]:
    if found.found is None or found.ledger_total_microusd is None:
        return ["no bill touches these days: `aiobserve import FILE` takes one in"]
    whole = found.found
    lines = [
        f"{line.period:%Y-%m} {line.status.upper():6} {usd(line.billed_microusd):>14,} billed {usd(line.ledger_microusd):>14,} "
        f"ledger  {line.service or line.provider} {', '.join(line.resources)}: {line.words}"
        for line in sorted(whole.lines, key=lambda one: (list(Status).index(one.status) * -1, one.period))[:SHOWN_LINES]
    ]
    if len(whole.lines) > SHOWN_LINES:
        lines.append(f"... and {len(whole.lines) - SHOWN_LINES} more lines: --json lists them all")
    explained = whole.explained
    return [
        *lines,
        f"{'ledger':14}{usd(whole.ledger_microusd):>16,} USD of what is billed",
        *(f"{reason:14}{usd(explained[reason]):>16,} USD" for reason in REASONS if explained[reason]),
        f"{'unexplained':14}{usd(whole.unexplained_microusd):>16,} USD",
        f"{'bill':14}{usd(whole.billed_microusd):>16,} USD, {whole.status}",
        f"{'not on a bill':14}{usd(whole.outside_microusd):>16,} USD of the ledger's {usd(found.ledger_total_microusd):,} USD",
    ]
