"""Reads what sites declare: shared pools, commitments, electricity contracts, emissions of manufacture."""

from dataclasses import dataclass
from datetime import date, timedelta

import numpy as np

from aiobserve.domain.window import Span
from aiobserve.store.columns import FAR_PAST_S, Columns, epoch_sql, read_columns, read_rows

# An observation of idle power counts for so long.
KEEP_OBSERVATIONS = timedelta(days=30)
# Electricity is used in this order; what is of no known kind comes last.
CONTRACT_ORDER = ("ppa", "certificate", "tariff")
HOLDS = f"{epoch_sql('valid_from_at', missing=FAR_PAST_S)}, {epoch_sql('valid_to_at')}"
DURING = "valid_from_at < %s AND (valid_to_at IS NULL OR valid_to_at > %s)"


@dataclass(frozen=True)
class PoolRow:
    """A shared pool and when it holds."""

    pk: int
    name: str
    component: int
    shared_by: str
    label: str
    usd_per_hour: float
    power_w: float
    includes_electricity: bool
    valid_from_s: int
    valid_to_s: int


@dataclass(frozen=True)
class CommitmentRow:
    """A commitment to GPUs and when it holds."""

    pk: int
    name: str
    sku: str
    contract: str
    gpus: float
    usd_per_gpu_hour: float
    valid_from_s: int
    valid_to_s: int


@dataclass(frozen=True)
class ContractRow:
    """An electricity contract and when it holds; without `kwh_per_hour` it covers a share."""

    pk: int
    name: str
    kind: str
    kwh_per_hour: float | None
    share_ratio: float
    g_per_kwh: float
    source: str
    valid_from_s: int
    valid_to_s: int


def pools(site_id: int, span: Span) -> list[PoolRow]:
    """Return the shared pools of a site that hold in any part of a span, in order of id."""
    rows = read_rows(
        f"""SELECT id, name, component, shared_by, label, usd_per_hour, power_w, includes_electricity, {HOLDS}
            FROM shared_pool WHERE site_id = %s AND {DURING} ORDER BY id""",  # noqa: S608 - our own text
        [site_id, span.end_at, span.start_at],
    )
    return [PoolRow(*row) for row in rows]


def commitments(site_id: int, span: Span) -> list[CommitmentRow]:
    """Return the commitments of a site that hold in any part of a span, in order of id."""
    rows = read_rows(
        f"""SELECT id, name, sku, contract, gpus, usd_per_gpu_hour, {HOLDS}
            FROM commitment WHERE site_id = %s AND {DURING} ORDER BY id""",  # noqa: S608 - our own text
        [site_id, span.end_at, span.start_at],
    )
    return [CommitmentRow(*row) for row in rows]


def energy_contracts(site_id: int, span: Span) -> list[ContractRow]:
    """Return the electricity contracts of a site that hold in any part of a span, in the order in which they are used."""
    rows = read_rows(
        f"""SELECT id, name, kind, kwh_per_hour, share_ratio, g_per_kwh, source, {HOLDS}
            FROM energy_contract WHERE site_id = %s AND {DURING}
            ORDER BY array_position(%s::text[], kind::text), id""",  # noqa: S608 - our own text
        [site_id, span.end_at, span.start_at, list(CONTRACT_ORDER)],
    )
    return [ContractRow(*row) for row in rows]


def embodied(organisation_id: int) -> dict[str, float]:
    """Return grams of CO2e per GPU-hour of life by kind of GPU."""
    rows = read_rows(
        "SELECT sku, kg_co2e, life_hours FROM embodied_factor WHERE organisation_id = %s ORDER BY id", [organisation_id]
    )
    return {sku: kg * 1000 / hours for sku, kg, hours in rows}


def dedications(site_id: int, span: Span) -> Columns:
    """Return which devices of a site are kept for which account: device_id, account, start_s, end_s."""
    return read_columns(
        f"""SELECT device_id, account, {epoch_sql("dedication.valid_from_at", missing=FAR_PAST_S)},
                   {epoch_sql("dedication.valid_to_at")}
            FROM dedication JOIN device ON device.id = device_id JOIN node ON node.id = node_id
            WHERE site_id = %s AND dedication.valid_from_at < %s
            AND (dedication.valid_to_at IS NULL OR dedication.valid_to_at > %s) ORDER BY dedication.id""",  # noqa: S608 - our own text
        [site_id, span.end_at, span.start_at],
        {"device_id": np.int64, "account": object, "start_s": np.int64, "end_s": np.int64},
    )


def idle_observations(site_id: int, day: date) -> dict[int, float]:
    """Return the latest idle power seen of each device on a day or in the 30 days before it, by device id."""
    rows = read_rows(
        """SELECT device_id, idle_observation.idle_w FROM idle_observation JOIN device ON device.id = device_id
           JOIN node ON node.id = node_id WHERE site_id = %s AND day <= %s AND day > %s ORDER BY day""",
        [site_id, day, day - KEEP_OBSERVATIONS],
    )
    return dict(rows)
