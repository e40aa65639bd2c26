"""What the commands share at the terminal: JSON or words, progress, errors as one line."""

import functools
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click
import orjson
from django.db import OperationalError
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

from aiobserve.commands.servers import BadAddress, BrokerUnreachable, NotMigrated
from aiobserve.domain.identity import BadSlug
from aiobserve.embedded.broker import BrokerNotInstalled
from aiobserve.embedded.postgres_home import PostgresNotInstalled
from aiobserve.embedded.server import ServerFailed
from aiobserve.ledger.budget import BadBudget
from aiobserve.pipeline.close import CannotClose
from aiobserve.pipeline.plan import UnknownPolicy
from aiobserve.reports.scope import BadScope
from aiobserve.reports.sharing import IDLE_POLICIES, OVERHEAD_POLICIES
from aiobserve.reports.spend import UnknownDimension
from aiobserve.store.read.fleet import NoSuchOrganisation
from collectors.base import SourceGarbled, SourceRefused, SourceUnavailable
from scheduler.forecasting.blend import NoIssueYet
from scheduler.replay.clairvoyant import SignalTooShort
from scheduler.replay.gaia import JobsOutlastSignal
from scheduler.replay.lets_wait_awhile import NoWholeYear
from scheduler.replay.rolling import JobOutlastsSignal
from scheduler.replay.seats import HorizonTooShort

# Words for the person go to stderr, so that stdout holds nothing but the answer.
console = Console(stderr=True, highlight=False)

EXPECTED = (
    BadAddress,
    BadBudget,
    BadScope,
    BadSlug,
    BrokerNotInstalled,
    BrokerUnreachable,
    CannotClose,
    HorizonTooShort,
    JobOutlastsSignal,
    JobsOutlastSignal,
    NoIssueYet,
    NoSuchOrganisation,
    NoWholeYear,
    NotMigrated,
    OperationalError,
    PostgresNotInstalled,
    ServerFailed,
    SignalTooShort,
    SourceGarbled,
    SourceRefused,
    SourceUnavailable,
    UnknownDimension,
    UnknownPolicy,
)

out_type = click.Path(dir_okay=False, path_type=Path)
port_type = click.IntRange(1, 65_535)
json_option = click.option("--json", "as_json", is_flag=True, help="Print the result as JSON on stdout.")
org_option = click.option("--org", default=None, help="Slug of the organisation; the first one by default.")


def sharing_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add the options that say who bears idle capacity and overhead."""
    for option in (
        click.option(
            "--utilisation-floor", default=None, help="0.8: users bear idle only as if the fleet were so used."
        ),
        click.option(
            "--overhead", type=click.Choice(list(OVERHEAD_POLICIES)), default=None, help="Who bears overhead."
        ),
        click.option("--idle", type=click.Choice(list(IDLE_POLICIES)), default=None, help="Who bears idle capacity."),
    ):
        command = option(command)
    return command


def clock() -> datetime:
    """Return the present."""
    return datetime.now(UTC)


def expected_errors(command: Callable[..., Any]) -> Callable[..., Any]:
    """Turn errors that a person can act on into one line and exit code 1."""

    @functools.wraps(command)
    def wrapped(*args: Any, **kwargs: Any) -> Any:
        try:
            return command(*args, **kwargs)
        except EXPECTED as error:
            raise click.ClickException(str(error).strip()) from error

    return wrapped


def answer(value: object, *, as_json: bool, words: str) -> None:
    """Print a result: as JSON, or as the words for a person."""
    click.echo(orjson.dumps(value, option=orjson.OPT_INDENT_2, default=str).decode() if as_json else words)


@contextmanager
def writing(path: Path, *, makes_folder: bool = True) -> Iterator[None]:
    """Make the folder of a file that a person named, or refuse without it; and turn what goes wrong there into one line."""
    try:
        if makes_folder:
            path.parent.mkdir(parents=True, exist_ok=True)
        elif not path.parent.exists():
            raise click.ClickException(f"no folder {path.parent}; make it first, or choose another with --out")
        yield
    except OSError as error:
        raise click.ClickException(f"{path} cannot be written: {error.strerror}; choose another with --out") from error


@contextmanager
def spinner(words: str, *, quiet: bool) -> Iterator[None]:
    """Show at a terminal that something goes on, and for how long, while nobody can say how far it is; then nothing."""
    columns = (SpinnerColumn(), TextColumn("{task.description}"), TimeElapsedColumn())
    silent = quiet or not console.is_terminal
    with Progress(*columns, console=console, transient=True, disable=silent) as display:
        display.add_task(words, total=None)
        yield


def progress(*, quiet: bool) -> Progress:
    """Return a progress display on stderr; silent when the result is JSON."""
    return Progress(
        SpinnerColumn(),
        TextColumn("{task.description}"),
        BarColumn(bar_width=30),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        console=console,
        disable=quiet,
    )
