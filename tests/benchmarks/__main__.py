"""`make bench`: measures the ratios, prints them as a table and writes bench.json.

`python -m tests.benchmarks ingest from_postgres` measures those parts alone.
"""

import json
import os
import shutil
import sys
import tempfile
from pathlib import Path

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "aiobserve.settings")
django.setup()

import environ  # noqa: E402 - Django has to be set up before anything that imports its models
from django.core.management import call_command  # noqa: E402
from django.db import connections  # noqa: E402
from rich.console import Console  # noqa: E402

from aiobserve.embedded.postgres import EmbeddedPostgres  # noqa: E402
from aiobserve.embedded.server import running  # noqa: E402
from tests.benchmarks import attribution, from_postgres, ingest, planning, posting, scale_out  # noqa: E402
from tests.benchmarks.figures import table  # noqa: E402

PARTS = {
    "ingest": ingest.measure,
    "from_postgres": from_postgres.measure,
    "attribution": attribution.measure,
    "planning": planning.measure,
    "posting": posting.measure,
    "scale_out": scale_out.measure,
}


def main(names: list[str]) -> None:
    """Measure the named parts, or all of them, against a database of this run."""
    with tempfile.TemporaryDirectory() as folder:
        server = EmbeddedPostgres(Path(folder))
        with running(server) as url:
            connections["default"].settings_dict.update(environ.Env.db_url_config(url))
            call_command("migrate", verbosity=0, interactive=False)
            figures: dict[str, float] = {}
            for name in names or PARTS:
                figures |= PARTS[name]()
            connections.close_all()
        shutil.rmtree(server.cluster, ignore_errors=True)
    Path("bench.json").write_text(json.dumps(figures, indent=2) + "\n")
    Console().print(table(figures))
    Console().print_json(data=figures)


main(sys.argv[1:])
