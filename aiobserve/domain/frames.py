"""The tables that travel between stages, declared once and checked at each border."""

from aiobserve.domain.account import MEASURES
from aiobserve.domain.schema import INSTANT, TEXT, Column, Schema

SITES = Schema(
    "sites",
    {
        "site": Column(TEXT),
        "grid_zone": Column(TEXT),
        "timezone": Column(TEXT),
    },
)

# A device is one GPU, or a pool of identical GPUs that the source does not tell apart
# (capacity_millis = 1000 x GPUs). idle_w and active_w are per GPU and model the power where none is metered.
DEVICES = Schema(
    "devices",
    {
        "device_uid": Column(TEXT),
        "site": Column(TEXT),
        "node": Column(TEXT),
        "sku": Column(TEXT),
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

# Dated price of holding one GPU for an hour; site is empty when it holds at every site.
RATES = Schema(
    "rates",
    {
        "sku": Column(TEXT),
        "site": Column(TEXT, nullable=True),
        "usd_per_gpu_hour": Column("float64"),
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
    "pue_ratio": "facility energy over IT energy at a site",
    "requests_per_s": "interactive requests per second to a served model",
}

# Lines of a provider's bill. `document` names the file's content: a newer document of the same provider, billing account and
# billing period replaces the older one, unless it says that it is a part of it. Money is integer microdollars; a list or
# contracted cost that the bill does not state is missing. Text that the bill leaves out is empty; tags are a JSON object.
BILL_LINES = Schema(
    "bill_lines",
    {
        "document": Column(TEXT),
        "is_part": Column("bool", default=False),
        "position": Column("int64"),
        **{
            name: Column(TEXT)
            for name in (
                "provider", "billing_account", "sub_account", "sub_account_name", "service", "service_category", "resource",
                "sku", "region", "charge_category", "charge_class", "charge_frequency", "description", "invoice", "currency",
            )
        },
        "billing_start_at": Column(INSTANT),
        "billing_end_at": Column(INSTANT),
        "start_at": Column(INSTANT),
        "end_at": Column(INSTANT),
        "billed_microusd": Column("int64"),
        "effective_microusd": Column("int64"),
        "list_microusd": Column("Int64", nullable=True),
        "contracted_microusd": Column("Int64", nullable=True),
        "quantity": Column("float64", nullable=True),
        "unit": Column(TEXT),
        "commitment": Column(TEXT),
        "commitment_category": Column(TEXT),
        "commitment_status": Column(TEXT),
        "commitment_quantity": Column("float64", nullable=True),
        "tags": Column(TEXT),
    },
)  # fmt: skip

# Which bill lines stand for which part of the ledger, and since when. The first six are patterns as of a shell, empty
# for any; of several rules that fit the first in the order of `position` counts. `part` is one of BILL_PARTS.
BILL_RULES = Schema(
    "bill_rules",
    {
        "position": Column("int64"),
        "provider": Column(TEXT),
        "service": Column(TEXT),
        "resource": Column(TEXT),
        "sku": Column(TEXT),
        "sub_account": Column(TEXT),
        "region": Column(TEXT),
        "site": Column(TEXT),
        "node": Column(TEXT),
        "device_sku": Column(TEXT),
        "part": Column(TEXT),
        "valid_from_at": Column(INSTANT),
        "valid_to_at": Column(INSTANT, nullable=True),
    },
)
# Capacity is the GPUs' own; electricity and tokens are money of every component; none says that a line is no matter of the
# ledger, which leaves it unexplained but on purpose.
BILL_PARTS = ("capacity", "electricity", "api", "host", "network", "storage", "facility", "other", "none")

FRAMES = {
    schema.name: schema
    for schema in (SITES, DEVICES, ACCOUNTS, TELEMETRY, JOBS, INTERVALS, RATES, SIGNALS, BILL_LINES, BILL_RULES)
}

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
