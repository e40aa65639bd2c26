"""Local time in SQL by our own table of zones.

PostgreSQL brings tzdata of its own, which may be older or newer than Python's: a day would then begin at one instant
in the span of a report and at another in its rows.
"""

from psycopg import sql

from aiobserve.domain.window import Span, offsets


def local_time(column: str, span: Span, timezone: str) -> sql.Composable:
    """Return what the clocks of an IANA zone show at the instants of a column, which lie in the span."""
    (_, first), *changes = offsets(span, timezone)
    offset: sql.Composable = sql.Literal(first)
    if changes:
        # Newest first: the first that an instant has reached is its own.
        reached = [
            sql.SQL("WHEN {column} >= {since} THEN {offset}").format(
                column=sql.SQL(column), since=sql.Literal(since_at), offset=sql.Literal(changed)
            )
            for since_at, changed in reversed(changes)
        ]
        offset = sql.SQL("CASE {} ELSE {} END").format(sql.SQL(" ").join(reached), offset)
    return sql.SQL("({} AT TIME ZONE 'UTC' + {})").format(sql.SQL(column), offset)
