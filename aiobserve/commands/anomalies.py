"""`aiobserve anomalies`: days that cost other than expected, and what drove them."""

import click

from aiobserve.commands.scope_options import scope_of, scope_options
from aiobserve.commands.servers import database
from aiobserve.commands.terminal import answer, expected_errors, json_option
from aiobserve.domain.units import usd
from aiobserve.reports.anomalies import Episode, anomaly_report
from aiobserve.reports.finance_json import anomaly_values


@click.command()
@scope_options
@click.option(
    "--limit", default=20, show_default=True, type=click.IntRange(1, 10_000), help="How many to tell; --json gives all."
)
@json_option
@expected_errors
def anomalies(
    org: str | None, first_day: str | None, end_day: str | None, tz: str | None, limit: int, as_json: bool
) -> None:
    """Tell the days that cost other than expected, the largest change first, with what drove them."""
    with database():
        found = anomaly_report(scope_of(org, first_day, end_day, tz))
        told = [_words(one) for one in found.episodes[:limit]]
        more = len(found.episodes) - limit
        told += [f"... and {more} more"] if more > 0 else []
        nothing = (
            f"nothing stands out ({found.known_days} days are known; three of a weekday are needed to compare with)"
        )
        answer(anomaly_values(found), as_json=as_json, words="\n".join(told) or nothing)


def _words(one: Episode) -> str:
    days = len(one.anomalies)
    until = (
        f"; one of {days} days from {one.first.day} to {one.last_day}, {usd(one.change_microusd):+,} USD together"
        if days > 1
        else ""
    )
    return f"{one.driver.upper():11} {one.peak.words}{until}"
