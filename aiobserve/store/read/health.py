"""Reads what `doctor` asks of the database."""

from datetime import date, datetime

from django.db import connection

from aiobserve.store.models import CollectRequest


def postgres_version() -> int:
    """Return the server's version as PostgreSQL numbers it: 180006 is 18.6."""
    return int(_value("SELECT current_setting('server_version_num')"))  # type: ignore[call-overload]


def database_clock() -> datetime:
    """Return the database's present."""
    return _value("SELECT clock_timestamp()")  # type: ignore[return-value]


def last_partition_day() -> date | None:
    """Return the day of the hot table's last partition; None without one."""
    found = _value(
        """SELECT max(substring(inhrelid::regclass::text FROM 'telemetry_sample_([0-9]{8})'))
           FROM pg_inherits WHERE inhparent = 'telemetry_sample'::regclass"""
    )
    return None if found is None else date(int(str(found)[:4]), int(str(found)[4:6]), int(str(found)[6:8]))


def newest_telemetry(organisation_id: int) -> datetime | None:
    """Return the instant of an organisation's newest sample, hot or packed; None without one."""
    return _value(  # type: ignore[return-value]
        """WITH own AS (SELECT device.id FROM device JOIN node ON node.id = device.node_id
                        JOIN site ON site.id = node.site_id WHERE site.organisation_id = %(organisation)s)
           SELECT greatest((SELECT max(at) FROM telemetry_sample WHERE device_id IN (SELECT id FROM own)),
                           (SELECT max(end_at) FROM telemetry_chunk WHERE device_id IN (SELECT id FROM own)))""",
        organisation=organisation_id,
    )


def newest_forecast(organisation_id: int) -> datetime | None:
    """Return the instant of issue of an organisation's newest forecast; None without one."""
    return _value(  # type: ignore[return-value]
        """SELECT max(issued_at) FROM signal_value JOIN signal_series AS series ON series.id = series_id
           WHERE series.organisation_id = %(organisation)s""",
        organisation=organisation_id,
    )


def failed_requests() -> list[str]:
    """Return the errors of requests to collect that failed, newest first."""
    failed = CollectRequest.objects.exclude(error="").order_by("-pk")
    return list(failed.values_list("error", flat=True))


def _value(statement: str, **parameters: int) -> object:
    with connection.cursor() as cursor:
        cursor.execute(statement, parameters or None)
        row = cursor.fetchone()
    return row[0] if row else None
