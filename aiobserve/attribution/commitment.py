"""Committed capacity: the used part at its own price, the rest at the ordinary one; and what nobody used of it.

What is committed is paid for whether it runs or not. In each window the GPUs of a contract share the committed price
and, beyond the commitment, the ordinary one, as one blended price; where fewer run, the rest is unused.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from aiobserve.domain.units import GPU_MILLIS_PER_GPU_HOUR, MILLIS_PER_GPU
from aiobserve.domain.window import WINDOW_S

FloatArray = npt.NDArray[np.float64]
Int64Array = npt.NDArray[np.int64]
BoolArray = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class Committed:
    """A commitment over the windows of a site: GPUs, price, and the devices that may use it, shape (d,)."""

    gpus: float
    usd_per_gpu_hour: float
    devices: BoolArray
    valid_from_s: int
    valid_to_s: int


def blended(
    usd_per_gpu_hour: FloatArray, offered_gpu_millis: Int64Array, start_s: Int64Array, commitments: list[Committed]
) -> tuple[FloatArray, FloatArray]:
    """Return the price of each device and window, and the money that was committed and not used in each window.

    Args:
        usd_per_gpu_hour: ordinary price, shape (d, w).
        offered_gpu_millis: time that each device offers, shape (d, w).
        start_s: start of each window, shape (w,).
        commitments: in the order in which they are used; each covers what those before it left.

    Returns:
        prices, shape (d, w), and US dollars, shape (w,). Time offered x price + unused = committed money + the
        ordinary price of what ran beyond it.
    """
    # The part of each device's time that no commitment has covered yet, and what the covered part costs.
    beyond = np.ones(usd_per_gpu_hour.shape)
    covered_usd = np.zeros(usd_per_gpu_hour.shape)
    unused_usd = np.zeros(len(start_s))
    for one in commitments:
        holds = (start_s >= one.valid_from_s) & (start_s < one.valid_to_s)
        committed = np.where(holds, one.gpus * MILLIS_PER_GPU * WINDOW_S, 0.0)
        offered = (offered_gpu_millis * beyond)[one.devices].sum(axis=0)
        used = np.minimum(committed, offered)
        part = np.divide(used, offered, out=np.zeros(len(start_s)), where=offered > 0)
        covered_usd[one.devices] += beyond[one.devices] * part * one.usd_per_gpu_hour
        beyond[one.devices] *= 1 - part
        unused_usd += (committed - used) / GPU_MILLIS_PER_GPU_HOUR * one.usd_per_gpu_hour
    return covered_usd + beyond * usd_per_gpu_hour, unused_usd
