"""The simulated company: its sites, nodes, GPUs, teams, prices and dates. Constants only; nothing is drawn here."""

import uuid
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cached_property

from aiobserve.domain.owned import OwnedGpu
from aiobserve.domain.shares import mig_millis
from aiobserve.domain.window import Span

ORGANISATION = "Northwind Robotics (simulated)"
SLUG = "demo"
SEED = 20_261_106
SPAN = Span(datetime(2026, 8, 8, tzinfo=UTC), datetime(2026, 11, 6, tzinfo=UTC))
NOW_AT = SPAN.end_at

# Clocks go back in Berlin on this day, which has 25 hours.
LONG_DAY = datetime(2026, 10, 25, tzinfo=UTC).date()
PRICE_CHANGE_AT = datetime(2026, 10, 1, tzinfo=UTC)
REORGANISATION_AT = datetime(2026, 10, 15, tzinfo=UTC)


@dataclass(frozen=True)
class Sku:
    """A kind of GPU: rated and idle board power, memory, and its price per GPU-hour."""

    name: str
    tdp_w: float
    idle_w: float
    memory_mib: int
    usd_per_gpu_hour: float


A100 = Sku("A100-SXM-80GB", 400, 55, 81_920, 1.60)
H100 = Sku("H100-SXM-80GB", 700, 72, 81_559, 2.95)
L40S = Sku("L40S-48GB", 350, 35, 46_068, 0.95)
# From October on the H100s are under a new contract.
H100_USD_PER_GPU_HOUR_AFTER = 2.45


@dataclass(frozen=True)
class SiteOf:
    """A site with the zone whose grid feeds it."""

    name: str
    grid_zone: str
    timezone: str
    pue_ratio: float
    rented: bool


FRANKFURT = SiteOf("fra", "DE", "Europe/Berlin", 1.28, rented=False)
# Rented machines: electricity is in the price.
VIRGINIA = SiteOf("iad", "US-MIDA-PJM", "America/New_York", 1.14, rented=True)
SITES = (FRANKFURT, VIRGINIA)


@dataclass(frozen=True)
class Gpu:
    """One GPU: its node and its index there."""

    node: str
    index: int
    site: SiteOf
    sku: Sku

    @cached_property
    def uid(self) -> str:
        """Return the device's UUID in NVML's form; the same for all time."""
        return f"GPU-{uuid.uuid5(uuid.NAMESPACE_DNS, f'{self.node}-{self.index}.northwind.example')}"


NODES = (
    ("fra-h1", 8, FRANKFURT, H100),
    ("fra-h2", 8, FRANKFURT, H100),
    ("fra-a1", 8, FRANKFURT, A100),
    ("iad-a1", 8, VIRGINIA, A100),
    ("iad-l1", 4, VIRGINIA, L40S),
    ("iad-l2", 4, VIRGINIA, L40S),
)
GPUS = {(node, index): Gpu(node, index, site, sku) for node, count, site, sku in NODES for index in range(count)}

# Terms under which nodes are had; the others are rented or leased by the hour.
OWNED_NODE, SPOT_NODE, COMMITTED_NODE = "fra-a1", "iad-l2", "iad-l1"
CONTRACTS = {OWNED_NODE: "owned-2024", SPOT_NODE: "spot", COMMITTED_NODE: "committed-2026"}
OWNED_GPU = OwnedGpu(
    capex_usd=15_000, residual_usd=2_500, life_years=5, running_usd_per_year=900, utilisation_floor=0.6
)
# For four weeks six L40S were committed to, where four stand.
COMMITTED_GPUS, COMMITTED_TOO_MANY, COMMITTED_USD = 4, 6, 0.62
OVER_COMMITTED = Span(datetime(2026, 9, 5, tzinfo=UTC), datetime(2026, 10, 3, tzinfo=UTC))
# This node is kept for an account, also while it idles.
KEPT_NODE, KEPT_FOR = "iad-a1", "science"

# account -> (team, project); the contractors' account belongs to nobody, on purpose.
ACCOUNTS = {
    "assistant-prod": ("Assistant", "chat"),
    "assistant-eval": ("Assistant", "quality"),
    "nlp-train": ("Language", "base-models"),
    "vision-research": ("Vision", "inspection"),
    "vision-prod": ("Vision", "inspection"),
    "speech": ("Speech", "voice"),
    "search-batch": ("Search", "catalogue"),
    "search-embed": ("Search", "catalogue"),
    "science": ("Science", "folding"),
}
UNMAPPED_ACCOUNT = "contractors"
# This account moves from one team to another on the day of the re-organisation.
MOVED_ACCOUNT, MOVED_TO_TEAM = "vision-research", "Science"

# Planted faults of the telemetry.
RESET_GPU, RESET_AT = ("fra-a1", 3), datetime(2026, 9, 14, 2, 30, tzinfo=UTC)
SILENT_GPU, SILENT_FROM_AT, SILENT_FOR = ("iad-l1", 2), datetime(2026, 9, 22, 9, tzinfo=UTC), timedelta(hours=5)
ABSURD_GPU, ABSURD_FROM_AT, ABSURD_FOR = ("fra-h1", 6), datetime(2026, 10, 8, 13, tzinfo=UTC), timedelta(minutes=10)
ABSURD_POWER_W = 9_000.0
LOST_SHARE = 0.004
# Nobody reserved this GPU for three weeks.
FORGOTTEN_GPU = ("fra-h2", 7)
FORGOTTEN = Span(datetime(2026, 9, 5, tzinfo=UTC), datetime(2026, 9, 26, tzinfo=UTC))
# This GPU is cut into MIG slices that fill it, by first compute slice; since a day it is known how busy each is.
MIG_GPU = ("fra-h2", 4)
MIG_PLACEMENTS = {"4g.40gb": 0, "2g.20gb": 4, "1g.10gb": 6}
MIG_SHARES_MILLIS = {profile: mig_millis(profile, placement=place) for profile, place in MIG_PLACEMENTS.items()}
ACTIVITY_FROM_AT = datetime(2026, 10, 12, tzinfo=UTC)
# A reservation that is held round the clock and used in office hours only.
OFFICE_NODE, OFFICE_GPUS = "fra-h2", (0, 1, 2, 3)
