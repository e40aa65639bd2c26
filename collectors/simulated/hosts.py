"""What the servers of the simulated company draw besides their GPUs: fans, processors, memory, network cards.

Their management controllers report watts every two minutes and have no counter.
"""

import uuid
from functools import lru_cache

import numpy as np
import numpy.typing as npt
import pandas as pd

from aiobserve.domain.frames import TELEMETRY
from aiobserve.domain.units import MILLIS_PER_GPU, SECONDS_PER_MINUTE
from aiobserve.domain.window import Span
from collectors.simulated import company
from collectors.simulated.power import MINUTES, START_S, truth
from collectors.simulated.random_streams import stream

CADENCE_MINUTES = 2
# Watts per GPU of a server that idles, that is busy, and at most; assumed: a wall meter's reading of a DGX A100 at load
# (shapes.WALL_W_PER_A100) less its boards leaves about as much.
IDLE_W, BUSY_W, MOST_W = 70.0, 120.0, 220.0
SKU = "host"


def host_uid(node: str) -> str:
    """Return the uid of a node's host; the same for all time."""
    return f"HOST-{uuid.uuid5(uuid.NAMESPACE_DNS, f'{node}.northwind.example')}"


def hosts() -> list[dict[str, object]]:
    """Return one device of kind `host` for each node; watts are per GPU of it."""
    return [
        {
            "device_uid": host_uid(node), "site": site.name, "node": node, "kind": "host", "sku": SKU,
            "contract": company.CONTRACTS.get(node), "capacity_millis": gpus * MILLIS_PER_GPU, "tdp_w": MOST_W,
            "idle_w": IDLE_W, "active_w": BUSY_W, "valid_from_at": company.SPAN.start_at, "valid_to_at": pd.NaT,
        }
        for node, gpus, site, _ in company.NODES
    ]  # fmt: skip


def host_telemetry(span: Span, seed: int) -> pd.DataFrame:
    """Return what the management controllers said in a span, sorted by device and time."""
    first, last = ((int(at.timestamp()) - START_S) // SECONDS_PER_MINUTE for at in (span.start_at, span.end_at))
    minute = np.arange(max(first, 0), min(last, MINUTES), CADENCE_MINUTES)
    at = pd.to_datetime((START_S + minute * SECONDS_PER_MINUTE) * 1_000_000, unit="us", utc=True)
    parts = []
    for node, gpus, _, _ in company.NODES:
        power = _power_w(node, gpus, seed)[minute // CADENCE_MINUTES]
        unknown = np.full(len(minute), np.nan)
        parts.append(
            pd.DataFrame(
                {
                    "device_uid": host_uid(node), "at": at, "energy_millij": unknown, "power_w": power,
                    "utilisation_ratio": unknown, "memory_mib": unknown,
                }
            )
        )  # fmt: skip
    return TELEMETRY.check(pd.concat(parts, ignore_index=True))


@lru_cache(maxsize=16)
def _power_w(node: str, gpus: int, seed: int) -> npt.NDArray[np.float64]:
    """Return what a host drew at each of its samples of the span."""
    minute = np.arange(0, MINUTES, CADENCE_MINUTES)
    noise = stream(seed, "host", node).normal(1, 0.02, len(minute))
    load = sum((truth(node, index, seed).utilisation[minute] for index in range(gpus)), np.zeros(len(minute)))
    return np.round((gpus * IDLE_W + (BUSY_W - IDLE_W) * load) * noise, 1)
