"""`aiobserve import`: take declared and recorded files into the store."""

import math
import re
from dataclasses import asdict
from datetime import UTC, date, datetime, time
from pathlib import Path
from typing import Any

import click

from aiobserve.commands.servers import database, poke
from aiobserve.commands.terminal import answer, clock, console, expected_errors, json_option, progress
from aiobserve.domain.identity import BadSlug, slug
from aiobserve.pipeline.collect import Collected, Opened, collect, opened
from aiobserve.pipeline.requests import request_collect
from aiobserve.reports.scope import FIRST_YEAR, LAST_YEAR
from aiobserve.store.write.organisation import ensure_organisation
from aiobserve.tasks import collect as collect_task
from collectors.base import Batch, SourceGarbled, SourceRefused, SourceUnavailable
from collectors.registry import make_collector
from collectors.traces.detect import detect

JOBS, POWER, RUNS = "itp-jobs", "mlperf-power", "mlperf-runs"
# Fleet before prices before signals: later files refer to what earlier ones brought.
ORDER = (
    "declared", JOBS, "gpu-catalogue", "electricity-prices", "hourly-carbon", "pjm-carbon-forecast", "servegen-load",
    "bill-rules", "focus-bill",
)  # fmt: skip
SHOWN_NOTICES = 20
CURRENCY = re.compile("[A-Z]{3}")


def _slug(context: click.Context, parameter: click.Parameter, text: str) -> str:
    try:
        return slug(text)
    except BadSlug as error:
        raise click.BadParameter(str(error)) from error


@click.command("import")
@click.argument("files", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option(
    "--org",
    default="imported",
    show_default=True,
    callback=_slug,
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
@click.option(
    "--bill-part",
    is_flag=True,
    help="A bill is one of several files of its billing period: add it to those that are there instead of replacing them.",
)
@click.option("--queue", is_flag=True, help="Leave the work to the workers of `aiobserve up` instead of doing it here.")
@json_option
@expected_errors
def import_files(files: tuple[Path, ...], org: str, queue: bool, as_json: bool, **terms: Any) -> None:
    """Take FILES (declared TOML, and recorded jobs, power, prices, carbon, load, bills) into the store.

    What a file is, is told by its columns, or by its first table where it is TOML. Rows that cannot be used are
    listed with their position and never stop the rest; nor does a file that is none of ours, or of which every entry
    was refused: it is named, and the exit code is 1. Safe to stop at any time and to run again: nothing is lost and
    nothing is taken in twice.
    """
    kinds, failed = _kinds(files)
    options = _options(kinds, terms)
    results: list[dict[str, Any]] = []
    with database():
        for path, kind in sorted(kinds.items(), key=lambda item: _rank(item[1])):
            if kind in (POWER, RUNS):
                continue
            one = {**options, "path": str(path.absolute())}
            try:
                results.append({"file": str(path), "format": kind, **_take(org, kind, one, queue, as_json)})
            except (SourceGarbled, SourceRefused, SourceUnavailable) as error:
                failed.append({"file": str(path), "error": str(error)})
        failed += [_refused(one) for one in results if one.get("all_refused")]
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
    return kinds, failed + _lonely(kinds)


def _refused(result: dict[str, Any]) -> dict[str, str]:
    """Return a file of which nothing came in, as one that failed."""
    error = f"{result['file']}: every entry in it is refused; correct them and import it again"
    return {"file": result["file"], "error": error}


def _lonely(kinds: dict[Path, str]) -> list[dict[str, str]]:
    """Return the power files that nothing would come of; power is taken in only as the power of jobs."""
    power, runs, jobs = ([path for path, kind in kinds.items() if kind == one] for one in (POWER, RUNS, JOBS))
    wrong = []
    if (power or runs) and not jobs:
        wrong.append("power needs the jobs that drew it in the same command")
    if bool(power) != bool(runs):
        wrong.append(f"a power log and its runs belong together; give a file of {RUNS if power else POWER} too")
    if len(power) > 1 or len(runs) > 1:
        wrong.append("only one power log with its runs can be taken at a time")
    return [{"file": str(path), "error": f"{path}: {'; '.join(wrong)}"} for path in (*power, *runs) if wrong]


def _take(org: str, kind: str, options: dict[str, Any], queue: bool, quiet: bool) -> dict[str, Any]:
    if queue:
        request_id = request_collect(ensure_organisation(org, name=org), kind, options)
        poke(collect_task, request_id=request_id)
        return {"request": request_id}
    # The organisation is made once there is something to put into it.
    source = opened(make_collector(kind, options))
    return _collect(ensure_organisation(org, name=org), source, quiet=quiet)


def _collect(organisation_id: int, source: Opened, *, quiet: bool) -> dict[str, Any]:
    """Return what came in, and whether the file holds entries none of which can be used, now or when it first came."""
    shown = usable = refused = 0
    with progress(quiet=quiet) as bar:
        task = bar.add_task(f"importing {source.name}", total=None)

        def advance(batch: Batch, so_far: Collected) -> None:
            nonlocal shown, usable, refused
            usable, refused = usable + batch.rows, refused + batch.rejected
            bar.update(task, advance=1, description=f"importing {source.name}: {so_far.rows:,} rows")
            notices = [(one.position, one.reason) for one in batch.rejections]
            for position, reason in [*notices, *((gap.position, gap.reason) for gap in batch.gaps)]:
                shown += 1
                if shown <= SHOWN_NOTICES and not quiet:
                    console.print(f"  row {position}: {reason}", style="yellow", markup=False, soft_wrap=True)

        collected = collect(organisation_id, source, now_at=clock(), on_batch=advance)
    if shown > SHOWN_NOTICES and not quiet:
        more = f"  ... and {shown - SHOWN_NOTICES:,} more; all are kept with their reasons in ingest_rejection"
        console.print(more, soft_wrap=True)
    return {**asdict(collected), "all_refused": refused > 0 and not usable}


def _rank(kind: str) -> int:
    return ORDER.index(kind) if kind in ORDER else -1


def _options(kinds: dict[Path, str], terms: dict[str, Any]) -> dict[str, Any]:
    options: dict[str, Any] = {
        "sku": terms["sku"],
        "cloud": terms["cloud"],
        "valid_from_at": _midnight(terms["valid_from"]),
        "start_at": _midnight(terms["load_start"]),
        "includes_electricity": not terms["electricity_apart"],
        "usd_per_unit": _rates(terms["usd_per_unit"]),
        "is_part": terms["bill_part"],
    }
    power = [str(one.absolute()) for one, kind in kinds.items() if kind == POWER]
    runs = [str(one.absolute()) for one, kind in kinds.items() if kind == RUNS]
    if len(power) == len(runs) == 1:
        options |= {"power_path": power[0], "runs_path": runs[0]}
    return options


def _midnight(text: str) -> str:
    try:
        day = date.fromisoformat(text)
    except ValueError as error:
        raise click.BadParameter(f"{text!r} is no date; write it as 2021-03-01") from error
    if not FIRST_YEAR <= day.year <= LAST_YEAR:
        raise click.BadParameter(f"{text!r} is no date of ours; years from {FIRST_YEAR} to {LAST_YEAR} are known")
    return datetime.combine(day, time(), UTC).isoformat()


def _rates(texts: tuple[str, ...]) -> dict[str, float]:
    """Return dollars per unit by currency; a rate is a number above zero and stands once, and a dollar is a dollar."""
    rates: dict[str, float] = {}
    for text in texts:
        currency, _, written = text.partition("=")
        try:
            rate = float(written)
        except ValueError as error:
            raise click.BadParameter(f"{text!r}: write it as EUR=1.18") from error
        if not (math.isfinite(rate) and rate > 0):
            raise click.BadParameter(f"{text!r}: a rate is a number above zero; write it as EUR=1.18")
        if not CURRENCY.fullmatch(currency) or currency == "USD":
            raise click.BadParameter(f"{text!r}: name a currency other than USD by its three letters, as in EUR=1.18")
        if currency in rates:
            raise click.BadParameter(f"{text!r}: {currency} has a rate already, {rates[currency]}; give one")
        rates[currency] = rate
    return rates


def _words(result: dict[str, Any]) -> str:
    if "request" in result:
        return f"{result['file']}: {result['format']}, left to the workers as request {result['request']}"
    old = result["batches"] - result["new_batches"]
    again = f" ({old} of {result['batches']} batches were there already)" if old else ""
    gaps = f", {result['missing_steps']:,} hours missing (gaps: {result['gaps']:,})" if result["gaps"] else ""
    return (
        f"{result['file']}: {result['format']}, {result['rows']:,} rows in, {result['rejected']:,} refused{gaps}{again}"
    )
