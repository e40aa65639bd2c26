"""What the simulated company declares: prices, contracts, shared pools, emissions of manufacture, water."""

from datetime import datetime, timedelta

import pandas as pd

from aiobserve.domain.frames import DEDICATIONS
from aiobserve.domain.quality import Quality
from aiobserve.domain.terms import COMMITMENTS, EMBODIED, ENERGY_CONTRACTS, POOLS
from aiobserve.domain.units import HOURS_PER_YEAR
from collectors.simulated import company
from collectors.simulated.hosts import host_uid
from collectors.simulated.random_streams import stream

LONG_AGO_AT = company.SPAN.start_at - timedelta(days=365)
SOURCE = "simulated price list"
SINCE = {"valid_from_at": LONG_AGO_AT, "valid_to_at": pd.NaT}
# What is rented has a list price; the discount is ours.
LIST_OVER_PRICE = {company.A100.name: 1.25, company.L40S.name: 1.0}
# A spot price moves twice a day or so, at any second, around this share of the list price.
SPOT_SHARE, SPOT_SPREAD, SPOT_CHANGES = 0.48, 0.12, 160

# Grams of manufacture. Assumed but for the A100: an eighth of an 8-GPU server by Chien et al., HotCarbon '23,
# doi:10.1145/3604930.3605705. The other two are ours, of that order, so that the demo has a figure to show.
EMBODIED_KG = {
    company.A100.name: (318.0, "Chien et al., HotCarbon '23, an eighth of an 8-GPU server"),
    company.H100.name: (350.0, "assumed for the simulated company"),
    company.L40S.name: (200.0, "assumed for the simulated company"),
}
LIFE_YEARS = 5

# (kind, scope, value): assumed all of them.
CONSTANTS = (
    ("water_l_per_kwh", company.FRANKFURT.name, 0.35),
    ("water_l_per_kwh", company.VIRGINIA.name, 1.8),
    ("carbon_residual_g_per_kwh", company.FRANKFURT.grid_zone, 690.0),
)
PPA_KWH_PER_HOUR = 5.0


def rates(seed: int) -> list[dict[str, object]]:
    """Return every dated price of a GPU-hour."""
    rows: list[dict[str, object]] = []
    for sku, site in dict.fromkeys((gpu.sku, gpu.site) for gpu in company.GPUS.values()):
        usd = sku.usd_per_gpu_hour
        row = _rate(sku, site, usd, listed=usd * LIST_OVER_PRICE.get(sku.name, 1.0) if site.rented else None)
        changes = sku == company.H100
        rows.append({**row, "valid_to_at": company.PRICE_CHANGE_AT if changes else pd.NaT})
        if changes:
            after = {"usd_per_gpu_hour": company.H100_USD_PER_GPU_HOUR_AFTER, "valid_from_at": company.PRICE_CHANGE_AT}
            rows.append({**row, **after, "list_usd_per_gpu_hour": usd})
    return [*rows, _owned(), *spot_rates(seed)]


def _rate(
    sku: company.Sku, site: company.SiteOf, usd: float, *, listed: float | None, contract: str | None = None,
    purchase: str = "on_demand",
) -> dict[str, object]:  # fmt: skip
    return {
        "sku": sku.name, "site": site.name, "contract": contract, "purchase": purchase, "usd_per_gpu_hour": round(usd, 6),
        "list_usd_per_gpu_hour": None if listed is None else round(listed, 6), "includes_electricity": site.rented,
        "quality": int(Quality.MEASURED), "source": SOURCE, **SINCE,
    }  # fmt: skip


def _owned() -> dict[str, object]:
    gpu = company.GPUS[company.OWNED_NODE, 0]
    terms = company.OWNED_GPU
    contract = company.CONTRACTS[company.OWNED_NODE]
    return _rate(
        gpu.sku, gpu.site, terms.usd_per_offered_hour(), listed=terms.usd_per_used_hour(), contract=contract,
        purchase="owned",
    )  # fmt: skip


def spot_rates(seed: int) -> list[dict[str, object]]:
    """Return the spot price from change to change."""
    gpu = company.GPUS[company.SPOT_NODE, 0]
    rng = stream(seed, "spot", gpu.sku.name)
    seconds = sorted(set(rng.integers(0, company.SPAN.duration_s, SPOT_CHANGES).tolist()))
    starts: list[datetime] = [LONG_AGO_AT, *(company.SPAN.start_at + timedelta(seconds=one) for one in seconds)]
    shares = (SPOT_SHARE + rng.normal(0, SPOT_SPREAD, len(starts))).clip(0.2, 1.0)
    row = _rate(
        gpu.sku, gpu.site, 0.0, listed=gpu.sku.usd_per_gpu_hour, contract=company.CONTRACTS[company.SPOT_NODE],
        purchase="spot",
    )  # fmt: skip
    return [
        {**row, "usd_per_gpu_hour": round(gpu.sku.usd_per_gpu_hour * share, 4), "valid_from_at": at, "valid_to_at": end}
        for at, end, share in zip(starts, [*starts[1:], pd.NaT], shares.tolist(), strict=True)
    ]


def declared() -> dict[str, pd.DataFrame]:
    """Return pools, commitments, electricity contracts, emissions of manufacture and dedications."""
    return {
        "pools": POOLS.check(pd.DataFrame(_pools())),
        "commitments": COMMITMENTS.check(pd.DataFrame(_commitments())),
        "energy_contracts": ENERGY_CONTRACTS.check(pd.DataFrame([_ppa()])),
        "embodied": EMBODIED.check(
            pd.DataFrame(
                [
                    {"sku": sku, "kg_co2e": kg, "life_hours": LIFE_YEARS * HOURS_PER_YEAR, "source": source}
                    for sku, (kg, source) in EMBODIED_KG.items()
                ]
            )
        ),
        "dedications": DEDICATIONS.check(pd.DataFrame(_kept())),
    }


def _pools() -> list[dict[str, object]]:
    here = {"site": company.FRANKFURT.name, "includes_electricity": False, **SINCE}
    rented = {"site": company.VIRGINIA.name, "includes_electricity": True, **SINCE}
    return [
        {**here, "pool": "fabric", "component": "network", "shared_by": "gpu_hours", "usd_per_hour": 3.0, "power_w": 900.0},
        {**here, "pool": "datasets", "component": "storage", "shared_by": "energy", "usd_per_hour": 2.0, "power_w": 650.0},
        {**rented, "pool": "catalogue-store", "component": "storage", "shared_by": "label", "label": "team=Search",
         "usd_per_hour": 0.8, "power_w": 0.0},
    ]  # fmt: skip


def _commitments() -> list[dict[str, object]]:
    gpu = company.GPUS[company.COMMITTED_NODE, 0]
    row = {
        "commitment": "L40S, one year", "site": gpu.site.name, "sku": gpu.sku.name,
        "contract": company.CONTRACTS[company.COMMITTED_NODE], "usd_per_gpu_hour": company.COMMITTED_USD,
    }  # fmt: skip
    edges = (LONG_AGO_AT, company.OVER_COMMITTED.start_at, company.OVER_COMMITTED.end_at, pd.NaT)
    counts = (company.COMMITTED_GPUS, company.COMMITTED_TOO_MANY, company.COMMITTED_GPUS)
    return [
        {**row, "gpus": gpus, "valid_from_at": start, "valid_to_at": end}
        for gpus, start, end in zip(counts, edges[:-1], edges[1:], strict=True)
    ]


def _ppa() -> dict[str, object]:
    return {
        "contract": "wind farm", "site": company.FRANKFURT.name, "kind": "ppa", "kwh_per_hour": PPA_KWH_PER_HOUR,
        "g_per_kwh": 0.0, "source": "simulated contract", **SINCE,
    }  # fmt: skip


def _kept() -> list[dict[str, object]]:
    gpus = [gpu.uid for (node, _), gpu in company.GPUS.items() if node == company.KEPT_NODE]
    return [{"device_uid": uid, "account": company.KEPT_FOR, **SINCE} for uid in (*gpus, host_uid(company.KEPT_NODE))]


def constants() -> pd.DataFrame:
    """Return what holds for the whole span: water by site, the residual mix by grid zone."""
    return pd.DataFrame(
        {
            "kind": [kind for kind, _, _ in CONSTANTS],
            "scope": [scope for _, scope, _ in CONSTANTS],
            "source": "assumed for the simulated company",
            "issued_at": pd.Series(pd.NaT, index=range(len(CONSTANTS)), dtype="datetime64[us, UTC]"),
            "start_at": company.SPAN.start_at,
            "end_at": company.SPAN.end_at + timedelta(days=400),
            "value": [value for _, _, value in CONSTANTS],
            "quality": int(Quality.ASSUMED),
        }
    )
