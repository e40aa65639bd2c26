"""The tables that travel between stages, declared once and checked at each border."""

from aiobserve.domain.account import MEASURES
from aiobserve.domain.bill_frames import BILL_LINES, BILL_RULES
from aiobserve.domain.schema import INSTANT, TEXT, Column, Schema
from aiobserve.domain.terms import COMMITMENTS, EMBODIED, ENERGY_CONTRACTS, POOLS
from aiobserve.domain.tokens import SERVING_COUNTERS, TOKEN_PRICES, TOKEN_USAGE

SITES = Schema(
    "sites",
    {
        "site": Column(TEXT),
        "grid_zone": Column(TEXT),
        "timezone": Column(TEXT),
    },
)

# A device is one GPU, or a pool of identical GPUs that the source does not tell apart
# (capacity_millis = 1000 x GPUs), or (kind `host`) what a server draws besides its GPUs. idle_w and active_w are per
# GPU and model the power where none is metered. contract names the terms under which a device is had.
DEVICES = Schema(
    "devices",
    {
        "device_uid": Column(TEXT),
        "site": Column(TEXT),
        "node": Column(TEXT),
        "kind": Column(TEXT, default="gpu"),
        "sku": Column(TEXT),
        "contract": Column(TEXT, nullable=True, default=None),
        "capacity_millis": Column("int64"),
        "tdp_w": Column("float64"),
        "idle_w": Column("float64"),
        "active_w": Column("float64"),
        "valid_from_at": Column(INSTANT),
        "valid_to_at": Column(INSTANT, nullable=True),
    },
)

# Which account (Slurm account, namespace, API team, cluster) belongs to which team and project, and since when.
ACCOUNTS = Schema(
    "accounts",
    {
        "account": Column(TEXT),
        "team": Column(TEXT),
        "project": Column(TEXT),
        "valid_from_at": Column(INSTANT),
        "valid_to_at": Column(INSTANT, nullable=True),
    },
)

# Samples of one device are sorted by `at`. energy_millij is the device's cumulative counter.
TELEMETRY = Schema(
    "telemetry",
    {
        "device_uid": Column(TEXT),
        "at": Column(INSTANT),
        "energy_millij": Column("float64", nullable=True),
        "power_w": Column("float64", nullable=True),
        "utilisation_ratio": Column("float64", nullable=True),
        "memory_mib": Column("float64", nullable=True),
    },
)

# started_at is empty while a job waits, ended_at while it runs. runtime_s is the expected (requested or
# predicted) run time. max_wait_s or deadline_at is set on a job that may be deferred.
JOBS = Schema(
    "jobs",
    {
        "job_key": Column(TEXT),
        "site": Column(TEXT),
        "name": Column(TEXT),
        "account": Column(TEXT),
        "user": Column(TEXT, nullable=True),
        "model": Column(TEXT, nullable=True),
        "workload_type": Column(TEXT),
        "tier": Column(TEXT),
        "state": Column(TEXT),
        "attempt": Column("int64"),
        "gpus": Column("int64"),
        "sku": Column(TEXT, nullable=True),
        "submitted_at": Column(INSTANT),
        "started_at": Column(INSTANT, nullable=True),
        "ended_at": Column(INSTANT, nullable=True),
        "runtime_s": Column("float64", nullable=True),
        "max_wait_s": Column("float64", nullable=True),
        "deadline_at": Column(INSTANT, nullable=True),
    },
)
WORKLOAD_TYPES = (
    "training", "fine_tuning", "batch_inference", "evaluation", "embedding", "interactive", "other",
)  # fmt: skip
TIERS = ("interactive", "deferrable", "urgent")
JOB_STATES = ("pending", "running", "completed", "failed", "cancelled", "requeued", "timeout")

# What a job held of a device, in thousandths of one GPU.
INTERVALS = Schema(
    "intervals",
    {
        "job_key": Column(TEXT),
        "device_uid": Column(TEXT),
        "start_at": Column(INSTANT),
        "end_at": Column(INSTANT, nullable=True),
        "share_millis": Column("int64"),
    },
)

# Dated price of holding one GPU for an hour; site is empty when it holds at every site, contract when it holds for
# devices of no named contract, the list price when nothing is rebated.
RATES = Schema(
    "rates",
    {
        "sku": Column(TEXT),
        "site": Column(TEXT, nullable=True),
        "contract": Column(TEXT, nullable=True, default=None),
        "purchase": Column(TEXT, default="on_demand"),
        "usd_per_gpu_hour": Column("float64"),
        "list_usd_per_gpu_hour": Column("float64", nullable=True, default=None),
        "includes_electricity": Column("bool"),
        "valid_from_at": Column(INSTANT),
        "valid_to_at": Column(INSTANT, nullable=True),
        "quality": Column("int8"),
        "source": Column(TEXT),
    },
)

# Anything that holds a value per span of time. issued_at is empty for what really was, and the
# instant of issue for a forecast. scope is a grid zone, a site or a served model, as the kind says.
SIGNALS = Schema(
    "signals",
    {
        "kind": Column(TEXT),
        "scope": Column(TEXT),
        "source": Column(TEXT),
        "issued_at": Column(INSTANT, nullable=True),
        "start_at": Column(INSTANT),
        "end_at": Column(INSTANT),
        "value": Column("float64"),
        "quality": Column("int8"),
    },
)
SIGNAL_KINDS = {
    "electricity_usd_per_mwh": "wholesale or tariff price of electricity in a grid zone, US dollars per MWh",
    "carbon_lifecycle_g_per_kwh": "average life-cycle intensity of a grid zone, gCO2e per kWh",
    "carbon_direct_g_per_kwh": "average direct intensity of a grid zone, gCO2e per kWh",
    "carbon_residual_g_per_kwh": "intensity of the residual mix of a grid zone, for market-based accounting, gCO2e per kWh",
    "carbon_marginal_g_per_kwh": "marginal intensity of a grid zone, for decisions and never for accounting, gCO2e per kWh",
    "pue_ratio": "facility energy over IT energy at a site",
    "water_l_per_kwh": "water that a site uses per kWh, litres",
    "pool_power_w": "power of a shared pool, scope SITE/POOL, watts",
    "requests_per_s": "interactive requests per second to a served model",
}

# Words that a team, project, model or job (by its key) carries; rules and shared pools go by them.
LABELS = Schema("labels", {"kind": Column(TEXT), "name": Column(TEXT), "label": Column(TEXT)})
LABEL_KINDS = ("team", "project", "model", "job")

# When a job saved its work, so that a later attempt can go on from there.
CHECKPOINTS = Schema("checkpoints", {"job_key": Column(TEXT), "at": Column(INSTANT)})

# How busy a job kept a device that it shared over a span; any unit, only the proportion among the holders counts.
ACTIVITY = Schema(
    "activity",
    {
        "job_key": Column(TEXT),
        "device_uid": Column(TEXT),
        "start_at": Column(INSTANT),
        "end_at": Column(INSTANT),
        "level": Column("float64"),
    },
)

# A device that is kept for an account, also while it idles.
DEDICATIONS = Schema(
    "dedications",
    {
        "device_uid": Column(TEXT),
        "account": Column(TEXT),
        "valid_from_at": Column(INSTANT),
        "valid_to_at": Column(INSTANT, nullable=True, default=None),
    },
)

FRAMES = {
    schema.name: schema
    for schema in (
        SITES, DEVICES, ACCOUNTS, TELEMETRY, JOBS, INTERVALS, ACTIVITY, DEDICATIONS, RATES, SIGNALS, POOLS, COMMITMENTS,
        ENERGY_CONTRACTS, EMBODIED, LABELS, CHECKPOINTS, SERVING_COUNTERS, TOKEN_USAGE, TOKEN_PRICES, BILL_LINES,
        BILL_RULES,
    )
}  # fmt: skip

# What attribution says of each window. `kind` is job, idle, overhead or unattributed; claimant is the index of
# the claimant that the caller numbered, and -1 for the other kinds; pool_id is that of a shared pool, -1 where there
# is none. Amounts are integers and not rounded again.
CHARGES = Schema(
    "charges",
    {
        "window_start_s": Column("int64"),
        "kind": Column("int8"),
        "component": Column("int8"),
        "claimant": Column("int64"),
        "pool_id": Column("int64"),
        "energy_quality": Column("int8"),
        "carbon_quality": Column("int8"),
        "cost_quality": Column("int8"),
        **{name: Column("int64") for name in MEASURES},
    },
)
