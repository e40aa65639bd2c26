"""What each segment drew: by its meter, else by the power model; and how much of it a device draws for being on."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from aiobserve.attribution.charges import sum_by
from aiobserve.attribution.inputs import Devices
from aiobserve.attribution.metering import Metered
from aiobserve.attribution.occupancy import Holdings
from aiobserve.attribution.segments import Segments
from aiobserve.domain.quality import Quality
from aiobserve.domain.units import MILLIJ_PER_J, MILLIS_PER_GPU

Int64Array = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Drawn:
    """Energy of each segment, shape (s,) each; `baseline` and `active` sum to it."""

    energy_millij: Int64Array
    error_millij: Int64Array
    baseline_millij: Int64Array
    active_millij: Int64Array
    quality: npt.NDArray[np.int8]


def drawn(devices: Devices, segments: Segments, metered: Metered, capacity: Int64Array, held: Holdings) -> Drawn:
    """Return the energy of each segment.

    Where no meter spans a segment: idle watts for the time offered plus (active - idle) watts for the time held. The
    truth then lies between idle and rated power, so that is the band.
    """
    # Millijoules per thousandth of a GPU and second.
    per_milli = MILLIJ_PER_J / MILLIS_PER_GPU
    idle = np.rint(capacity * (devices.idle_w * per_milli)[segments.device]).astype(np.int64)
    energy, error, quality = metered.energy_millij, metered.error_millij, metered.quality
    if not metered.known.all():
        held_millis = sum_by(held.segment, held.gpu_millis, len(capacity))
        above = ((devices.active_w - devices.idle_w) * per_milli)[segments.device]
        most = ((devices.tdp_w - devices.idle_w) * per_milli)[segments.device]
        modelled = idle + np.rint(held_millis * above).astype(np.int64)
        band = np.maximum(modelled - idle, np.rint(held_millis * most).astype(np.int64) + idle - modelled)
        energy = np.where(metered.known, energy, modelled)
        error = np.where(metered.known, error, np.maximum(band, 0))
        quality = np.where(metered.known, quality, Quality.ESTIMATED).astype(np.int8)
    # A device that is not there and draws nothing is charged to nobody, and so is the doubt about its readings.
    error = np.where((energy == 0) & (capacity == 0), 0, error)
    baseline = np.minimum(energy, idle)
    return Drawn(energy, error, baseline, energy - baseline, quality)
