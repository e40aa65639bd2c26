"""`aiobserve forecast`: what the month will come to, with an interval."""

import click

from aiobserve.commands.scope_options import scope_of
from aiobserve.commands.servers import database
from aiobserve.commands.terminal import answer, expected_errors, json_option, org_option
from aiobserve.ledger.budget import MEASURES, SCOPES, written
from aiobserve.reports.finance_json import forecast_values
from aiobserve.reports.forecast import MonthForecast, month_forecast


@click.command()
@org_option
@click.option("--measure", type=click.Choice(list(MEASURES)), default="cost", show_default=True)
@click.option("--by", type=click.Choice(SCOPES), default="whole", show_default=True)
@click.option("--subject", default="", help="Name of the team, project or model; needed unless --by is whole.")
@click.option("--tz", default=None, help="IANA time zone in which days begin and end; UTC by default.")
@json_option
@expected_errors
def forecast(org: str | None, measure: str, by: str, subject: str, tz: str | None, as_json: bool) -> None:
    """Forecast the month that holds the last posting."""
    with database():
        found = month_forecast(scope_of(org, None, None, tz), measure=measure, by=by, subject=subject)
        if found is None:
            raise click.ClickException("nothing was posted yet: run `aiobserve attribute`")
        answer(forecast_values(found), as_json=as_json, words="\n".join(_words(found)))


def _words(one: MonthForecast) -> list[str]:
    def told(amount: int) -> str:
        return written(one.measure, amount)

    lines = [
        f"{one.first:%B %Y}, {one.of}: {told(one.spent)} so far, {told(one.expected)} expected",
        *(f"with {coverage:.0%}: {told(low)} to {told(high)}" for coverage, low, high in one.intervals),
        f"by the run rate it would be {told(one.run_rate)}; the interval rests on {one.made.errors} past forecasts",
    ]
    return (
        [*lines, "the history is too short for that interval: it is wide, and a guess"] if one.made.is_short else lines
    )
