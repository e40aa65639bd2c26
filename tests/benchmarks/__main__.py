"""`make bench`: measures the ratios, prints them as a table and writes bench.json."""

import json
import os
import shutil
import tempfile
from pathlib import Path

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "aiobserve.settings")
django.setup()

import environ  # noqa: E402 - Django has to be set up before anything that imports its models
from django.core.management import call_command  # noqa: E402
from django.db import connections  # noqa: E402
from rich.console import Console  # noqa: E402
from rich.table import Table  # noqa: E402

from aiobserve.embedded.postgres import EmbeddedPostgres  # noqa: E402
from aiobserve.embedded.server import running  # noqa: E402
from tests.benchmarks import attribution, ingest, planning, posting  # noqa: E402

MEANINGS = {
    "ingest_ratio": "CPU of our COPY / server-side COPY of the same rows (client and backend)",
    "exactly_once_ratio": "CPU of ingest with its batch-ledger row / without",
    "packed_bytes_per_sample": "bytes of a packed sample (noise power, 15 s, five columns)",
    "attribution_ratio": "CPU of attribution in memory / np.sum of the arrays it reads",
    "posting_tuples_cpu_s_per_million": "CPU s to COPY a million postings as rows of Python values (for comparison)",
    "posting_binary_cpu_s_per_million": "the same as rows that numpy builds",
    "posting_digests_cpu_s_per_million": "CPU s for the digests by window of a million postings",
    "posting_posted_cpu_s_per_million": "CPU s to post a million: digests, COPY with every index, seal",
    "plan_cpu_s_at_0.6": "CPU s to plan 10,000 jobs, a week of hours, utilisation 0.6 (worst of 3 seeds)",
    "plan_gap_percent_at_0.6": "proven gap of that plan, % (worst of 3 seeds)",
    "plan_cpu_s_at_0.85": "the same at utilisation 0.85",
    "plan_gap_percent_at_0.85": "proven gap of that plan, % (worst of 3 seeds)",
}


def main() -> None:
    """Measure everything against a database of this run."""
    with tempfile.TemporaryDirectory() as folder:
        server = EmbeddedPostgres(Path(folder))
        with running(server) as url:
            connections["default"].settings_dict.update(environ.Env.db_url_config(url))
            call_command("migrate", verbosity=0, interactive=False)
            figures = {**ingest.measure(), **attribution.measure(), **planning.measure(), **posting.measure()}
            connections.close_all()
        shutil.rmtree(server.cluster, ignore_errors=True)
    table = Table("figure", "value", "meaning")
    for name, value in figures.items():
        table.add_row(name, f"{value:.3f}", MEANINGS.get(name, ""))
    Console().print(table)
    Path("bench.json").write_text(json.dumps(figures, indent=2) + "\n")
    Console().print_json(data=figures)


main()
