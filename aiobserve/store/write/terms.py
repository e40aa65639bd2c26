"""Writes what a site declares; the days that it changes are attributed again."""

import pandas as pd

from aiobserve.domain.account import Component
from aiobserve.domain.reason import Reason
from aiobserve.store.write.copy import merge_frame
from aiobserve.store.write.fleet import device_sites, map_known, site_ids
from aiobserve.store.write.watermark import want_again

VALIDITY = {"valid_from_at": "timestamptz", "valid_to_at": "timestamptz"}


def write_pools(organisation_id: int, pools: pd.DataFrame) -> int:
    """Write shared pools by site, name and start; returns rows changed."""
    rows = pools.assign(
        name=pools["pool"],
        component=pools["component"].map({one.label: int(one) for one in Component}),
        label=pools["label"].fillna(""),
    )
    columns = {
        "name": "varchar", "component": "int2", "shared_by": "varchar", "label": "varchar", "usd_per_hour": "float8",
        "power_w": "float8", "includes_electricity": "bool",
    }  # fmt: skip
    return _merge_of_sites("shared_pool", organisation_id, columns, rows)


def write_commitments(organisation_id: int, commitments: pd.DataFrame) -> int:
    """Write commitments by site, name and start; returns rows changed."""
    columns = {
        "name": "varchar",
        "sku": "varchar",
        "contract": "varchar",
        "gpus": "float8",
        "usd_per_gpu_hour": "float8",
    }
    return _merge_of_sites("commitment", organisation_id, columns, commitments.assign(name=commitments["commitment"]))


def write_energy_contracts(organisation_id: int, contracts: pd.DataFrame) -> int:
    """Write electricity contracts by site, name and start; returns rows changed."""
    columns = {
        "name": "varchar", "kind": "varchar", "kwh_per_hour": "float8", "share_ratio": "float8", "g_per_kwh": "float8",
        "source": "varchar",
    }  # fmt: skip
    return _merge_of_sites("energy_contract", organisation_id, columns, contracts.assign(name=contracts["contract"]))


def write_embodied(organisation_id: int, embodied: pd.DataFrame) -> int:
    """Write emissions of manufacture by kind of GPU; they count for all time. Returns rows changed."""
    columns = {
        "organisation_id": "int8", "sku": "varchar", "kg_co2e": "float8", "life_hours": "float8", "source": "varchar",
    }  # fmt: skip
    rows = embodied.assign(organisation_id=organisation_id)
    changed = merge_frame(
        "embodied_factor", columns, rows, key=("organisation_id", "sku"), update=("kg_co2e", "life_hours", "source")
    )
    if changed:
        want_again(site_ids(organisation_id).values(), pd.Timestamp(0, tz="UTC"), None, reason=Reason.TERMS)
    return changed


def write_dedications(organisation_id: int, dedications: pd.DataFrame) -> int:
    """Write which account each device is kept for; returns rows changed."""
    devices = device_sites(organisation_id)
    known = {uid: pair[0] for uid, pair in devices.items()}
    rows = dedications.assign(device_id=map_known(dedications["device_uid"], known, what="device"))
    columns = {"device_id": "int8", "account": "varchar", **VALIDITY}
    changed = merge_frame(
        "dedication", columns, rows, key=("device_id", "valid_from_at"), update=("account", "valid_to_at")
    )
    if changed:
        sites = {devices[uid][1] for uid in dedications["device_uid"]}
        want_again(sites, dedications["valid_from_at"].min(), None, reason=Reason.TERMS)
    return changed


def _merge_of_sites(table: str, organisation_id: int, columns: dict[str, str], rows: pd.DataFrame) -> int:
    """Merge rows of sites into a table whose key is site, name and start."""
    rows = rows.assign(site_id=map_known(rows["site"], site_ids(organisation_id), what="site"))
    everything = {"site_id": "int8", **columns, **VALIDITY}
    key = ("site_id", "name", "valid_from_at")
    changed = merge_frame(
        table, everything, rows, key=key, update=tuple(name for name in everything if name not in key)
    )
    if changed:
        want_again(set(rows["site_id"]), rows["valid_from_at"].min(), None, reason=Reason.TERMS)
    return changed
