"""Which time zones the database knows by the same name; its list comes from other files than Python's."""

from functools import lru_cache

from django.db import connection


@lru_cache(maxsize=1)
def database_timezones() -> frozenset[str]:
    """Return the names of the time zones that PostgreSQL knows; read once a process, for they come with the server.

    CET and its like are left out: PostgreSQL takes them for abbreviations, one offset all year, where Python knows
    zones with summer time, so that a day would begin at two instants.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            """SELECT name FROM pg_timezone_names
               WHERE name IN ('UTC', 'GMT') OR upper(name) NOT IN (SELECT abbrev FROM pg_timezone_abbrevs)"""
        )
        return frozenset(name for (name,) in cursor.fetchall())
