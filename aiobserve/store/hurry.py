"""Commits that do not wait for the disk, for what can be made again from its source.

A crash of the server may take the last of them, each as a whole, and never leaves anything half-done. Source: PostgreSQL's
manual, "Asynchronous Commit".
"""

from collections.abc import Iterator
from contextlib import contextmanager

from django.db import connection

# The same for a process of ours, by its environment.
NOT_WAITING = {"PGOPTIONS": "-c synchronous_commit=off"}


@contextmanager
def not_waiting_for_the_disk() -> Iterator[None]:
    """Let this connection's commits return before they are on the disk."""
    with connection.cursor() as cursor:
        cursor.execute("SET synchronous_commit = off")
    try:
        yield
    finally:
        if connection.connection is not None and not connection.connection.closed:
            with connection.cursor() as cursor:
                cursor.execute("RESET synchronous_commit")
