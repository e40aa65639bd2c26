"""Real servers for the tests: a PostgreSQL for the database tests, and a whole running demo for those at the door."""

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import environ
import hypothesis
import pytest

# Imported here and not in the middle of a test: a garbage collection during a late import can end in a KeyError of
# importlib on Python 3.11 (cpython issue 106176).
from django.core.management.commands import migrate  # noqa: F401
from django.db import connections

from aiobserve.domain.window import Span
from aiobserve.embedded.postgres import EmbeddedPostgres
from aiobserve.embedded.server import running
from aiobserve.pipeline.collect import collect
from aiobserve.pipeline.demo_finance import load_finance
from aiobserve.pipeline.plan import make_plan
from aiobserve.pipeline.sweep import attribute_due
from aiobserve.reports.scope import organisation_of
from aiobserve.store.write.organisation import ensure_organisation
from collectors.base import Batch
from collectors.simulated import NOW_AT, ORGANISATION, SLUG, SimulatedFleet

# Nothing here is timed: a machine that is busy with something else fails no test.
hypothesis.settings.register_profile("aiobserve", deadline=None)
hypothesis.settings.load_profile("aiobserve")

ROOT = Path(__file__).resolve().parent.parent
PATIENCE_S = 600
# The price changes on 1 October, and a day is compared with the same weekday of at least three weeks before.
FINANCE_FROM_AT = datetime(2026, 9, 5, tzinfo=UTC)


@pytest.fixture(scope="session")
def postgres_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The URL of a PostgreSQL: the site's own when DATABASE_URL is set, else an embedded one of this run."""
    if os.environ.get("DATABASE_URL"):
        yield os.environ["DATABASE_URL"]
        return
    server = EmbeddedPostgres(tmp_path_factory.mktemp("postgres"))
    try:
        with running(server) as url:
            yield url
    finally:
        shutil.rmtree(server.cluster, ignore_errors=True)


@pytest.fixture(scope="session")
def django_db_modify_db_settings(postgres_url: str) -> None:
    connections["default"].settings_dict.update(environ.Env.db_url_config(postgres_url))
    connections["default"].settings_dict["CONN_MAX_AGE"] = 0


@pytest.fixture(scope="session")
def demo_org(django_db_setup: None, django_db_blocker: Any) -> str:
    """The simulated company over its last eight days, collected, attributed and planned; returns its slug."""
    with django_db_blocker.unblock():
        organisation_id = ensure_organisation(SLUG, name=ORGANISATION, simulated=True, now_at=NOW_AT)
        collect(organisation_id, SimulatedFleet(), now_at=NOW_AT, span=Span(NOW_AT - timedelta(days=8), NOW_AT))
        attribute_due(organisation_id, now_at=NOW_AT)
        make_plan(organisation_of(SLUG).pk, now_at=NOW_AT)
    return SLUG


class FleetOfJobs(SimulatedFleet):
    """The simulated company by its jobs alone: no tokens, no activity, and its power is modelled, which takes less time."""

    def collect(self, span: Span | None = None) -> Iterator[Batch]:
        for batch in super().collect(span):
            if "telemetry" in batch.frames:
                # Days of telemetry come last, and only what is asked for is drawn.
                return
            left_out = {"activity", "token_prices", "token_usage", "serving_counters"}
            frames = {name: frame for name, frame in batch.frames.items() if name not in left_out}
            yield replace(batch, frames=frames)


@pytest.fixture(scope="session")
def finance_org(demo_org: str, django_db_blocker: Any) -> str:
    """The simulated company from 5 September on by its jobs alone, with its bill and budgets; returns its slug."""
    slug = "demo-finance"
    with django_db_blocker.unblock():
        organisation_id = ensure_organisation(slug, name=f"{ORGANISATION}, finance", simulated=True, now_at=NOW_AT)
        collect(organisation_id, FleetOfJobs(), now_at=NOW_AT, span=Span(FINANCE_FROM_AT, NOW_AT))
        attribute_due(organisation_id, now_at=NOW_AT)
        load_finance(organisation_id, now_at=NOW_AT)
    return slug


@pytest.fixture(scope="session")
def traces() -> Path:
    """The folder of recorded public traces; tests that need it skip when it is not there."""
    folder = Path(os.environ.get("AIOBSERVE_TRACES_DIR", ROOT.parent / "shared" / "data"))
    if not (folder / "MANIFEST.md").exists():
        pytest.skip(f"recorded traces are not at {folder}; set AIOBSERVE_TRACES_DIR to run this test")
    return folder


@dataclass
class Served:
    """A running `aiobserve`: its address, its folder and its environment."""

    url: str
    data_dir: Path
    environ: dict[str, str]
    process: subprocess.Popen[bytes]

    def state(self) -> dict[str, Any]:
        """Return what the supervisor published."""
        return dict(json.loads((self.data_dir / "run" / "state.json").read_text()))

    def pid(self, service: str) -> int:
        """Return the pid of a service."""
        return int(self.state()["services"][service]["pid"])

    def command(self, *arguments: str, check: bool = True) -> subprocess.CompletedProcess[str]:
        """Run an `aiobserve` command against the same servers."""
        return subprocess.run(
            [sys.executable, "-m", "aiobserve", *arguments],
            env=self.environ, capture_output=True, text=True, check=check, timeout=PATIENCE_S, cwd=ROOT,
        )  # fmt: skip


@pytest.fixture(scope="session")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """The whole demo, loaded and served by the one command that people use."""
    data_dir = tmp_path_factory.mktemp("demo")
    port = free_port()
    clean = {name: value for name, value in os.environ.items() if name not in ("DATABASE_URL", "BROKER_URL")}
    env = {**clean, "AIOBSERVE_DATA_DIR": str(data_dir)}
    log = (data_dir / "demo.log").open("wb")
    process = subprocess.Popen(
        [sys.executable, "-m", "aiobserve", "demo", "--port", str(port)],
        env=env, stdout=log, stderr=log, cwd=ROOT, start_new_session=True,
    )  # fmt: skip
    one = Served(f"http://127.0.0.1:{port}", data_dir, env, process)
    try:
        until(lambda: answers(f"{one.url}/readyz") or process.poll() is not None, what="the demo is served")
        assert process.poll() is None, (data_dir / "demo.log").read_text()[-3000:]
        yield one
    finally:
        process.send_signal(signal.SIGINT)
        try:
            process.wait(60)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
        log.close()
        shutil.rmtree(EmbeddedPostgres(data_dir).cluster, ignore_errors=True)


def answers(url: str) -> bool:
    """Return whether a page answers with 200."""
    try:
        with urllib.request.urlopen(url, timeout=5) as response:
            return bool(response.status == 200)
    except OSError:
        return False


def until(ready: Callable[[], bool], *, what: str, limit_s: float = PATIENCE_S) -> float:
    """Poll until something holds, and return the seconds it took; fails when it does not within the limit."""
    started_s = time.monotonic()
    while not ready():
        if time.monotonic() - started_s > limit_s:
            pytest.fail(f"not within {limit_s:.0f} s: {what}")
        time.sleep(0.1)
    return time.monotonic() - started_s


def free_port() -> int:
    """Return a port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
