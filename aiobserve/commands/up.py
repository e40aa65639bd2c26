"""`aiobserve up`: database, broker, web pages, worker and tick, kept running until Ctrl-C."""

import os
import socket
import sys
import urllib.error
import urllib.request
from pathlib import Path

import click
from django.conf import settings
from rich.markup import escape

from aiobserve.commands.servers import broker, database, migrate, pending_migrations
from aiobserve.commands.terminal import answer, clock, console, expected_errors, json_option, port_type
from aiobserve.embedded.broker import EmbeddedBroker
from aiobserve.embedded.postgres import EmbeddedPostgres
from aiobserve.embedded.server import ServerFailed, wait_until
from aiobserve.embedded.supervisor import ProcessService, ServerService, Service, Supervisor
from aiobserve.pipeline.sweep import keep_house

HOST = "127.0.0.1"
WORKERS = 2


@click.command()
@click.option("--port", type=port_type, default=8000, show_default=True, help="Port of the web pages.")
@json_option
@expected_errors
def up(port: int, as_json: bool) -> None:
    """Run everything: database, broker, web pages, worker and tick.

    What dies is started again. Ctrl-C stops all of it cleanly.
    """
    with database(any_state=True):
        if pending_migrations():
            migrate()
        serve(port=port, as_json=as_json)


def serve(*, port: int, as_json: bool = False) -> None:
    """Run the services until SIGINT or SIGTERM; the database is running already.

    Raises:
        ServerFailed: the port is taken.
    """
    _refuse_taken(port)
    keep_house(clock())
    postgres, valkey = EmbeddedPostgres(settings.DATA_DIR), EmbeddedBroker(settings.DATA_DIR)
    with broker() as broker_url:
        database_url = os.environ.get("DATABASE_URL") or postgres.url
        environ = {**os.environ, "DATABASE_URL": database_url, "BROKER_URL": broker_url, "PYTHONUNBUFFERED": "1"}
        servers: list[Service] = []
        if not os.environ.get("DATABASE_URL"):
            servers.append(ServerService(postgres, postgres.pid))
        if not os.environ.get("BROKER_URL"):
            servers.append(ServerService(valkey, valkey.pid))
        logs = settings.DATA_DIR / "logs"
        supervisor = Supervisor(
            services=[*servers, *processes(port, environ, logs)],
            state_path=settings.DATA_DIR / "run" / "state.json",
            report=console.print,
        )
        supervisor.run(on_ready=lambda: _announce(port, logs, as_json=as_json))


def processes(port: int, environ: dict[str, str], logs: Path) -> list[Service]:
    """Return the web server, the worker and the tick as child processes."""
    python = sys.executable
    celery = [python, "-m", "celery", "-A", "aiobserve.celery"]
    web = [python, "-m", "granian", "--interface", "wsgi", "--host", HOST, "--port", str(port), "--workers", "1",
           "--blocking-threads", "4", "--log-level", "warning", "aiobserve.wsgi:application"]  # fmt: skip
    worker = [
        *celery,
        "worker",
        "--concurrency",
        str(WORKERS),
        "--loglevel",
        "WARNING",
        "--without-mingle",
        "--without-gossip",
    ]
    # The plain scheduler keeps nothing on disk: what is due is in the database.
    tick = [*celery, "beat", "--scheduler", "celery.beat:Scheduler", "--loglevel", "WARNING", "--pidfile="]
    quiet_root = {**environ, "C_FORCE_ROOT": "1"}
    return [
        ProcessService("web", web, environ=environ, log_path=logs / "web.log"),
        ProcessService("worker", worker, environ=quiet_root, log_path=logs / "worker.log", stop_s=30),
        ProcessService("tick", tick, environ=quiet_root, log_path=logs / "tick.log"),
    ]


def _refuse_taken(port: int) -> None:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError as error:
            raise ServerFailed(
                f"port {port} is taken; stop what listens there or choose another with --port"
            ) from error


def _announce(port: int, logs: Path, *, as_json: bool) -> None:
    url = f"http://{HOST}:{port}"
    wait_until(
        lambda: _answers(f"{url}/livez"), limit_s=60, what=f"the web server did not answer, see {logs / 'web.log'},"
    )
    if as_json:
        answer({"url": url, "logs": str(logs)}, as_json=True, words="")
    else:
        # One line, however long the path: somebody will copy it from there.
        line = f"aiobserve is up: [bold]{url}[/bold]   (Ctrl-C stops it; logs in {escape(str(logs))})"
        console.print(line, soft_wrap=True)


def _answers(url: str) -> bool:
    try:
        with urllib.request.urlopen(url, timeout=2) as response:  # noqa: S310 - our own address
            return bool(response.status == 200)
    except (urllib.error.URLError, ConnectionError, TimeoutError):
        return False
