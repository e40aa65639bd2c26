"""The tables of what a site declares: shared pools, commitments, electricity contracts, emissions of manufacture."""

from aiobserve.domain.schema import INSTANT, TEXT, Column, Schema

VALIDITY = {"valid_from_at": Column(INSTANT), "valid_to_at": Column(INSTANT, nullable=True, default=None)}

# A cost that a site shares. label restricts who shares it (team=..., project=..., model=...).
POOLS = Schema(
    "pools",
    {
        "pool": Column(TEXT),
        "site": Column(TEXT),
        "component": Column(TEXT),
        "shared_by": Column(TEXT, default="gpu_hours"),
        "label": Column(TEXT, nullable=True, default=None),
        "usd_per_hour": Column("float64", default=0.0),
        "power_w": Column("float64", default=0.0),
        "includes_electricity": Column("bool", default=False),
        **VALIDITY,
    },
)
POOL_COMPONENTS = ("network", "storage", "host", "other")
SHARE_KEYS = ("gpu_hours", "energy", "even", "label")

# GPUs of a contract that are paid for whether they run or not.
COMMITMENTS = Schema(
    "commitments",
    {
        "commitment": Column(TEXT),
        "site": Column(TEXT),
        "sku": Column(TEXT),
        "contract": Column(TEXT),
        "gpus": Column("float64"),
        "usd_per_gpu_hour": Column("float64"),
        **VALIDITY,
    },
)

# Electricity of a known origin: kwh_per_hour, or share_ratio of what the site uses.
ENERGY_CONTRACTS = Schema(
    "energy_contracts",
    {
        "contract": Column(TEXT),
        "site": Column(TEXT),
        "kind": Column(TEXT),
        "kwh_per_hour": Column("float64", nullable=True, default=None),
        "share_ratio": Column("float64", default=0.0),
        "g_per_kwh": Column("float64"),
        **VALIDITY,
        "source": Column(TEXT, default="declared"),
    },
)
ENERGY_CONTRACT_KINDS = ("ppa", "certificate", "tariff")

# Emissions of making one GPU of a kind.
EMBODIED = Schema(
    "embodied",
    {
        "sku": Column(TEXT),
        "kg_co2e": Column("float64"),
        "life_hours": Column("float64"),
        "source": Column(TEXT),
    },
)
