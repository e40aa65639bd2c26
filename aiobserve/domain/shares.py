"""What a part of a GPU is in thousandths of it: MIG, time-slice, MPS, HAMi, Slurm shard and DRA are one concept.

Parts of one GPU that fill it sum to exactly 1,000: equal parts and MIG slices are cut at rounded edges, so the
third seventh is worth what lies between two sevenths and three.
"""

import re
from fractions import Fraction

from aiobserve.domain.units import MILLIS_PER_GPU

# Compute slices into which MIG cuts a GPU: seven, but four on A30 and RTX PRO 6000, two on RTX PRO 5000 and 4500.
# Source: NVIDIA MIG User Guide, supported GPUs and profiles.
MIG_SLICES = 7
PROFILE = re.compile(r"(\d+)g\.\d+gb([+-][\w.]+)?|(\d+)c\.\d+g\.\d+gb")


class BadShare(ValueError):
    """A share that no GPU can have: below nothing, or more than the whole."""


def part_millis(first: int, last: int, parts: int) -> int:
    """Return the thousandths of the parts [first, last) of a GPU that is cut into equal parts.

    Raises:
        BadShare: the parts are not among those of the GPU.
    """
    if not 0 <= first < last <= parts:
        raise BadShare(f"parts {first} to {last} of {parts}: give 0 <= first < last <= parts")
    return _edge(last, parts) - _edge(first, parts)


def _edge(part: int, parts: int) -> int:
    return round(Fraction(part * MILLIS_PER_GPU, parts))


def mig_millis(profile: str, *, placement: int = 0, slices: int = MIG_SLICES) -> int:
    """Return the thousandths of a MIG instance, e.g. `3g.40gb`, that begins at a compute slice.

    Args:
        placement: first compute slice, as NVML reports it (nvmlDeviceGetGpuInstanceInfo); with it, instances that
            fill the GPU sum to 1,000.

    Raises:
        BadShare: the profile is none of MIG's, or does not fit at the placement.
    """
    found = PROFILE.fullmatch(profile.lower())
    if found is None:
        raise BadShare(f"{profile!r} is no MIG profile; they read like 1g.10gb, 3g.40gb, 1g.10gb+me or 1c.3g.40gb")
    size = int(found.group(1) or found.group(3))
    return part_millis(placement, placement + size, slices)


def time_slice_millis(index: int, replicas: int) -> int:
    """Return the thousandths of one of several replicas of a time-sliced GPU, or one of several shards of Slurm."""
    return part_millis(index, index + 1, replicas)


def percent_millis(cores_percent: float, memory_percent: float = 0.0) -> int:
    """Return the thousandths of a percentage of a GPU: HAMi's gpucores and gpumem-percentage, MPS's active threads, DRA.

    The larger of compute and memory counts: whoever takes all memory leaves nothing that another could use.

    Raises:
        BadShare: a percentage is below 0 or above 100.
    """
    for name, percent in (("compute", cores_percent), ("memory", memory_percent)):
        if not 0 <= percent <= 100:
            raise BadShare(f"{name} of {percent} % of a GPU; give 0 to 100")
    return round(max(cores_percent, memory_percent) * MILLIS_PER_GPU / 100)
