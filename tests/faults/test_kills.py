"""Kill -9 of everything, in the running product: nothing committed is lost, nothing is done twice."""

import json
import os
import signal
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import psycopg
import pytest

from aiobserve.embedded.postgres import EmbeddedPostgres
from aiobserve.embedded.supervisor import is_running
from tests.collectors.test_contract import power_files
from tests.conftest import Served, answers, until

JOBS = 30_000
# On a machine that has a core for each of its tasks; where others wait for them, longer in proportion.
BACK_WITHIN_S = 10
DUE = """SELECT count(*) FROM watermark JOIN site ON site.id = site_id JOIN organisation AS o ON o.id = organisation_id
         WHERE o.slug = %s AND wanted_version {} done_version"""


def material(folder: Path) -> list[str]:
    """Write a company of 30,000 jobs on three clusters over 20 days, with prices and carbon."""
    rng = np.random.default_rng(7)
    pd.DataFrame(
        {
            "cluster": rng.choice(["cluster01", "cluster02", "cluster03"], JOBS),
            "job_id": [f"job-{i}" for i in range(JOBS)],
            "submission_time": rng.integers(0, 18 * 86_400, JOBS),
            "duration": rng.integers(600, 40_000, JOBS),
            "num_gpu": rng.choice([1, 1, 1, 2, 8], JOBS),
        }
    ).to_parquet(folder / "jobs.parquet")
    hours = pd.date_range("2021-03-01", "2021-04-01", freq="h", tz="UTC")
    price = {
        "zone": "US-MIDA-PJM",
        "raw_datetime": "x",
        "price_per_mwh": 30.0,
        "currency": "USD",
        "timestamp_utc": hours,
    }
    pd.DataFrame(price).to_csv(folder / "price.csv", index=False)
    carbon = {"timestamp_utc": hours, "zone": "PJM", "ci_direct_g_per_kwh": 350.0, "ci_lca_g_per_kwh": 400.0}
    pd.DataFrame(carbon).to_csv(folder / "carbon.csv", index=False)
    rates = pd.DataFrame(
        [("Oracle Cloud", "A100 (80 GB)", 1, 2.0, "x")], columns=["Cloud", "GPU Type", "GPUs", "Per-GPU", "Name"]
    )
    rates.to_csv(folder / "gpus.csv", index=False)
    power = power_files(folder)
    return [str(folder / name) for name in ("jobs.parquet", "price.csv", "carbon.csv", "gpus.csv")] + list(
        power.values()
    )


def database(served: Served) -> psycopg.Connection[Any]:
    return psycopg.connect(EmbeddedPostgres(served.data_dir).url, autocommit=True)


def one(served: Served, statement: str, *values: object) -> Any:
    with database(served) as connection:
        row = connection.execute(statement, values).fetchone()  # type: ignore[call-overload]
    return row[0] if row else None


def kill_worker(served: Served) -> None:
    """Kill the worker with all its processes, as the kernel does when memory runs out."""
    pid = served.pid("worker")
    os.killpg(pid, signal.SIGKILL)
    until(
        lambda: served.pid("worker") != pid and is_running(served.pid("worker")), what="the worker is back", limit_s=60
    )


def tick(served: Served) -> None:
    served.command("tick")


def sums(served: Served, org: str) -> list[tuple[Any, ...]]:
    with database(served) as connection:
        return connection.execute(
            """SELECT account, team.name, sum(gpu_millis), sum(energy_millij), sum(carbon_microg), sum(capacity_microusd),
                      sum(electricity_microusd)
               FROM posting JOIN organisation ON organisation.id = posting.organisation_id LEFT JOIN team ON team.id = team_id
               WHERE organisation.slug = %s GROUP BY 1, 2 ORDER BY 1, 2""",
            [org],
        ).fetchall()


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    return material(tmp_path_factory.mktemp("material"))


@pytest.fixture(scope="module")
def undisturbed(served: Served, files: list[str]) -> list[tuple[Any, ...]]:
    """What the ledger comes to when nothing is killed."""
    served.command("import", "--org", "calm", "--electricity-apart", *files)
    served.command("attribute", "--org", "calm")
    # The worker takes days of its own accord, which the command leaves to it.
    until(lambda: one(served, DUE.format(">"), "calm") == 0, what="every day is attributed")
    return sums(served, "calm")


def test_a_worker_killed_in_the_middle_of_import_and_attribution_loses_and_doubles_nothing(
    served: Served, files: list[str], undisturbed: list[tuple[Any, ...]]
) -> None:
    served.command("import", "--org", "storm", "--electricity-apart", "--queue", *files)
    batches = (
        """SELECT count(*) FROM ingest_batch JOIN organisation AS o ON o.id = organisation_id WHERE o.slug = 'storm'"""
    )
    killed_at = []
    for wanted in (2, 4, 6):
        until(lambda: one(served, batches) >= wanted, what=f"{wanted} batches are in")  # noqa: B023 - called at once
        killed_at.append(one(served, batches))
        kill_worker(served)
        tick(served)
    open_requests = """SELECT count(*) FROM collect_request JOIN organisation AS o ON o.id = organisation_id
                       WHERE o.slug = 'storm' AND finished_at IS NULL"""
    until(lambda: one(served, open_requests) == 0, what="the import is done")
    for wanted in (2, 6):
        tick(served)
        until(lambda: one(served, DUE.format("="), "storm") >= wanted, what=f"{wanted} days are attributed")  # noqa: B023
        kill_worker(served)
    tick(served)
    until(lambda: one(served, DUE.format(">"), "storm") == 0, what="every day is attributed")

    assert killed_at[0] < one(served, batches)
    assert sums(served, "storm") == undisturbed
    checked = json.loads(served.command("ledger", "check", "--json", "--org", "storm").stdout)
    assert checked["balanced"]


def test_postgres_and_broker_killed_under_load_are_back_in_time_and_nothing_is_lost(
    served: Served, files: list[str], undisturbed: list[tuple[Any, ...]]
) -> None:
    served.command("import", "--org", "quake", "--electricity-apart", "--queue", *files)
    for name in ("postgres", "broker", "postgres"):
        pid = served.pid(name)
        os.kill(pid, signal.SIGKILL)
        took_s = until(
            lambda: served.pid(name) != pid and answers(f"{served.url}/readyz"),  # noqa: B023 - called at once
            what=f"{name} is back", limit_s=60,
        )  # fmt: skip
        assert took_s < BACK_WITHIN_S * max(1.0, os.getloadavg()[0] / (os.cpu_count() or 1))
    until(lambda: ticked(served), what="the queue takes messages again", limit_s=60)
    done = """SELECT count(*) = 0 FROM collect_request JOIN organisation AS o ON o.id = organisation_id
              WHERE o.slug = 'quake' AND finished_at IS NULL"""
    until(lambda: ticked(served) and bool(one(served, done)), what="the import is done")
    due = """SELECT count(*) > 0 AND count(*) FILTER (WHERE wanted_version > done_version) = 0
             FROM watermark JOIN site ON site.id = site_id JOIN organisation AS o ON o.id = organisation_id WHERE o.slug = 'quake'"""
    until(lambda: ticked(served) and bool(one(served, due)), what="every day is attributed")

    assert sums(served, "quake") == undisturbed


def ticked(served: Served) -> bool:
    """Send one tick; returns whether it could be sent."""
    return served.command("tick", check=False).returncode == 0
