"""`aiobserve explain`: how a figure came about."""

import click

from aiobserve.commands.servers import database
from aiobserve.commands.terminal import answer, expected_errors, json_option, org_option
from aiobserve.reports.explain import NoSuchJob, explain_job
from aiobserve.reports.scope import organisation_of


@click.command()
@click.argument("job_key")
@org_option
@json_option
@expected_errors
def explain(job_key: str, org: str | None, as_json: bool) -> None:
    """Explain what the job JOB_KEY cost: from the figure to postings, inputs, factors and formula."""
    with database():
        try:
            found = explain_job(organisation_of(org).pk, job_key)
        except NoSuchJob as error:
            raise click.ClickException(str(error)) from error
        amounts = found.amounts
        result = {
            "job": found.job.key,
            "cost_usd": str(amounts.cost_usd),
            "energy_kwh": str(amounts.energy_kwh),
            "carbon_kg": str(amounts.carbon_kg),
            "gpu_hours": str(amounts.gpu_hours),
            "postings": found.trail.postings,
            "batches": list(found.trail.batches),
            "explanation": list(found.lines),
        }
        answer(result, as_json=as_json, words="\n".join(found.lines))
