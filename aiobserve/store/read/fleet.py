"""Reads organisations, sites and devices."""

from dataclasses import dataclass
from datetime import date, datetime

import numpy as np
import numpy.typing as npt
import pandas as pd
from django.db.models import F

from aiobserve.domain.window import Span
from aiobserve.store.columns import FAR_PAST_S, chosen, epoch_sql, frame, read_columns
from aiobserve.store.models import Organisation, Site, Watermark

DEVICE_COLUMNS = {
    "device_id": np.int64, **dict.fromkeys(("uid", "node", "kind", "sku", "contract"), object), "capacity_millis": np.int64,
    **dict.fromkeys(("tdp_w", "idle_w", "active_w"), np.float64), "valid_from_s": np.int64, "valid_to_s": np.int64,
}  # fmt: skip


class NoSuchOrganisation(LookupError):
    """No organisation has the slug that was asked for, or there is none yet."""


@dataclass(frozen=True)
class OrganisationRow:
    """An organisation; `now_at` is set when it is simulated and lives at a fixed instant."""

    pk: int
    slug: str
    name: str
    simulated: bool
    now_at: datetime | None


@dataclass(frozen=True)
class SiteRow:
    """A site with its grid zone."""

    pk: int
    organisation_id: int
    name: str
    grid_zone: str
    timezone: str


def organisations() -> list[OrganisationRow]:
    """Return all organisations, real ones first, then by slug."""
    rows = Organisation.objects.order_by("simulated", "slug")
    return [OrganisationRow(row.pk, row.slug, row.name, row.simulated, row.now_at) for row in rows]


def organisation(slug: str | None) -> OrganisationRow:
    """Return the organisation with the slug, or the first one when none is given.

    Raises:
        NoSuchOrganisation: there is none; the message lists those that are there.
    """
    known = organisations()
    found = [row for row in known if slug in (None, "", row.slug)]
    if not found:
        there = ", ".join(row.slug for row in known) or "none yet: run `aiobserve demo` or `aiobserve import`"
        raise NoSuchOrganisation(
            f"no organisation {slug!r}; there are: {there}" if slug else f"no organisation; {there}"
        )
    return found[0]


def sites(organisation_id: int) -> list[SiteRow]:
    """Return the sites of an organisation by name."""
    rows = Site.objects.filter(organisation_id=organisation_id).order_by("name")
    return [SiteRow(row.pk, row.organisation_id, row.name, row.grid_zone, row.timezone) for row in rows]


def site(site_id: int) -> SiteRow:
    """Return one site."""
    row = Site.objects.get(pk=site_id)
    return SiteRow(row.pk, row.organisation_id, row.name, row.grid_zone, row.timezone)


def devices(site_id: int, span: Span | None = None) -> pd.DataFrame:
    """Return the devices of a site, or those that are there in any part of a span, in order of id.

    Columns: device_id, uid, node, kind, sku, contract, capacity_millis, tdp_w, idle_w, active_w, valid_from_s, valid_to_s.
    """
    found = read_columns(
        f"""SELECT device.id, uid, node.name, kind, sku, contract, capacity_millis, tdp_w, idle_w, active_w,
                   {epoch_sql("valid_from_at", missing=FAR_PAST_S)}, {epoch_sql("valid_to_at")}
            FROM device JOIN node ON node.id = node_id WHERE site_id = %s ORDER BY device.id""",  # noqa: S608 - our own text
        [site_id],
        DEVICE_COLUMNS,
    )
    if span is not None:
        there = found["valid_to_s"] > span.start_at.timestamp()
        found = chosen(found, there & (found["valid_from_s"] < span.end_at.timestamp()))
    return frame(found)


def due_days(organisation_id: int | None = None) -> list[tuple[int, date]]:
    """Return (site id, day) of every day that is due and not blocked, oldest first."""
    due = Watermark.objects.filter(wanted_version__gt=F("done_version"), blocked_reason="")
    if organisation_id is not None:
        due = due.filter(site__organisation_id=organisation_id)
    return list(due.order_by("day", "site_id").values_list("site_id", "day"))


def blocked_days(organisation_id: int | None = None) -> list[tuple[str, date, str]]:
    """Return (site name, day, reason) of every day that could not be attributed, oldest first."""
    blocked = Watermark.objects.exclude(blocked_reason="")
    if organisation_id is not None:
        blocked = blocked.filter(site__organisation_id=organisation_id)
    return list(blocked.order_by("day", "site_id").values_list("site__name", "day", "blocked_reason"))


def epoch_s(instants: "pd.Series[pd.Timestamp]", *, missing: int) -> npt.NDArray[np.int64]:
    """Return whole epoch seconds of aware instants, `missing` where there is none."""
    aware = pd.to_datetime(instants, utc=True).astype("datetime64[s, UTC]")
    return np.where(aware.isna(), missing, aware.astype("int64").to_numpy()).astype(np.int64)
