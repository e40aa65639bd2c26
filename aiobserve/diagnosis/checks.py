"""The checks that `doctor` makes, in the order in which a fault in one explains the next."""

import os
import shutil
import sys
from datetime import datetime, timedelta
from pathlib import Path
from queue import Empty

import django
from django.conf import settings
from django.db import connection
from django.db.migrations.executor import MigrationExecutor
from kombu.connection import Connection
from kombu.exceptions import KombuError, OperationalError

from aiobserve.diagnosis.finding import Finding, State
from aiobserve.reports.scope import present
from aiobserve.store.read import fleet, health

__all__ = ["Finding", "State", "diagnose"]

OLDEST_POSTGRES = 150_000
LARGEST_SKEW = timedelta(seconds=5)
PARTITIONS_AHEAD = timedelta(days=1)
LEAST_DISK_SHARE, LEAST_DISK_BYTES = 0.05, 2_000_000_000
STALE_TELEMETRY, STALE_FORECAST = timedelta(hours=1), timedelta(hours=24)


def diagnose(*, broker_url: str, now_at: datetime) -> list[Finding]:
    """Return what every check found; the database answers, or we should not be here."""
    findings = [_versions(), _database_version(), _migrations()]
    if findings[-1].state is State.BROKEN:
        return findings
    findings += [_partitions(now_at), _clock(now_at), _broker(broker_url), *_sources(now_at), _blocked(), _requests()]
    return [*findings, _secret_key(), _permissions(settings.DATA_DIR), _disk(settings.DATA_DIR)]


def _versions() -> Finding:
    found = f"Python {sys.version.split()[0]}, Django {django.get_version()}"
    return Finding("versions", State.OK, found)


def _database_version() -> Finding:
    version = health.postgres_version()
    found = f"PostgreSQL {version // 10_000}.{version % 10_000}"
    if version < OLDEST_POSTGRES:
        return Finding("database", State.BROKEN, found, "point DATABASE_URL at PostgreSQL 15 or newer")
    return Finding("database", State.OK, found)


def _migrations() -> Finding:
    executor = MigrationExecutor(connection)
    pending = executor.migration_plan(executor.loader.graph.leaf_nodes())
    if pending:
        return Finding(
            "migrations",
            State.BROKEN,
            f"{len(pending)} not applied",
            "run `aiobserve up`, or `python manage.py migrate`",
        )
    return Finding("migrations", State.OK, "all applied")


def _partitions(now_at: datetime) -> Finding:
    last = health.last_partition_day()
    if last is None or last < (now_at + PARTITIONS_AHEAD).date():
        found = "none" if last is None else f"up to {last}"
        return Finding(
            "partitions", State.WARNING, f"telemetry partitions: {found}", "run `aiobserve up`: its tick makes them"
        )
    return Finding("partitions", State.OK, f"telemetry partitions up to {last}")


def _clock(now_at: datetime) -> Finding:
    skew = abs(health.database_clock() - now_at)
    found = f"this machine and the database differ by {skew.total_seconds():.1f} s"
    if skew > LARGEST_SKEW:
        return Finding("clock", State.WARNING, found, "synchronise both clocks (chrony or systemd-timesyncd)")
    return Finding("clock", State.OK, found)


def _broker(url: str) -> Finding:
    """Send a message to a queue of our own and take it back."""
    try:
        with (
            Connection(url, connect_timeout=5) as link,
            link.SimpleQueue("aiobserve.doctor", no_ack=True) as queue,
        ):
            queue.put({"asked": "round trip"})
            queue.get(timeout=5)
    except (KombuError, OperationalError, OSError, Empty) as error:
        return Finding(
            "broker",
            State.BROKEN,
            f"no round trip: {error or 'the message did not come back'}",
            "check BROKER_URL and that the broker runs",
        )
    return Finding("broker", State.OK, "round trip works")


def _sources(now_at: datetime) -> list[Finding]:
    organisations = fleet.organisations()
    if not organisations:
        return [
            Finding("sources", State.WARNING, "no organisation yet", "run `aiobserve demo` or `aiobserve import FILES`")
        ]
    findings = []
    for organisation in organisations:
        here_at = present(organisation, now_at)
        telemetry_at, forecast_at = health.newest_telemetry(organisation.pk), health.newest_forecast(organisation.pk)
        findings.append(
            _age(
                f"telemetry of {organisation.slug}",
                telemetry_at,
                here_at,
                STALE_TELEMETRY,
                "collect from its sources again",
            )
        )
        findings.append(
            _age(
                f"forecasts of {organisation.slug}",
                forecast_at,
                here_at,
                STALE_FORECAST,
                "import newer forecasts; until then every job runs now",
            )
        )
    return findings


def _age(what: str, newest_at: datetime | None, now_at: datetime, allowed: timedelta, fix: str) -> Finding:
    if newest_at is None:
        return Finding(what, State.WARNING, "none", fix)
    age = now_at - newest_at
    found = f"newest is of {newest_at:%Y-%m-%d %H:%M}Z"
    return (
        Finding(what, State.OK, found)
        if age <= allowed
        else Finding(what, State.WARNING, f"{found}, {age.days} d old", fix)
    )


def _blocked() -> Finding:
    blocked = fleet.blocked_days()
    if blocked:
        site, day, reason = blocked[0]
        return Finding(
            "attribution",
            State.WARNING,
            f"{len(blocked)} days wait; {day} at {site}: {reason}",
            "import what is missing, then `aiobserve attribute`",
        )
    return Finding("attribution", State.OK, "no day is held up")


def _requests() -> Finding:
    failed = health.failed_requests()
    if failed:
        return Finding(
            "requests",
            State.WARNING,
            f"{len(failed)} failed; the last: {failed[0]}",
            "put the cause right and import again",
        )
    return Finding("requests", State.OK, "none failed")


def _secret_key() -> Finding:
    if not os.environ.get("AIOBSERVE_SECRET_KEY"):
        return Finding(
            "secret key",
            State.OK,
            "made anew at each start; set AIOBSERVE_SECRET_KEY when several machines serve pages",
        )
    return Finding("secret key", State.OK, "set")


def _permissions(data_dir: Path) -> Finding:
    if not data_dir.exists() or not os.access(data_dir, os.W_OK | os.X_OK):
        return Finding(
            "permissions",
            State.BROKEN,
            f"cannot write to {data_dir}",
            f"chown -R {os.getuid()} {data_dir}, or set AIOBSERVE_DATA_DIR",
        )
    return Finding("permissions", State.OK, f"{data_dir} is writable")


def _disk(data_dir: Path) -> Finding:
    usage = shutil.disk_usage(data_dir if data_dir.exists() else data_dir.anchor)
    found = f"{usage.free / 1e9:.0f} GB of {usage.total / 1e9:.0f} GB free at {data_dir}"
    if usage.free < LEAST_DISK_BYTES or usage.free / usage.total < LEAST_DISK_SHARE:
        return Finding("disk", State.WARNING, found, "free some space, or move AIOBSERVE_DATA_DIR")
    return Finding("disk", State.OK, found)
