"""Gives a command its database and broker: the site's own when they are named, embedded ones otherwise."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import environ
from django.conf import settings
from django.core.management import call_command

# Imported here and not by name when it runs: a garbage collection during a late import can end in a KeyError of importlib
# on Python 3.11 (cpython issue 106176).
from django.core.management.commands.migrate import Command as Migrate
from django.db import connection, connections
from django.db.migrations.executor import MigrationExecutor
from kombu.exceptions import OperationalError as KombuOperationalError
from kombu.transport import TRANSPORT_ALIASES

from aiobserve.celery import app
from aiobserve.embedded.broker import EmbeddedBroker
from aiobserve.embedded.postgres import EmbeddedPostgres
from aiobserve.embedded.server import running


class NotMigrated(RuntimeError):
    """The tables of the site's own database are not those of this version."""


class BadAddress(ValueError):
    """BROKER_URL is no address of a broker that we can speak to; the message says how one is written."""


class BrokerUnreachable(RuntimeError):
    """The broker does not answer; nothing is lost by it, for the state is in the database."""


@contextmanager
def database(*, any_state: bool = False) -> Iterator[str]:
    """Yield the URL of a database that Django is connected to; an embedded one is started, and migrated if need be.

    Args:
        any_state: take the site's own database also when its tables are not up to date.

    Raises:
        NotMigrated: the site's own database has pending migrations; the message says what to run.
    """
    named = os.environ.get("DATABASE_URL")
    if named:
        pending = [] if any_state else pending_migrations()
        if pending:
            raise NotMigrated(
                f"the database of DATABASE_URL lacks {len(pending)} migrations: run `aiobserve up` or `python manage.py migrate`"
            )
        yield named
        return
    with running(EmbeddedPostgres(settings.DATA_DIR)) as url:
        connect_to(url)
        if pending_migrations():
            migrate()
        try:
            yield url
        finally:
            connections.close_all()


@contextmanager
def broker() -> Iterator[str]:
    """Yield the URL of a broker; an embedded one is started.

    Raises:
        BadAddress: BROKER_URL is written in a way that names no broker of a kind we know.
    """
    named = os.environ.get("BROKER_URL")
    if named:
        scheme, found, _ = named.partition("://")
        if not found or scheme not in TRANSPORT_ALIASES:
            # The address may hold a password and is not repeated.
            raise BadAddress(
                "BROKER_URL names no broker; write it as redis://host:port/0 or amqp://user:password@host//"
            )
        yield named
        return
    with running(EmbeddedBroker(settings.DATA_DIR)) as url:
        yield url


def poke(task: Any, **arguments: object) -> None:
    """Tell the workers to look at something now; what is lost on the way the next tick finds.

    Raises:
        BrokerUnreachable: it does not answer; the message says what to check.
    """
    with broker() as url:
        app.conf.broker_url = url
        try:
            task.delay(**arguments)
        except KombuOperationalError as error:
            raise BrokerUnreachable(
                f"the broker does not answer: {error}. Check BROKER_URL and that it runs; what is due is kept in the "
                "database and found by the next tick"
            ) from error


def connect_to(url: str) -> None:
    """Point Django's connection at a database that was not known when the settings were read."""
    connections.close_all()
    connections["default"].settings_dict.update(environ.Env.db_url_config(url))


def pending_migrations() -> list[str]:
    """Return the names of migrations that the database has not seen."""
    executor = MigrationExecutor(connection)
    return [str(migration) for migration, _ in executor.migration_plan(executor.loader.graph.leaf_nodes())]


def migrate() -> None:
    """Bring the database's tables up to date."""
    call_command(Migrate(), verbosity=0, interactive=False)
