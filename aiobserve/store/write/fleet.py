"""Writes sites, nodes and devices."""

from datetime import date, timedelta

import pandas as pd
from django.db import connection
from django.db.models import Min

from aiobserve.domain.reason import Reason
from aiobserve.store.models import Device, IdleObservation, Node, Site
from aiobserve.store.write.copy import merge_frame
from aiobserve.store.write.watermark import want_again

# The first key of PostgreSQL's two-key advisory locks; the second is the site's id.
IDLE_LOCK = 0x69646C65


class UnknownName(ValueError):
    """A row names a site, device or job that the store does not have."""


def write_sites(organisation_id: int, sites: pd.DataFrame) -> int:
    """Write sites; a site that is there gets the grid zone and time zone of the frame. Returns rows changed."""
    rows = sites.rename(columns={"site": "name"}).assign(organisation_id=organisation_id)
    columns = {"organisation_id": "int8", "name": "varchar", "grid_zone": "varchar", "timezone": "varchar"}
    return merge_frame("site", columns, rows, key=("organisation_id", "name"), update=("grid_zone", "timezone"))


def write_devices(organisation_id: int, devices: pd.DataFrame) -> int:
    """Write nodes and devices; days of their sites since the earliest device are attributed again if any changed.

    Returns:
        How many devices changed.
    """
    sites = site_ids(organisation_id)
    known = map_known(devices["site"], sites, what="site")
    nodes = devices.assign(site_id=known, name=devices["node"])[["site_id", "name"]].drop_duplicates()
    merge_frame("node", {"site_id": "int8", "name": "varchar"}, nodes, key=("site_id", "name"))
    node_ids = {
        (site_id, name): pk
        for pk, site_id, name in Node.objects.filter(site__organisation_id=organisation_id).values_list(
            "pk", "site_id", "name"
        )
    }
    rows = devices.assign(
        node_id=[node_ids[pair] for pair in zip(known, devices["node"], strict=True)],
        uid=devices["device_uid"],
        contract=devices["contract"].fillna(""),
    )
    columns = {
        "node_id": "int8",
        "uid": "varchar",
        "kind": "varchar",
        "sku": "varchar",
        "contract": "varchar",
        "capacity_millis": "int4",
        "tdp_w": "float8",
        "idle_w": "float8",
        "active_w": "float8",
        "valid_from_at": "timestamptz",
        "valid_to_at": "timestamptz",
    }
    changed = merge_frame("device", columns, rows, key=("node_id", "uid"), update=tuple(columns)[2:])
    if changed:
        want_again(set(known), devices["valid_from_at"].min(), None, reason=Reason.DEVICE)
    return changed


def lock_idle_observations(site_id: int) -> None:
    """Let one at a time read and write what was seen of a site's idle power; until the transaction ends."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s, %s)", [IDLE_LOCK, site_id])


def replace_idle_observations(site_id: int, day: date, observations: pd.DataFrame, *, keep_days: int) -> date | None:
    """Put what was seen of a site's idle power on a day (device_id, idle_w, seconds) in the place of what stands.

    Returns:
        The last day whose baseline that changes: until the next day on which each device was seen again, at most
        `keep_days` later; None where nothing changed.
    """
    known = IdleObservation.objects.filter(device__node__site_id=site_id)
    before = dict(known.filter(day=day).values_list("device_id", "idle_w"))
    after = dict(zip(observations["device_id"].tolist(), observations["idle_w"].tolist(), strict=True))
    changed = [pk for pk in before.keys() | after.keys() if before.get(pk) != after.get(pk)]
    if not changed:
        return None
    known.filter(day=day, device_id__in=before.keys() - after.keys()).delete()
    columns = {"device_id": "int8", "day": "date", "idle_w": "float8", "seconds": "int4"}
    rows = observations.assign(day=day)
    merge_frame("idle_observation", columns, rows, key=("device_id", "day"), update=("idle_w", "seconds"))
    later = known.filter(device_id__in=changed, day__gt=day).values("device_id").annotate(next=Min("day"))
    seen_again = dict(later.values_list("device_id", "next"))
    furthest = day + timedelta(days=keep_days)
    return min(max(seen_again.get(pk, furthest) for pk in changed), furthest)


def site_ids(organisation_id: int) -> dict[str, int]:
    """Return the id of each site of the organisation by name."""
    return dict(Site.objects.filter(organisation_id=organisation_id).values_list("name", "pk"))


def device_sites(organisation_id: int) -> dict[str, tuple[int, int]]:
    """Return (device id, site id) of each device of the organisation by uid."""
    rows = Device.objects.filter(node__site__organisation_id=organisation_id)
    return {uid: (pk, site_id) for uid, pk, site_id in rows.values_list("uid", "pk", "node__site_id")}


def map_known(names: "pd.Series[str]", known: dict[str, int], *, what: str) -> "pd.Series[int]":
    """Return the id of each name.

    Raises:
        UnknownName: one is not known; the message names it and says what to import first.
    """
    unknown = sorted(set(names) - set(known))
    if unknown:
        raise UnknownName(f"unknown {what} {unknown[0]!r} ({len(unknown)} in all); import its {what}s first")
    return names.map(known).astype("int64")
