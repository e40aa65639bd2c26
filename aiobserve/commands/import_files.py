"""`aiobserve import`: take declared and recorded files into the store."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click

from aiobserve.commands.servers import database, poke
from aiobserve.commands.terminal import answer, clock, console, expected_errors, json_option, progress
from aiobserve.pipeline.collect import Collected, collect
from aiobserve.pipeline.requests import request_collect
from aiobserve.store.write.organisation import ensure_organisation
from aiobserve.tasks import collect as collect_task
from collectors.base import Batch, SourceGarbled, SourceRefused, SourceUnavailable
from collectors.registry import make_collector
from collectors.traces.detect import detect

# Fleet before prices before signals: later files refer to what earlier ones brought.
ORDER = (
    "declared", "itp-jobs", "gpu-catalogue", "electricity-prices", "hourly-carbon", "pjm-carbon-forecast", "servegen-load",
)  # fmt: skip
POWER, RUNS = "mlperf-power", "mlperf-runs"
SHOWN_REJECTIONS = 20


@click.command("import")
@click.argument("files", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option(
    "--org",
    default="imported",
    show_default=True,
    help="Slug of the organisation that the files belong to; made if new.",
)
@click.option(
    "--sku", default="A100 (80 GB)", show_default=True, help="Kind of GPU of jobs that name none; as in the price file."
)
@click.option(
    "--cloud", default="Oracle Cloud", show_default=True, help="Whose prices to take from a GPU price catalogue."
)
@click.option(
    "--valid-from",
    default="2021-03-01",
    show_default=True,
    help="Date from which prices of a catalogue without dates hold.",
)
@click.option(
    "--electricity-apart",
    is_flag=True,
    help="Prices per GPU-hour do not include electricity; it is charged apart, by the hour.",
)
@click.option(
    "--usd-per-unit",
    multiple=True,
    metavar="CUR=RATE",
    help="Dollars per unit of a currency in a price file, e.g. EUR=1.18.",
)
@click.option(
    "--load-start", default="2021-03-04", show_default=True, help="Date that recorded request load is moved to."
)
@click.option("--queue", is_flag=True, help="Leave the work to the workers of `aiobserve up` instead of doing it here.")
@json_option
@expected_errors
def import_files(files: tuple[Path, ...], org: str, queue: bool, as_json: bool, **terms: Any) -> None:
    """Take FILES (declared TOML, and recorded jobs, power, prices, carbon, load) into the store.

    What a file is, is told by its columns, or by its first table where it is TOML. Rows that cannot be used are
    listed with their position and never stop the rest; nor does a file that is none of ours: it is named, and
    the exit code is 1. Safe to stop at any time and to run again: nothing is lost and nothing is taken in twice.
    """
    kinds, failed = _kinds(files)
    results: list[dict[str, Any]] = []
    with database():
        organisation_id = ensure_organisation(org, name=org)
        for path, kind in sorted(kinds.items(), key=lambda item: _rank(item[1])):
            if kind in (POWER, RUNS):
                continue
            options = _options(path, kinds, terms)
            try:
                results.append(
                    {"file": str(path), "format": kind, **_take(organisation_id, kind, options, queue, as_json)}
                )
            except (SourceGarbled, SourceRefused, SourceUnavailable) as error:
                failed.append({"file": str(path), "error": str(error)})
        words = "\n".join([*map(_words, results), *(f"NOT IMPORTED: {one['error']}" for one in failed)])
        answer({"organisation": org, "files": results, "failed": failed}, as_json=as_json, words=words)
    if failed:
        raise SystemExit(1)


def _kinds(files: tuple[Path, ...]) -> tuple[dict[Path, str], list[dict[str, str]]]:
    """Return the format of each file that has one, and the others with what is wrong; they do not stop the rest."""
    kinds, failed = {}, []
    for path in files:
        try:
            kinds[path] = detect(path)
        except (SourceGarbled, SourceUnavailable) as error:
            failed.append({"file": str(path), "error": str(error)})
    return kinds, failed


def _take(organisation_id: int, kind: str, options: dict[str, Any], queue: bool, quiet: bool) -> dict[str, Any]:
    if queue:
        request_id = request_collect(organisation_id, kind, options)
        poke(collect_task, request_id=request_id)
        return {"request": request_id}
    collected = _collect(organisation_id, kind, options, quiet=quiet)
    return {
        "rows": collected.rows, "rejected": collected.rejected, "batches": collected.batches,
        "new_batches": collected.new_batches,
    }  # fmt: skip


def _collect(organisation_id: int, kind: str, options: dict[str, Any], *, quiet: bool) -> Collected:
    shown = 0
    with progress(quiet=quiet) as bar:
        task = bar.add_task(f"importing {kind}", total=None)

        def advance(batch: Batch, so_far: Collected) -> None:
            nonlocal shown
            bar.update(task, advance=1, description=f"importing {kind}: {so_far.rows:,} rows")
            for one in batch.rejections:
                shown += 1
                if shown <= SHOWN_REJECTIONS and not quiet:
                    console.print(f"  row {one.position}: {one.reason}", style="yellow", markup=False)

        collected = collect(organisation_id, make_collector(kind, options), now_at=clock(), on_batch=advance)
    if shown > SHOWN_REJECTIONS and not quiet:
        console.print(f"  ... and {shown - SHOWN_REJECTIONS} more; all are kept with their reasons in ingest_rejection")
    return collected


def _rank(kind: str) -> int:
    return ORDER.index(kind) if kind in ORDER else -1


def _options(path: Path, kinds: dict[Path, str], terms: dict[str, Any]) -> dict[str, Any]:
    options: dict[str, Any] = {
        "path": str(path.absolute()),
        "sku": terms["sku"],
        "cloud": terms["cloud"],
        "valid_from_at": _midnight(terms["valid_from"]),
        "start_at": _midnight(terms["load_start"]),
        "includes_electricity": not terms["electricity_apart"],
        "usd_per_unit": dict(_rate(text) for text in terms["usd_per_unit"]),
    }
    power = [str(one.absolute()) for one, kind in kinds.items() if kind == POWER]
    runs = [str(one.absolute()) for one, kind in kinds.items() if kind == RUNS]
    if power and runs:
        options |= {"power_path": power[0], "runs_path": runs[0]}
    return options


def _midnight(text: str) -> str:
    try:
        return datetime.fromisoformat(text).replace(tzinfo=UTC).isoformat()
    except ValueError as error:
        raise click.BadParameter(f"{text!r} is no date; write it as 2021-03-01") from error


def _rate(text: str) -> tuple[str, float]:
    currency, _, rate = text.partition("=")
    try:
        return currency, float(rate)
    except ValueError as error:
        raise click.BadParameter(f"{text!r}: write it as EUR=1.18") from error


def _words(result: dict[str, Any]) -> str:
    if "request" in result:
        return f"{result['file']}: {result['format']}, left to the workers as request {result['request']}"
    old = result["batches"] - result["new_batches"]
    again = f" ({old} of {result['batches']} batches were there already)" if old else ""
    return f"{result['file']}: {result['format']}, {result['rows']:,} rows in, {result['rejected']:,} refused{again}"
