"""The idle power of each device, as it was seen: what it drew while nobody held it.

Kepler takes the least power ever seen without a process, or zero; that is the noise of a sensor, and a GPU that never
idles has none. Here the baseline is a mean over measured, unheld time of one day, dated, and says where it comes
from: the device's own, else its kind's, else the nominal figure.
"""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from aiobserve.attribution.block import Measured
from aiobserve.domain.quality import Quality
from aiobserve.domain.units import MILLIJ_PER_J, MILLIS_PER_GPU, SECONDS_PER_HOUR

FloatArray = npt.NDArray[np.float64]
Int64Array = npt.NDArray[np.int64]

# Less unheld time than this in a day says nothing.
LEAST_S = SECONDS_PER_HOUR


def observed_idle_w(measured: Sequence[Measured]) -> tuple[FloatArray, Int64Array]:
    """Return the mean power per GPU of each device while it was measured and nobody held it, and for how many seconds.

    Returns:
        idle_w, shape (d,), NaN where a device was unheld for less than an hour; seconds, shape (d,).
    """
    watts, seconds = [], []
    for one in measured:
        count = len(one.devices.share_millis)
        seen = one.unheld & (one.drawn.quality == Quality.MEASURED) & (one.capacity > 0)
        device = one.segments.device[seen]
        duration_s = np.bincount(device, weights=one.segments.duration_s[seen], minlength=count)
        joules = np.bincount(device, weights=one.drawn.energy_millij[seen], minlength=count) / MILLIJ_PER_J
        enough = duration_s >= LEAST_S
        gpus = one.devices.share_millis / MILLIS_PER_GPU
        watts.append(np.where(enough, joules / np.maximum(duration_s, 1) / gpus, np.nan))
        seconds.append(duration_s.astype(np.int64))
    nothing = np.zeros(0)
    return np.concatenate([nothing, *watts]), np.concatenate([nothing.astype(np.int64), *seconds])


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
