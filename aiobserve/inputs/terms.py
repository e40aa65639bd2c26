"""Turns what is declared for a site (prices, commitments, pools, electricity contracts) into the engine's arrays."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from aiobserve.attribution.commitment import Committed, blended
from aiobserve.attribution.inputs import Devices, Pool
from aiobserve.attribution.market import EnergyContract
from aiobserve.attribution.price import price_in_windows
from aiobserve.attribution.rate import value_in_windows
from aiobserve.domain.account import Component
from aiobserve.domain.quality import Quality
from aiobserve.domain.signal import StepSignal
from aiobserve.domain.units import SECONDS_PER_HOUR
from aiobserve.domain.window import WINDOW_S, Span
from aiobserve.store.read import fleet, rates, terms

Int64Array = npt.NDArray[np.int64]
FloatArray = npt.NDArray[np.float64]

COMPONENTS = {"gpu": Component.GPU, "host": Component.HOST}


@dataclass(frozen=True)
class Priced:
    """Devices with their prices, and what was committed and not used by window."""

    devices: Devices
    unused_commitment_usd: FloatArray


def priced(site: fleet.SiteRow, devices: pd.DataFrame, edge_s: Int64Array, span: Span) -> Priced:
    """Return the devices of a site with their prices in each window.

    A host without a price of its own costs nothing but its electricity, which is bought like that of its GPUs.

    Raises:
        RateMissing: a kind of GPU has no price in some window.
    """
    known = rates.gpu_rates(site.organisation_id, site.pk)
    shape = (len(devices), len(edge_s) - 1)
    usd, listed, quality, included = (
        np.zeros(shape), np.zeros(shape), np.full(shape, Quality.MEASURED, np.int8), np.zeros(shape, bool),
    )  # fmt: skip
    kind, sku, contract, node = (devices[name].to_numpy(dtype=object) for name in ("kind", "sku", "contract", "node"))
    hosts = kind == "host"
    terms_of = list(zip(sku.tolist(), contract.tolist(), strict=True))
    sold = set(known["sku"].tolist())
    for terms_had in sorted({had for had, host in zip(terms_of, hosts, strict=True) if not host or had[0] in sold}):
        rows = np.flatnonzero((sku == terms_had[0]) & (contract == terms_had[1]))
        found = price_in_windows(known, sku=terms_had[0], contract=terms_had[1], site=site.name, edge_s=edge_s)
        usd[rows], listed[rows] = found.usd_per_gpu_hour, found.list_usd_per_gpu_hour
        quality[rows], included[rows] = found.quality, found.includes_electricity
    gpus = np.flatnonzero(~hosts)[::-1].tolist()
    first_gpu = {node[gpu]: gpu for gpu in gpus}
    for host in np.flatnonzero(hosts).tolist():
        if node[host] in first_gpu:
            included[host] = included[first_gpu[node[host]]]
    embodied = terms.embodied(site.organisation_id)
    made = Devices(
        component=np.array([COMPONENTS[one] for one in kind.tolist()], dtype=np.int8),
        share_millis=devices["capacity_millis"].to_numpy(dtype=np.int64),
        **{name: devices[name].to_numpy(dtype=np.float64) for name in ("tdp_w", "idle_w", "active_w")},
        valid_from_s=devices["valid_from_s"].to_numpy(dtype=np.int64),
        valid_to_s=devices["valid_to_s"].to_numpy(dtype=np.int64),
        usd_per_gpu_hour=usd,
        list_usd_per_gpu_hour=listed,
        cost_quality=quality,
        includes_electricity=included,
        embodied_g_per_gpu_hour=np.array([embodied.get(one, 0.0) for one in sku.tolist()], dtype=np.float64),
        kept_for=np.full(shape, -1),
    )
    commitments = [
        Committed(
            gpus=row.gpus,
            usd_per_gpu_hour=row.usd_per_gpu_hour,
            devices=(sku == row.sku) & (contract == row.contract),
            valid_from_s=row.valid_from_s,
            valid_to_s=row.valid_to_s,
        )
        for row in terms.commitments(site.pk, span)
    ]
    return _committed(made, edge_s, commitments)


def _committed(made: Devices, edge_s: Int64Array, commitments: list[Committed]) -> Priced:
    if not commitments:
        return Priced(made, np.zeros(len(edge_s) - 1))
    start_s = np.maximum(made.valid_from_s[:, None], edge_s[None, :-1])
    end_s = np.minimum(made.valid_to_s[:, None], edge_s[None, 1:])
    offered = np.maximum(end_s - start_s, 0) * made.share_millis[:, None]
    usd, unused = blended(made.usd_per_gpu_hour, offered, edge_s[:-1], commitments)
    return Priced(Devices(**{**vars(made), "usd_per_gpu_hour": usd}), unused)


def contracts_of(site: fleet.SiteRow, span: Span) -> tuple[EnergyContract, ...]:
    """Return the electricity contracts of a site in the order in which they are used."""
    return tuple(
        EnergyContract(
            name=row.name,
            g_per_kwh=row.g_per_kwh,
            kwh_per_window=None if row.kwh_per_hour is None else row.kwh_per_hour * WINDOW_S / SECONDS_PER_HOUR,
            share_ratio=row.share_ratio,
            valid_from_s=row.valid_from_s,
            valid_to_s=row.valid_to_s,
        )
        for row in terms.energy_contracts(site.pk, span)
    )


def pools_of(
    declared: Sequence[terms.PoolRow], edge_s: Int64Array, *, metered: Callable[[str], StepSignal]
) -> tuple[Pool, ...]:
    """Return shared pools by window; `metered` gives the signal of what a pool draws, empty where none is known."""
    start_s = edge_s[:-1]
    pools = []
    for row in declared:
        holds = (start_s >= row.valid_from_s) & (start_s < row.valid_to_s)
        signal = metered(row.name)
        power_w = np.full(len(start_s), row.power_w)
        quality = np.full(len(start_s), Quality.ESTIMATED if row.power_w else Quality.MEASURED, dtype=np.int8)
        if signal.value.size:
            power_w, quality = value_in_windows(signal, start_s, what=f"power of pool {row.name}")
        pools.append(
            Pool(
                pool_id=row.pk,
                component=Component(row.component),
                power_w=np.where(holds, power_w, 0.0),
                power_quality=quality,
                usd_per_hour=np.where(holds, row.usd_per_hour, 0.0),
                includes_electricity=row.includes_electricity,
            )
        )
    return tuple(pools)
