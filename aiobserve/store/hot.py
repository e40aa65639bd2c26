"""Reads the hot table's rows as arrays. The server joins the bytes of each device, so there is one row a device."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from psycopg import sql

from aiobserve.domain.window import Span
from aiobserve.store.cursor import POSTGRES_EPOCH_US, fetch_binary

Int64Array = npt.NDArray[np.int64]


@dataclass(frozen=True)
class HotSamples:
    """Samples by device, instant and arrival; doubles are still there, the one that came first standing first.

    Attributes:
        device_ids: ascending, shape (k,).
        counts: samples of each device, shape (k,).
        at_us: epoch microseconds, shape (n,).
        readings: by name, shape (n,).
    """

    device_ids: Int64Array
    counts: Int64Array
    at_us: Int64Array
    readings: dict[str, npt.NDArray[np.float64]]


def hot_samples(
    table: str, columns: Sequence[str], *, of: Sequence[int] | None = None, span: Span | None = None
) -> HotSamples:
    """Return the samples of the hot table, or of one of its partitions: of some devices only, or of a span."""
    sent: list[sql.Composable] = [sql.SQL("timestamptz_send(at)")]
    sent += [sql.SQL("float8send({})").format(sql.Identifier(name)) for name in columns]
    # A row's place in its partition: nothing is ever deleted there one by one, so it is the order of arrival.
    sent.append(sql.SQL("tidsend(sample.ctid)"))
    # A join, because `= ANY` of ten thousand ids is compared one by one for every row.
    of_devices = sql.SQL("JOIN unnest(%(devices)s::bigint[]) AS wanted (device_id) USING (device_id)")
    in_span = sql.SQL("WHERE at >= %(start)s AND at < %(end)s")
    statement = sql.SQL("SELECT device_id, string_agg({}, ''::bytea) FROM {} {} {} GROUP BY device_id").format(
        sql.SQL(" || ").join(sent),
        sql.SQL("{} AS sample").format(sql.Identifier(table)),
        sql.SQL("") if of is None else of_devices,
        sql.SQL("") if span is None else in_span,
    )
    values = {"devices": of} | ({} if span is None else {"start": span.start_at, "end": span.end_at})
    rows = sorted(fetch_binary(statement, values), key=lambda row: row[0])
    layout = np.dtype([("at", ">i8"), *[(name, ">f8") for name in columns], ("block", ">u4"), ("line", ">u2")])
    samples = np.frombuffer(b"".join([content for _, content in rows]), dtype=layout)
    device_ids = np.array([device_id for device_id, _ in rows], dtype=np.int64)
    counts = np.array([len(content) // layout.itemsize for _, content in rows], dtype=np.int64)
    at_us = samples["at"].astype(np.int64) + POSTGRES_EPOCH_US
    boundaries = np.cumsum(counts)[:-1] - 1
    later = np.diff(at_us) > 0
    later[boundaries] = True
    if not later.all():
        order = np.lexsort((samples["line"], samples["block"], at_us, np.repeat(np.arange(len(counts)), counts)))
        samples, at_us = samples[order], at_us[order]
    return HotSamples(device_ids, counts, at_us, {name: samples[name].astype(np.float64) for name in columns})
