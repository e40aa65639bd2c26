"""The rows of our tables that a declared entry becomes, once its values are read."""

from collections.abc import Callable
from dataclasses import dataclass, field
from decimal import Decimal

import pandas as pd

from aiobserve.domain.owned import BadTerms, OwnedGpu
from aiobserve.domain.quality import Quality
from aiobserve.domain.tokens import TokenKind
from aiobserve.domain.units import HOURS_PER_YEAR, KWH_PER_MWH, MILLIS_PER_GPU
from collectors.declared.fields import BadEntry, Values, shown

MONTHS_PER_YEAR = 12
# Prices are whole microdollars an hour.
PRICE_PLACES = 6
QUALITY = {one.label: one for one in Quality}

Row = dict[str, object]
Rows = list[tuple[str, Row]]


@dataclass
class Known:
    """What earlier entries of the file declared, for later ones to refer to: grid zones by site, GPUs by device and node."""

    file: str
    zones: dict[str, str] = field(default_factory=dict)
    devices: dict[str, list[str]] = field(default_factory=dict)
    gpus: dict[str, int] = field(default_factory=dict)

    def zone(self, site: str) -> str:
        """Return the grid zone of a declared site.

        Raises:
            BadEntry: the file declares no such site.
        """
        if site not in self.zones:
            there = ", ".join(self.zones) or "none"
            raise BadEntry(f"site = {shown(site)}: no [[site]] of this file has that name ({there}); declare it first")
        return self.zones[site]


def site_rows(given: Values, known: Known) -> Rows:
    known.zones[given["name"]] = given["grid_zone"]
    return [("sites", {"site": given["name"], "grid_zone": given["grid_zone"], "timezone": given["timezone"]})]


def device_rows(given: Values, known: Known) -> Rows:
    known.zone(given["site"])
    place = _place(given)
    uids = given["uids"] or [f"{place}/gpu{index}" for index in range(given["gpus"] or 0)]
    if not uids or (given["uids"] and given["gpus"] not in (None, len(uids))):
        raise BadEntry("give uids = [...] as the driver reports them, or gpus = how many, for uids of our own making")
    watts = {"tdp_w": given["tdp_w"], **_modelled(given)}
    known.devices.setdefault(place, []).extend(uids)
    known.gpus[place] = known.gpus.get(place, 0) + len(uids)
    return [
        ("devices", {**_held(given), "device_uid": uid, "kind": "gpu", "capacity_millis": MILLIS_PER_GPU, **_floats(watts)})
        for uid in uids
    ]  # fmt: skip


def host_rows(given: Values, known: Known) -> Rows:
    known.zone(given["site"])
    place = _place(given)
    gpus = given["gpus"] or known.gpus.get(place)
    if not gpus:
        raise BadEntry(
            f"node = {shown(given['node'])}: no [[device]] of it is declared; add them, or say gpus = how many"
        )
    uid = given["uid"] or f"{place}/host"
    known.devices.setdefault(place, []).append(uid)
    # The store keeps watts per GPU of the host.
    watts = {name: watt / gpus for name, watt in {"tdp_w": given["tdp_w"], **_modelled(given)}.items()}
    row = {**_held(given), "device_uid": uid, "kind": "host", "capacity_millis": gpus * MILLIS_PER_GPU}
    return [("devices", {**row, **_floats(watts)})]


def _place(given: Values) -> str:
    return f"{given['site']}/{given['node']}"


def _held(given: Values) -> Row:
    return {**{name: given[name] for name in ("site", "node", "sku", "contract")}, **_valid(given)}


def _modelled(given: Values) -> dict[str, Decimal]:
    """Return idle and busy watts: as declared, else a tenth and three quarters of the rated power."""
    idle, active = given["idle_w"], given["active_w"]
    rated = given["tdp_w"]
    watts = {
        "idle_w": rated / 10 if idle is None else idle,
        "active_w": rated * 3 / 4 if active is None else active,
    }
    if not watts["idle_w"] <= watts["active_w"] <= rated:
        raise BadEntry(
            f"idle_w {watts['idle_w']}, active_w {watts['active_w']}, tdp_w {rated}: they must not fall in this order"
        )
    return watts


def account_rows(given: Values, known: Known) -> Rows:
    return [("accounts", {name: given[name] for name in ("account", "team", "project")} | _valid(given))]


def rate_rows(given: Values, known: Known) -> Rows:
    if (given["usd_per_gpu_hour"] is None) == (given["changes"] is None):
        raise BadEntry("give either usd_per_gpu_hour = ... or changes = [...], and not both")
    # What is rented comes with its electricity; what is owned does not.
    included = given["includes_electricity"]
    points = given["changes"] or [(given["valid_from"], given["usd_per_gpu_hour"])]
    ends = [*(at for at, _ in points[1:]), given["valid_to"]]
    if ends[-1] is not None and ends[-1] <= points[-1][0]:
        raise BadEntry(f"valid_to = {shown(ends[-1])}: it must be later than the last change")
    priced = {
        "purchase": given["purchase"],
        "list_usd_per_gpu_hour": _price(given["list_usd_per_gpu_hour"]),
        "includes_electricity": given["purchase"] != "owned" if included is None else included,
        "source": given["source"] or f"declared in {known.file}",
    }
    return [
        ("rates", {**_priced(given, known), **priced, "usd_per_gpu_hour": _price(usd), "valid_from_at": at, "valid_to_at": end or pd.NaT})
        for (at, usd), end in zip(points, ends, strict=True)
    ]  # fmt: skip


def owned_rows(given: Values, known: Known) -> Rows:
    terms = OwnedGpu(
        capex_usd=float(given["capex_usd"]),
        residual_usd=float(given["residual_usd"]),
        life_years=float(given["life_years"]),
        running_usd_per_year=float(given["running_usd_per_year"]),
        utilisation_floor=float(given["utilisation_floor"]),
    )
    try:
        offered, used = terms.usd_per_offered_hour(), terms.usd_per_used_hour()
    except BadTerms as error:
        raise BadEntry(str(error)) from error
    said = ", ".join(
        f"{name} {given[name]}" for name in ("capex_usd", "residual_usd", "life_years", "running_usd_per_year")
    )
    row = {
        **_priced(given, known),
        **_valid(given),
        "purchase": "owned",
        "usd_per_gpu_hour": _price(Decimal(offered)),
        # The price list of what is owned: a used hour at the utilisation floor.
        "list_usd_per_gpu_hour": _price(Decimal(used)),
        "includes_electricity": False,
        "source": given["source"] or f"owned, declared in {known.file}: {said}",
    }
    return [("rates", row)]


def _priced(given: Values, known: Known) -> Row:
    if given["site"] is not None:
        known.zone(given["site"])
    return {**{name: given[name] for name in ("sku", "site", "contract")}, "quality": int(QUALITY[given["quality"]])}


def commitment_rows(given: Values, known: Known) -> Rows:
    known.zone(given["site"])
    row = {name: given[name] for name in ("site", "sku", "contract")} | _valid(given)
    hourly = {"gpus": float(given["gpus"]), "usd_per_gpu_hour": _price(given["usd_per_gpu_hour"])}
    return [("commitments", {**row, **hourly, "commitment": given["name"]})]


def token_price_rows(given: Values, known: Known) -> Rows:
    listed = {kind: given[f"{kind.label}_usd_per_million"] for kind in TokenKind}
    if all(price is None for price in listed.values()):
        raise BadEntry(
            f"it has no price; give one of {', '.join(f'{kind.label}_usd_per_million' for kind in TokenKind)}"
        )
    same = {name: given[name] for name in ("provider", "model")} | _valid(given)
    same |= {"quality": int(QUALITY[given["quality"]]), "source": given["source"] or f"declared in {known.file}"}
    return [
        (
            "token_prices",
            {
                **same,
                "kind": kind.label,
                "usd_per_million": float(price * (1 - given["discount_ratio"])),
                "list_usd_per_million": float(price),
            },
        )
        for kind, price in listed.items()
        if price is not None
    ]


def pool_rows(given: Values, known: Known) -> Rows:
    known.zone(given["site"])
    monthly, hourly = given["usd_per_month"], given["usd_per_hour"]
    if monthly is not None and hourly is not None:
        raise BadEntry("give usd_per_month or usd_per_hour, and not both")
    if given["shared_by"] == "label" and given["label"] is None:
        raise BadEntry('shared_by = "label" needs a label, e.g. label = "team=Vision"')
    if not (monthly or hourly or given["power_w"]):
        raise BadEntry("it costs nothing and draws nothing; give usd_per_month, usd_per_hour or power_w")
    usd = hourly or (monthly or Decimal(0)) * MONTHS_PER_YEAR / HOURS_PER_YEAR
    row = {name: given[name] for name in ("site", "component", "shared_by", "label", "includes_electricity")} | _valid(
        given
    )
    return [("pools", {**row, "pool": given["name"], "usd_per_hour": _price(usd), "power_w": float(given["power_w"])})]


def energy_contract_rows(given: Values, known: Known) -> Rows:
    known.zone(given["site"])
    amounts = [name for name in ("kwh_per_hour", "mwh_per_year", "share_ratio") if given[name] is not None]
    if len(amounts) != 1:
        raise BadEntry("give one of kwh_per_hour, mwh_per_year (spread evenly over the hours) or share_ratio")
    yearly, hourly = given["mwh_per_year"], given["kwh_per_hour"]
    if yearly is not None:
        hourly = yearly * KWH_PER_MWH / HOURS_PER_YEAR
    row = {name: given[name] for name in ("site", "kind")} | _valid(given)
    delivered = {
        "contract": given["name"],
        "kwh_per_hour": None if hourly is None else float(hourly),
        "share_ratio": float(given["share_ratio"] or 0),
        "g_per_kwh": float(given["g_per_kwh"]),
        "source": given["source"] or f"declared in {known.file}",
    }
    return [("energy_contracts", {**row, **delivered})]


def embodied_rows(given: Values, known: Known) -> Rows:
    life = {"kg_co2e": float(given["kg_co2e"]), "life_hours": float(given["life_years"] * HOURS_PER_YEAR)}
    return [("embodied", {"sku": given["sku"], "source": given["source"], **life})]


def dedication_rows(given: Values, known: Known) -> Rows:
    if (given["devices"] is None) == (given["node"] is None):
        raise BadEntry("give either devices = [...] or node = ..., and not both")
    place = f"{given['site']}/{given['node']}"
    declared = {uid for uids in known.devices.values() for uid in uids}
    kept = known.devices.get(place, []) if given["devices"] is None else given["devices"]
    if not kept:
        raise BadEntry(
            f"node = {shown(given['node'])}: site {given['site']} has no [[device]] of it in this file; declare them"
        )
    for uid in kept:
        if uid not in declared:
            raise BadEntry(f"devices: {shown(uid)} is no [[device]] of this file; declare it")
    return [("dedications", {"device_uid": uid, "account": given["account"], **_valid(given)}) for uid in kept]


def signal_rows(kind: str, key: str, *, per_unit: int = 1, of_zone: bool = False) -> Callable[[Values, Known], Rows]:
    """Return what makes a constant of a site, or of its grid zone, into a signal."""

    def rows(given: Values, known: Known) -> Rows:
        zone = known.zone(given["site"])
        step = {"start_at": given["valid_from"], "end_at": given["valid_to"] or pd.NaT, "issued_at": pd.NaT}
        held = {"kind": kind, "scope": zone if of_zone else given["site"], "source": "declared"}
        value = {"value": float(given[key] * per_unit), "quality": int(QUALITY[given["quality"]])}
        return [("signals", {**held, **step, **value})]

    return rows


def _valid(given: Values) -> Row:
    return {"valid_from_at": given["valid_from"], "valid_to_at": given["valid_to"] or pd.NaT}


def _price(usd: Decimal | None) -> float | None:
    """Return dollars as a number with six places: whole microdollars."""
    return None if usd is None else float(round(usd, PRICE_PLACES))


def _floats(values: dict[str, Decimal]) -> Row:
    return {name: float(value) for name, value in values.items()}
