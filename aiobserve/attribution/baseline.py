"""The idle power of each device, as it was seen: what it drew while nobody held it.

Kepler takes the least power ever seen without a process, or zero; that is the noise of a sensor, and a GPU that never
idles has none. Here the baseline is a mean over measured, unheld time of one day in which the device idled, dated, and says where it comes
from: the device's own, else its kind's, else the nominal figure.
"""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from aiobserve.attribution.block import Measured
from aiobserve.domain.account import Component
from aiobserve.domain.quality import Quality
from aiobserve.domain.units import MILLIJ_PER_J, MILLIS_PER_GPU, SECONDS_PER_HOUR

FloatArray = npt.NDArray[np.float64]
Int64Array = npt.NDArray[np.int64]
BoolArray = npt.NDArray[np.bool_]

# Less unheld time than this in a day says nothing.
LEAST_S = SECONDS_PER_HOUR
# A GPU that draws more than this share of its rated power does not idle, whoever holds it or not: it works for somebody
# whom nobody named, day after day perhaps, and that is no baseline. Data centre GPUs idle at a tenth to a seventh.
IDLE_SHARE = 1 / 3


def observed_idle_w(measured: Sequence[Measured]) -> tuple[FloatArray, Int64Array]:
    """Return the mean power per GPU of each device while it was measured, unheld and idle, and for how many seconds.

    Returns:
        idle_w, shape (d,), NaN where a device idled for less than an hour; seconds, shape (d,).
    """
    watts, seconds = [], []
    for one in measured:
        count = len(one.devices.share_millis)
        seen = one.unheld & (one.drawn.quality == Quality.MEASURED) & (one.capacity > 0) & ~_works(one)
        device = one.segments.device[seen]
        duration_s = np.bincount(device, weights=one.segments.duration_s[seen], minlength=count)
        joules = np.bincount(device, weights=one.drawn.energy_millij[seen], minlength=count) / MILLIJ_PER_J
        enough = duration_s >= LEAST_S
        gpus = one.devices.share_millis / MILLIS_PER_GPU
        watts.append(np.where(enough, joules / np.maximum(duration_s, 1) / gpus, np.nan))
        seconds.append(duration_s.astype(np.int64))
    nothing = np.zeros(0)
    return np.concatenate([nothing, *watts]), np.concatenate([nothing.astype(np.int64), *seconds])


def _works(one: Measured) -> BoolArray:
    """Return whether a GPU drew more in a segment than an idle one does, shape (c,); of a host, nobody can say."""
    device, duration_s = one.segments.device, one.segments.duration_s
    gpus = one.devices.share_millis / MILLIS_PER_GPU
    most_j = (one.devices.tdp_w * gpus * IDLE_SHARE)[device] * duration_s
    is_gpu = (one.devices.component == Component.GPU)[device]
    return np.asarray(is_gpu & (one.drawn.energy_millij > most_j * MILLIJ_PER_J), dtype=bool)


def baseline_w(own_w: FloatArray, sku: npt.NDArray[np.object_], nominal_w: FloatArray) -> FloatArray:
    """Return the idle power to use per GPU: a device's own observation, else the median of its kind's, else the nominal.

    Args:
        own_w: latest observation of each device, shape (d,), NaN where there is none.
        sku: kind of each device, shape (d,).
        nominal_w: figure of the catalogue, shape (d,).
    """
    chosen = own_w.copy()
    for kind in dict.fromkeys(sku):
        of_kind = sku == kind
        seen = own_w[of_kind & ~np.isnan(own_w)]
        if seen.size:
            chosen[of_kind & np.isnan(own_w)] = np.median(seen)
    return np.where(np.isnan(chosen), nominal_w, chosen)
