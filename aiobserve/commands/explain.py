"""`aiobserve explain`: how a figure came about."""

from dataclasses import replace

import click

from aiobserve.commands.servers import database
from aiobserve.commands.terminal import answer, clock, expected_errors, json_option, org_option, sharing_options
from aiobserve.reports.explain import FIGURES, FIRST, explain, question_of
from aiobserve.reports.scope import resolve
from aiobserve.reports.scope_of_job import days_of_job


@click.command("explain")
@click.argument("job_key", required=False)
@org_option
@click.option("--from", "first_day", default=None, help="First local day, 2026-10-01.")
@click.option("--to", "end_day", default=None, help="Local day after the last.")
@click.option("--tz", default=None, help="IANA time zone in which days begin and end; UTC by default.")
@click.option("--filter", "texts", multiple=True, help="As team=Vision or account=idle; may be given several times.")
@click.option(
    "--figure", type=click.Choice(list(FIGURES)), default="cost", show_default=True, help="What is explained."
)
@click.option("--window", default=None, help="Quarter of an hour whose formula is filled in, 2026-10-15T06:00Z.")
@click.option("--device", default=None, help="Uid of a device whose samples in that window are listed.")
@click.option(
    "--first", default=FIRST, show_default=True, type=click.IntRange(1, 10_000), help="How many to list of each."
)
@sharing_options
@json_option
@expected_errors
def explain_figure(
    job_key: str | None,
    org: str | None,
    first_day: str | None,
    end_day: str | None,
    tz: str | None,
    texts: tuple[str, ...],
    figure: str,
    window: str | None,
    device: str | None,
    first: int,
    as_json: bool,
    **sharing: str | None,
) -> None:
    """Explain a figure: from the amount to postings, inputs, prices and factors, formula and samples.

    A job by JOB_KEY, over its whole life; or any cell of a report, by days and filters.
    """
    filters: dict[str, list[str]] = {}
    for name, value in map(_filter, texts):
        filters.setdefault(name, []).append(value)
    with database():
        if job_key and not (first_day or end_day):
            first_day, end_day = days_of_job(org, job_key, clock_at=clock())
        scope = resolve(
            clock_at=clock(), organisation=org, first_day=first_day, end_day=end_day, timezone=tz, **sharing
        )
        if job_key:
            filters["job"] = [job_key]
        question = question_of(scope, filters, figure=figure, window=window, device=device)
        found = explain(replace(question, first=first))
        amounts = found.amounts
        result = {
            "job": job_key,
            "figure": figure,
            "exact": str(found.exact),
            "cost_usd": str(amounts.cost_usd),
            "energy_kwh": str(amounts.energy_kwh),
            "carbon_kg": str(amounts.carbon_kg),
            "gpu_hours": str(amounts.gpu_hours),
            "postings": found.postings,
            "batches": list(found.batches),
            "explanation": list(found.lines),
        }
        answer(result, as_json=as_json, words="\n".join(found.lines))


def _filter(text: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if not equals:
        raise click.BadParameter(f"{text!r} is no filter; write team=Vision", param_hint="--filter")
    return name, value
