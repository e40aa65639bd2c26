"""`aiobserve demo`: load the simulated company, attribute it, plan its queue, and serve it."""

import os
import subprocess
import sys
import time
from collections import Counter

import click
import orjson

from aiobserve.commands.attribute import attribute_all
from aiobserve.commands.servers import database, migrate, pending_migrations
from aiobserve.commands.terminal import answer, console, expected_errors, json_option, port_type, progress, spinner
from aiobserve.commands.up import serve
from aiobserve.pipeline.collect import Collected, collect
from aiobserve.pipeline.demo_finance import load_finance
from aiobserve.pipeline.plan import make_plan
from aiobserve.pipeline.sweep import due_of
from aiobserve.reports.schedule import plan_report
from aiobserve.reports.scope import organisation_of
from aiobserve.store.hurry import NOT_WAITING, not_waiting_for_the_disk
from aiobserve.store.read import fleet
from aiobserve.store.write.organisation import ensure_organisation
from collectors.base import Batch
from collectors.simulated import NOW_AT, ORGANISATION, SLUG, SPAN, SimulatedFleet

# Catalogue, token prices, queue, weeks of jobs and of tokens, days of telemetry.
BATCHES = 3 + 2 * 13 + len(list(SPAN.days()))


@click.command()
@click.option("--no-serve", is_flag=True, help="Load everything and stop.")
@click.option("--port", type=port_type, default=8000, show_default=True, help="Port of the web pages.")
@json_option
@expected_errors
def demo(no_serve: bool, port: int, as_json: bool) -> None:
    """Load a simulated company of 40 GPUs and 90 days, and serve it.

    The company is marked as simulated wherever it is shown. A second run finds everything there and starts at once.
    """
    with database(any_state=True) as url:
        if pending_migrations():
            migrate()
        started_s = time.monotonic()
        loaded = load(url, quiet=as_json)
        took_s = time.monotonic() - started_s
        answer(
            {**loaded, "seconds": round(took_s, 1)},
            as_json=as_json,
            words=f"{ORGANISATION}: {loaded['rows']:,} rows, {loaded['postings']:,} postings, {took_s:.0f} s",
        )
        if not no_serve:
            serve(port=port, as_json=as_json)


def load(url: str, *, quiet: bool) -> dict[str, int]:
    """Load, attribute and plan the simulated company; everything that is there already is left alone.

    What a power failure takes of the last moments is missing as a whole, and made again by the next run.
    """
    with not_waiting_for_the_disk():
        return _load(url, quiet=quiet)


def _load(url: str, *, quiet: bool) -> dict[str, int]:
    organisation_id = ensure_organisation(SLUG, name=ORGANISATION, simulated=True, now_at=NOW_AT)
    with progress(quiet=quiet) as bar:
        task = bar.add_task("loading 90 days of 40 GPUs", total=BATCHES)

        def advance(batch: Batch, so_far: Collected) -> None:
            bar.advance(task)

        collected = collect(organisation_id, SimulatedFleet(), now_at=NOW_AT, on_batch=advance)
    load_finance(organisation_id, now_at=NOW_AT)
    days, postings = _attribute(url, quiet=quiet)
    if plan_report(organisation_id) is None:
        with spinner("planning the queue", quiet=quiet):
            make_plan(organisation_id, now_at=NOW_AT)
    if not quiet and not collected.new_batches:
        console.print("everything was there already")
    return {"rows": collected.rows, "days": days, "postings": postings}


def _attribute(url: str, *, quiet: bool) -> tuple[int, int]:
    """Attribute what is due, every other site here and the rest in a process beside it; returns days and postings.

    A site's days are left to one process, because a day takes the idle power that was seen on the days before it.
    """
    organisation = organisation_of(SLUG)
    due = Counter(site_id for site_id, _ in due_of(organisation.pk))
    busy = [site for site in fleet.sites(organisation.pk) if due[site.pk]]
    busy.sort(key=lambda site: len(fleet.devices(site.pk)), reverse=True)
    beside = None
    if len(busy) > 1:
        command = [sys.executable, "-m", "aiobserve", "attribute", "--org", SLUG, "--json"]
        command += [word for site in busy[1::2] for word in ("--site", site.name)]
        beside = subprocess.Popen(
            command, env={**os.environ, "DATABASE_URL": url, **NOT_WAITING}, stdout=subprocess.PIPE
        )
    swept = [attribute_all(organisation, quiet=quiet, site_ids=[site.pk for site in busy[::2]])]
    found = orjson.loads(beside.communicate()[0] or b"{}") if beside else {}
    # What either of them made due or had to leave.
    swept.append(attribute_all(organisation, quiet=quiet or not due_of(organisation.pk)))
    return (
        sum(one.days for one in swept) + int(found.get("days", 0)),
        sum(one.posted for one in swept) + int(found.get("posted", 0)),
    )
