"""Writes dated GPU prices and signals; what they change is attributed again."""

from datetime import datetime, timedelta

import pandas as pd
from django.db import connection

from aiobserve.domain.reason import Reason
from aiobserve.store.models import SignalSeries, Site
from aiobserve.store.write.copy import copy_frame, merge_frame
from aiobserve.store.write.fleet import map_known, site_ids
from aiobserve.store.write.watermark import want_again, want_assumed

# Kinds that decide charges; forecasts and load do not.
CHARGED_KINDS = (
    "electricity_usd_per_mwh", "carbon_lifecycle_g_per_kwh", "carbon_direct_g_per_kwh", "carbon_residual_g_per_kwh",
    "pue_ratio", "water_l_per_kwh", "pool_power_w",
)  # fmt: skip
# How long after its end a value fills a hole, and how long it counts in the mean (see attribution.rate, inputs.site).
FILLED = timedelta(days=1)
AVERAGED = timedelta(days=8)


def write_rates(organisation_id: int, rates: pd.DataFrame) -> int:
    """Write dated prices of GPU-hours; the days they hold for are attributed again when one changed.

    Returns:
        How many prices changed.
    """
    sites = site_ids(organisation_id)
    named = rates["site"].notna()
    rows = rates.assign(organisation_id=organisation_id, site_id=pd.Series(pd.NA, index=rates.index, dtype="Int64"))
    rows["contract"] = rows["contract"].fillna("")
    rows.loc[named, "site_id"] = map_known(rates.loc[named, "site"], sites, what="site")
    columns = {
        "organisation_id": "int8",
        "site_id": "int8",
        "sku": "varchar",
        "contract": "varchar",
        "purchase": "varchar",
        "usd_per_gpu_hour": "float8",
        "list_usd_per_gpu_hour": "float8",
        "includes_electricity": "bool",
        "valid_from_at": "timestamptz",
        "valid_to_at": "timestamptz",
        "quality": "int2",
        "source": "varchar",
    }
    changed = merge_frame(
        "gpu_rate",
        columns,
        rows,
        key=("organisation_id", "site_id", "sku", "contract", "valid_from_at"),
        update=(
            "purchase",
            "usd_per_gpu_hour",
            "list_usd_per_gpu_hour",
            "includes_electricity",
            "valid_to_at",
            "quality",
            "source",
        ),
    )
    if changed:
        want_again(sites.values(), rates["valid_from_at"].min(), None, reason=Reason.RATE)
    return changed


def write_signals(organisation_id: int, ingest_batch_id: int, signals: pd.DataFrame) -> None:
    """Write signal steps. A value that was known before stays; the new one is the later revision of it."""
    _write_steps(organisation_id, ingest_batch_id, _steps(organisation_id, signals))


def restore_signals(organisation_id: int, ingest_batch_id: int, signals: pd.DataFrame) -> int:
    """Write those steps of signals that were written before which a later revision says otherwise; returns how many.

    A forecast is known by its instant of issue and has nothing to restore.
    """
    rows = _steps(organisation_id, signals)
    actual = rows[rows["issued_at"].isna()]
    if actual.empty:
        return 0
    standing = _standing(actual)
    said = zip(actual["end_at"], actual["value"], actual["quality"], strict=True)
    keys = zip(actual["series_id"], actual["start_at"], strict=True)
    differs = [standing.get(key) != step for key, step in zip(keys, said, strict=True)]
    if any(differs):
        _write_steps(organisation_id, ingest_batch_id, actual[differs])
    return sum(differs)


def _steps(organisation_id: int, signals: pd.DataFrame) -> pd.DataFrame:
    """Return signal steps with the id of their series, each once."""
    series = _series_ids(organisation_id, signals)
    keys = zip(signals["kind"], signals["scope"], signals["source"], strict=True)
    return signals.assign(series_id=[series[key] for key in keys]).drop_duplicates(
        ["series_id", "issued_at", "start_at"]
    )


def _standing(steps: pd.DataFrame) -> dict[tuple[int, datetime], tuple[datetime, float, int]]:
    """Return (end, value, quality) of the latest revision of what really was, by series and start, around some steps."""
    with connection.cursor() as cursor:
        cursor.execute(
            """SELECT DISTINCT ON (series_id, start_at) series_id, start_at, end_at, value, quality FROM signal_value
               WHERE series_id = ANY(%s) AND issued_at IS NULL AND start_at BETWEEN %s AND %s
               ORDER BY series_id, start_at, batch_id DESC""",
            [[int(one) for one in steps["series_id"].unique()], steps["start_at"].min(), steps["start_at"].max()],
        )
        return {(series, start_at): (end_at, value, quality) for series, start_at, end_at, value, quality in cursor}


def _write_steps(organisation_id: int, ingest_batch_id: int, signals: pd.DataFrame) -> None:
    columns = {
        "series_id": "int8",
        "batch_id": "int8",
        "issued_at": "timestamptz",
        "start_at": "timestamptz",
        "end_at": "timestamptz",
        "value": "float8",
        "quality": "int2",
    }
    copy_frame("signal_value", columns, signals.assign(batch_id=ingest_batch_id))
    actual = signals[signals["issued_at"].isna() & signals["kind"].isin(CHARGED_KINDS)]
    for scope, steps in actual.groupby("scope"):
        sites = Site.objects.filter(organisation_id=organisation_id)
        # A pool's scope is SITE/POOL.
        named = str(scope).rpartition("/")[0] or scope
        touched = sites.filter(grid_zone=scope) | sites.filter(name=scope) | sites.filter(name=named)
        want_signal(list(touched.values_list("pk", flat=True)), steps["start_at"].min(), steps["end_at"].max())


def want_signal(site_ids: list[int], first_at: datetime, end_at: datetime) -> None:
    """Mark what new steps of a signal change: their own windows, holes that they fill, and means that they enter.

    A hole is filled with the last value of the day before it; what is farther away takes the mean of the days around
    it, so a window that took an assumed value is worked out again whichever of them changed.
    """
    want_again(site_ids, first_at, end_at + FILLED, reason=Reason.SIGNAL)
    want_assumed(site_ids, first_at, end_at + AVERAGED, reason=Reason.SIGNAL)


def _series_ids(organisation_id: int, signals: pd.DataFrame) -> dict[tuple[str, str, str], int]:
    keys = signals[["kind", "scope", "source"]].drop_duplicates()
    SignalSeries.objects.bulk_create(
        [SignalSeries(organisation_id=organisation_id, **row) for row in keys.to_dict("records")],
        ignore_conflicts=True,
    )
    found = SignalSeries.objects.filter(organisation_id=organisation_id, kind__in=set(keys["kind"]))
    return {(kind, scope, source): pk for pk, kind, scope, source in found.values_list("pk", "kind", "scope", "source")}
