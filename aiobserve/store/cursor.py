"""Rows in PostgreSQL's binary format: bytes stay bytes, and nothing is turned into text on the way."""

from collections.abc import Iterator, Mapping
from typing import Any

import psycopg
from django.db import connection, transaction
from psycopg import sql

Values = Mapping[str, object] | None
Rows = list[tuple[Any, ...]]
# PostgreSQL counts microseconds from 2000-01-01.
POSTGRES_EPOCH_US = 946_684_800_000_000


def fetch_binary(statement: sql.Composed, values: Values = None) -> Rows:
    """Return all rows of a query."""
    connection.ensure_connection()
    with psycopg.Cursor(connection.connection) as cursor:
        cursor.execute(statement, values, binary=True)
        return cursor.fetchall()


def stream_binary(statement: sql.Composed, values: Values = None, *, size: int) -> Iterator[Rows]:
    """Yield the rows of a query, so many at a time, from one snapshot; the rest waits on the server."""
    with (
        transaction.atomic(),
        psycopg.ServerCursor(connection.connection, "telemetry") as cursor,
    ):
        cursor.execute(statement, values, binary=True)
        while rows := cursor.fetchmany(size):
            yield rows
