"""Turns what is declared for a site (prices, commitments, pools, electricity contracts) into the engine's arrays."""

from collections.abc import Callable
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
    hosts = devices["kind"] == "host"
    for (sku, contract), rows in devices[~hosts | devices["sku"].isin(known["sku"])].groupby(["sku", "contract"]):
        found = price_in_windows(known, sku=str(sku), contract=str(contract), site=site.name, edge_s=edge_s)
        usd[rows.index], listed[rows.index] = found.usd_per_gpu_hour, found.list_usd_per_gpu_hour
        quality[rows.index], included[rows.index] = found.quality, found.includes_electricity
    first_gpu = devices[~hosts].drop_duplicates("node")
    gpu_of_node = pd.Series(first_gpu.index, index=first_gpu["node"])
    for host in devices.index[hosts & devices["node"].isin(gpu_of_node.index)]:
        included[host] = included[gpu_of_node[devices.loc[host, "node"]]]
    embodied = devices["sku"].map(terms.embodied(site.organisation_id)).fillna(0.0)
    made = Devices(
        component=devices["kind"].map({kind: int(one) for kind, one in COMPONENTS.items()}).to_numpy(dtype=np.int8),
        share_millis=devices["capacity_millis"].to_numpy(dtype=np.int64),
        **{name: devices[name].to_numpy(dtype=np.float64) for name in ("tdp_w", "idle_w", "active_w")},
        valid_from_s=devices["valid_from_s"].to_numpy(dtype=np.int64),
        valid_to_s=devices["valid_to_s"].to_numpy(dtype=np.int64),
        usd_per_gpu_hour=usd,
        list_usd_per_gpu_hour=listed,
        cost_quality=quality,
        includes_electricity=included,
        embodied_g_per_gpu_hour=embodied.to_numpy(dtype=np.float64),
        kept_for=np.full(shape, -1),
    )
    return _committed(site, devices, made, edge_s, span)


def _committed(site: fleet.SiteRow, devices: pd.DataFrame, made: Devices, edge_s: Int64Array, span: Span) -> Priced:
    commitments = [
        Committed(
            gpus=float(row.gpus),
            usd_per_gpu_hour=float(row.usd_per_gpu_hour),
            devices=((devices["sku"] == row.sku) & (devices["contract"] == row.contract)).to_numpy(dtype=bool),
            valid_from_s=int(row.valid_from_s),
            valid_to_s=int(row.valid_to_s),
        )
        for row in terms.commitments(site.pk, span).itertuples()
    ]
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
            name=str(row.name),
            g_per_kwh=float(row.g_per_kwh),
            kwh_per_window=None
            if row.kwh_per_hour is None or np.isnan(row.kwh_per_hour)
            else float(row.kwh_per_hour) * WINDOW_S / SECONDS_PER_HOUR,
            share_ratio=float(row.share_ratio),
            valid_from_s=int(row.valid_from_s),
            valid_to_s=int(row.valid_to_s),
        )
        for row in terms.energy_contracts(site.pk, span).itertuples(index=False)
    )


def pools_of(
    site: fleet.SiteRow, edge_s: Int64Array, span: Span, *, metered: Callable[[str], StepSignal]
) -> tuple[Pool, ...]:
    """Return the shared pools of a site; `metered` gives the signal of what a pool draws, empty where none is known."""
    start_s = edge_s[:-1]
    pools = []
    for row in terms.pools(site.pk, span).itertuples(index=False):
        holds = (start_s >= row.valid_from_s) & (start_s < row.valid_to_s)
        signal = metered(str(row.name))
        power_w = np.full(len(start_s), float(row.power_w))
        quality = np.full(len(start_s), Quality.ESTIMATED if row.power_w else Quality.MEASURED, dtype=np.int8)
        if signal.value.size:
            power_w, quality = value_in_windows(signal, start_s, what=f"power of pool {row.name}")
        pools.append(
            Pool(
                pool_id=int(row.pk),
                component=Component(int(row.component)),
                power_w=np.where(holds, power_w, 0.0),
                power_quality=quality,
                usd_per_hour=np.where(holds, float(row.usd_per_hour), 0.0),
                includes_electricity=bool(row.includes_electricity),
            )
        )
    return tuple(pools)
