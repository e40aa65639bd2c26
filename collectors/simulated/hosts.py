"""What the servers of the simulated company draw besides their GPUs: fans, processors, memory, network cards.

Their management controllers report watts every two minutes and have no counter.
"""

import uuid
from functools import lru_cache

import numpy as np
import numpy.typing as npt
import pandas as pd

from aiobserve.domain.units import MICROSECONDS_PER_SECOND, MILLIS_PER_GPU, SECONDS_PER_MINUTE
from aiobserve.domain.window import Span
from collectors.simulated import company
from collectors.simulated.power import MINUTES, START_S, Samples, minutes, truth
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


def host_samples(span: Span, seed: int) -> Samples:
    """Return what the management controllers said in a span."""
    minute = np.arange(*minutes(span), CADENCE_MINUTES)
    count = len(company.NODES)
    power = [_power_w(node, gpus, seed)[minute // CADENCE_MINUTES] for node, gpus, _, _ in company.NODES]
    unknown = np.full(count * len(minute), np.nan)
    return Samples(
        uids=[host_uid(node) for node, _, _, _ in company.NODES],
        counts=np.full(count, len(minute)),
        at_us=np.tile((START_S + minute * SECONDS_PER_MINUTE) * MICROSECONDS_PER_SECOND, count),
        energy_millij=unknown,
        power_w=np.concatenate(power),
        utilisation_ratio=unknown,
        memory_mib=unknown,
    )


@lru_cache(maxsize=16)
def _power_w(node: str, gpus: int, seed: int) -> npt.NDArray[np.float64]:
    """Return what a host drew at each of its samples of the span."""
    minute = np.arange(0, MINUTES, CADENCE_MINUTES)
    noise = stream(seed, "host", node).normal(1, 0.02, len(minute))
    load = sum((truth(node, index, seed).utilisation[minute] for index in range(gpus)), np.zeros(len(minute)))
    return np.round((gpus * IDLE_W + (BUSY_W - IDLE_W) * load) * noise, 1)
