"""Gives a command its database and broker: the site's own when they are named, embedded ones otherwise."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import environ
from django.conf import settings
from django.core.management import call_command
from django.db import connection, connections
from django.db.migrations.executor import MigrationExecutor

from aiobserve.celery import app
from aiobserve.embedded.broker import EmbeddedBroker
from aiobserve.embedded.postgres import EmbeddedPostgres
from aiobserve.embedded.server import running


class NotMigrated(RuntimeError):
    """The tables of the site's own database are not those of this version."""


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
    """Yield the URL of a broker; an embedded one is started."""
    named = os.environ.get("BROKER_URL")
    if named:
        yield named
        return
    with running(EmbeddedBroker(settings.DATA_DIR)) as url:
        yield url


def poke(task: Any, **arguments: object) -> None:
    """Tell the workers to look at something now; what is lost on the way the next tick finds."""
    with broker() as url:
        app.conf.broker_url = url
        task.delay(**arguments)


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
    call_command("migrate", verbosity=0, interactive=False)
