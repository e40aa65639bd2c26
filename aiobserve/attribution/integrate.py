"""Energy of one device as a cumulative curve.

A counter is used when there is one, sampled power otherwise. Nothing is dropped: what is bridged, reset
or replaced is marked as estimated.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from aiobserve.domain.units import MILLIJ_PER_J

FloatArray = npt.NDArray[np.float64]

# The longest silence within which energy is taken as evenly drawn and still called measured.
MAX_GAP_S = 600.0
# A board cannot draw more than this multiple of its rated power over a sampling interval.
POWER_ENVELOPE = 1.3


@dataclass(frozen=True)
class Samples:
    """Readings of one device, sorted by time.

    Attributes:
        at_s: epoch seconds, shape (n,), strictly increasing.
        energy_millij: cumulative counter, shape (n,), NaN where it was not read.
        power_w: power, shape (n,), NaN where it was not read.
    """

    at_s: FloatArray
    energy_millij: FloatArray
    power_w: FloatArray


@dataclass(frozen=True)
class EnergyCurve:
    """Energy drawn since the first sample.

    Attributes:
        at_s: epoch seconds, shape (n,).
        cumulative_millij: energy since `at_s[0]`, shape (n,), never decreasing.
        doubtful: whether the interval that ends at each sample is bridged, reset or replaced, shape (n,).
        replaced: whether its energy is reckoned rather than read (reset or replaced, not merely bridged), shape (n,).
        by_counter: whether the device's counter was used, rather than its sampled power.
        quarantined: number of intervals whose reading was physically impossible.
    """

    at_s: FloatArray
    cumulative_millij: FloatArray
    doubtful: npt.NDArray[np.bool_]
    replaced: npt.NDArray[np.bool_]
    by_counter: bool
    quarantined: int


def energy_curve(samples: Samples, *, tdp_w: float) -> EnergyCurve:
    """Return the energy curve of a device from its counter, or from its power where it has no counter.

    A counter that falls has restarted at zero, so the interval is worth the new reading: 900 -> 100 -> 1000
    is 1000. An interval that would need more than 1.3 x TDP is impossible; it is replaced by what sampled
    power says, or by the rated power if that is impossible too.

    Source: counter rule as in Prometheus `increase()`; NVML reports total energy in mJ since driver load
    (nvmlDeviceGetTotalEnergyConsumption).
    """
    with_counter = ~np.isnan(samples.energy_millij)
    if with_counter.sum() >= 2:
        return _from_counter(samples, with_counter, tdp_w)
    return _from_power(samples, tdp_w)


def _from_counter(samples: Samples, read: npt.NDArray[np.bool_], tdp_w: float) -> EnergyCurve:
    at_s, counter = samples.at_s[read], samples.energy_millij[read]
    gap_s = np.diff(at_s)
    step = np.diff(counter)
    reset = step < 0
    step[reset] = counter[1:][reset]
    limit = tdp_w * POWER_ENVELOPE * MILLIJ_PER_J * gap_s
    impossible = step > limit
    if impossible.any():
        step[impossible] = np.rint(np.minimum(_power_step(samples, at_s, tdp_w), limit)[impossible])
    replaced = reset | impossible
    doubtful = replaced | (gap_s > MAX_GAP_S)
    cumulative = np.r_[0.0, np.cumsum(step)]
    return EnergyCurve(at_s, cumulative, np.r_[False, doubtful], np.r_[False, replaced], True, int(impossible.sum()))


def _from_power(samples: Samples, tdp_w: float) -> EnergyCurve:
    read = ~np.isnan(samples.power_w)
    possible = read & (samples.power_w >= 0) & (samples.power_w <= tdp_w * POWER_ENVELOPE)
    at_s, power_w = samples.at_s[possible], samples.power_w[possible]
    gap_s = np.diff(at_s)
    # E = integral of P dt, by the trapezoid rule.
    step = np.rint(gap_s * (power_w[1:] + power_w[:-1]) / 2 * MILLIJ_PER_J)
    doubtful = gap_s > MAX_GAP_S
    cumulative = np.r_[0.0, np.cumsum(step)] if at_s.size else np.zeros(0)
    marks = np.r_[False, doubtful][: at_s.size]
    return EnergyCurve(at_s, cumulative, marks, np.zeros(at_s.size, bool), False, int((read & ~possible).sum()))


def _power_step(samples: Samples, at_s: FloatArray, tdp_w: float) -> FloatArray:
    """Return the energy of each interval of `at_s` by sampled power, in mJ; by rated power where none was read."""
    possible = ~np.isnan(samples.power_w) & (samples.power_w >= 0) & (samples.power_w <= tdp_w * POWER_ENVELOPE)
    if not possible.any():
        return np.diff(at_s) * tdp_w * MILLIJ_PER_J
    power_w = np.interp(at_s, samples.at_s[possible], samples.power_w[possible])
    return np.diff(at_s) * (power_w[1:] + power_w[:-1]) / 2 * MILLIJ_PER_J
