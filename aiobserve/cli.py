"""The `aiobserve` command. Sets Django up, then hands over to the commands; holds no logic."""

import os

import django
from django.core.exceptions import ImproperlyConfigured

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "aiobserve.settings")
try:
    django.setup()
except ImproperlyConfigured as error:
    raise SystemExit(f"Error: {error}") from None

import click  # noqa: E402 - Django has to be set up before anything that imports its models

from aiobserve import __version__  # noqa: E402
from aiobserve.commands.anomalies import anomalies  # noqa: E402
from aiobserve.commands.attribute import attribute  # noqa: E402
from aiobserve.commands.budget import budget  # noqa: E402
from aiobserve.commands.demo import demo  # noqa: E402
from aiobserve.commands.digest import digest  # noqa: E402
from aiobserve.commands.doctor import doctor  # noqa: E402
from aiobserve.commands.explain import explain_figure  # noqa: E402
from aiobserve.commands.export import export  # noqa: E402
from aiobserve.commands.forecast import forecast  # noqa: E402
from aiobserve.commands.import_files import import_files  # noqa: E402
from aiobserve.commands.ledger import ledger  # noqa: E402
from aiobserve.commands.organisation import organisation  # noqa: E402
from aiobserve.commands.plan import plan  # noqa: E402
from aiobserve.commands.reconcile import reconcile  # noqa: E402
from aiobserve.commands.replay import replay  # noqa: E402
from aiobserve.commands.runs import list_runs  # noqa: E402
from aiobserve.commands.tick import tick  # noqa: E402
from aiobserve.commands.units import units  # noqa: E402
from aiobserve.commands.up import up  # noqa: E402


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__)
def main() -> None:
    """What AI workloads cost in money, energy and carbon; and what moving them saves.

    DATABASE_URL and BROKER_URL name servers of yours; without them aiobserve runs its own below
    AIOBSERVE_DATA_DIR.
    """


for command in (
    anomalies, attribute, budget, demo, digest, doctor, explain_figure, export, forecast, import_files, ledger, list_runs,
    organisation, plan, reconcile, replay, tick, units, up,
):  # fmt: skip
    main.add_command(command)
