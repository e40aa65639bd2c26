"""Reads dated prices and signals."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

import numpy as np

from aiobserve.domain.signal import StepSignal
from aiobserve.domain.window import Span
from aiobserve.store.columns import FAR_PAST_S, Columns, chosen, epoch_sql, read_columns, read_rows
from aiobserve.store.models import SignalValue

STEP_COLUMNS = {"start_s": np.int64, "end_s": np.int64, "value": np.float64, "quality": np.int8}
STEP_SQL = f"{epoch_sql('start_at')}, {epoch_sql('end_at')}, value, quality"
STEPS = f"""SELECT DISTINCT ON (series_id, start_at) series_id, {STEP_SQL} FROM signal_value
            WHERE series_id = ANY(%s) AND issued_at IS NULL AND start_at < %s AND end_at > %s
            ORDER BY series_id, start_at, batch_id DESC"""  # noqa: S608 - our own text


def gpu_rates(organisation_id: int, site_id: int) -> Columns:
    """Return the dated prices that hold at a site, in order of id.

    Columns: sku, contract, usd_per_gpu_hour, list_usd_per_gpu_hour (NaN: the same), includes_electricity, quality,
    of_site, valid_from_s, valid_to_s.
    """
    return read_columns(
        f"""SELECT sku, contract, usd_per_gpu_hour, list_usd_per_gpu_hour, includes_electricity, quality,
                   site_id IS NOT NULL, {epoch_sql("valid_from_at", missing=FAR_PAST_S)}, {epoch_sql("valid_to_at")}
            FROM gpu_rate WHERE organisation_id = %s AND (site_id IS NULL OR site_id = %s) ORDER BY id""",  # noqa: S608
        [organisation_id, site_id],
        {
            "sku": object, "contract": object, "usd_per_gpu_hour": np.float64, "list_usd_per_gpu_hour": np.float64,
            "includes_electricity": bool, "quality": np.int8, "of_site": bool, "valid_from_s": np.int64,
            "valid_to_s": np.int64,
        },
    )  # fmt: skip


@dataclass(frozen=True)
class ActualSignals:
    """What signals really were over a span, by (kind, scope)."""

    known: Mapping[tuple[str, str], StepSignal]

    def of(self, scope: str, *kinds: str) -> StepSignal:
        """Return the first of the kinds of which anything is known for a scope; empty where none is."""
        found = (self.known.get((kind, scope)) for kind in kinds)
        return next((signal for signal in found if signal is not None), StepSignal.empty())


def actual_signals(organisation_id: int, scopes: Sequence[str], *, kinds: Sequence[str], span: Span) -> ActualSignals:
    """Return what signals of some kinds and scopes really were over a span.

    Of several sources the one that was imported first counts, and of several revisions of a step the latest.
    """
    series = {
        pk: (kind, scope, source)
        for pk, kind, scope, source in read_rows(
            """SELECT DISTINCT ON (kind, scope) id, kind, scope, source FROM signal_series
               WHERE organisation_id = %s AND scope = ANY(%s) AND kind = ANY(%s) ORDER BY kind, scope, id""",
            [organisation_id, list(scopes), list(kinds)],
        )
    }
    steps = read_columns(STEPS, [list(series), span.end_at, span.start_at], {"series_id": np.int64, **STEP_COLUMNS})
    found = {}
    for pk in np.unique(steps["series_id"]).tolist():
        kind, scope, source = series[pk]
        of_series = chosen(steps, steps["series_id"] == pk)
        found[kind, scope] = _step_signal(of_series, source=f"{source}, {kind} of {scope}")
    return ActualSignals(found)


def forecast_signal(
    organisation_id: int, scope: str, *, kinds: tuple[str, ...], now_at: datetime
) -> tuple[StepSignal, datetime | None]:
    """Return the newest forecast that had been issued by `now_at`, and its instant of issue; empty and None without one."""
    newest = (
        SignalValue.objects.filter(
            series__organisation_id=organisation_id,
            series__scope=scope,
            series__kind__in=kinds,
            issued_at__isnull=False,
            issued_at__lte=now_at,
        )
        .order_by("-issued_at", "series_id")
        .values_list("series_id", "series__source", "issued_at")
        .first()
    )
    if newest is None:
        return StepSignal.empty(), None
    series_id, source, issued_at = newest
    steps = read_columns(
        f"SELECT {STEP_SQL} FROM signal_value WHERE series_id = %s AND issued_at = %s ORDER BY start_at",  # noqa: S608
        [series_id, issued_at],
        STEP_COLUMNS,
    )
    return _step_signal(steps, source=f"{source}, issued {issued_at:%Y-%m-%d %H:%MZ}"), issued_at


def _step_signal(steps: Columns, *, source: str) -> StepSignal:
    return StepSignal(source=source, **{name: steps[name] for name in STEP_COLUMNS})
