"""`aiobserve demo`: load the simulated company, attribute it, plan its queue, and serve it."""

import time

import click

from aiobserve.commands.attribute import attribute_all
from aiobserve.commands.servers import database, migrate, pending_migrations
from aiobserve.commands.terminal import answer, console, expected_errors, json_option, progress
from aiobserve.commands.up import serve
from aiobserve.pipeline.collect import Collected, collect
from aiobserve.pipeline.plan import make_plan
from aiobserve.reports.schedule import plan_report
from aiobserve.reports.scope import organisation_of
from aiobserve.store.write.organisation import ensure_organisation
from collectors.base import Batch
from collectors.simulated import NOW_AT, ORGANISATION, SLUG, SPAN, SimulatedFleet

# Catalogue, token prices, queue, weeks of jobs and of tokens, days of telemetry.
BATCHES = 3 + 2 * 13 + len(list(SPAN.days()))


@click.command()
@click.option("--no-serve", is_flag=True, help="Load everything and stop.")
@click.option("--port", default=8000, show_default=True, help="Port of the web pages.")
@json_option
@expected_errors
def demo(no_serve: bool, port: int, as_json: bool) -> None:
    """Load a simulated company of 40 GPUs and 90 days, and serve it.

    The company is marked as simulated wherever it is shown. A second run finds everything there and starts at once.
    """
    with database(any_state=True):
        if pending_migrations():
            migrate()
        started_s = time.monotonic()
        loaded = load(quiet=as_json)
        took_s = time.monotonic() - started_s
        answer(
            {**loaded, "seconds": round(took_s, 1)},
            as_json=as_json,
            words=f"{ORGANISATION}: {loaded['rows']:,} rows, {loaded['postings']:,} postings, {took_s:.0f} s",
        )
        if not no_serve:
            serve(port=port, as_json=as_json)


def load(*, quiet: bool) -> dict[str, int]:
    """Load, attribute and plan the simulated company; everything that is there already is left alone."""
    organisation_id = ensure_organisation(SLUG, name=ORGANISATION, simulated=True, now_at=NOW_AT)
    with progress(quiet=quiet) as bar:
        task = bar.add_task("loading 90 days of 40 GPUs", total=BATCHES)

        def advance(batch: Batch, so_far: Collected) -> None:
            bar.advance(task)

        collected = collect(organisation_id, SimulatedFleet(), now_at=NOW_AT, on_batch=advance)
    swept = attribute_all(organisation_of(SLUG), quiet=quiet)
    if plan_report(organisation_id) is None:
        make_plan(organisation_id, now_at=NOW_AT)
    if not quiet and not collected.new_batches:
        console.print("everything was there already")
    return {"rows": collected.rows, "days": swept.days, "postings": swept.posted}
