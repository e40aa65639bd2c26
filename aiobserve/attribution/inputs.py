"""Everything that decides the charges of one site over consecutive windows, as arrays. Nothing here reckons."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from aiobserve.attribution.activity import Activity
from aiobserve.attribution.market import EnergyContract
from aiobserve.attribution.segments import Reservations
from aiobserve.attribution.series import Series
from aiobserve.domain.account import Component
from aiobserve.domain.signal import StepSignal

FloatArray = npt.NDArray[np.float64]
Int64Array = npt.NDArray[np.int64]
Int8Array = npt.NDArray[np.int8]
BoolArray = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class Devices:
    """The devices of a site, shape (d,) each unless said otherwise.

    Attributes:
        component: `Component` of each: GPU, or HOST for what a server draws besides its GPUs.
        share_millis: capacity in thousandths of a GPU; of a host, that of its GPUs together.
        tdp_w, idle_w, active_w: watts of a device per 1,000 of capacity: the most it can draw, its baseline, and
            the model of a busy one where no energy is known.
        valid_from_s, valid_to_s: epoch seconds between which the device is there.
        usd_per_gpu_hour, list_usd_per_gpu_hour: effective and list price by window, shape (d, w).
        cost_quality: quality of that price, shape (d, w).
        includes_electricity: whether that price contains electricity, shape (d, w).
        embodied_g_per_gpu_hour: emissions of manufacture, spread over the device's life.
        kept_for: claimant that answers for the device while it idles, by window, shape (d, w); -1: nobody.
    """

    component: Int8Array
    share_millis: Int64Array
    tdp_w: FloatArray
    idle_w: FloatArray
    active_w: FloatArray
    valid_from_s: Int64Array
    valid_to_s: Int64Array
    usd_per_gpu_hour: FloatArray
    list_usd_per_gpu_hour: FloatArray
    cost_quality: Int8Array
    includes_electricity: BoolArray
    embodied_g_per_gpu_hour: FloatArray
    kept_for: Int64Array


@dataclass(frozen=True)
class Pool:
    """A shared cost of a site: network, storage, or whatever it declares. Who bears it is a report's choice.

    Attributes:
        power_w: what it draws by window, shape (w,); zero where it draws nothing of its own.
        power_quality: quality of that, shape (w,).
        usd_per_hour: what it costs by window besides electricity, shape (w,).
        includes_electricity: whether that cost contains its electricity.
    """

    pool_id: int
    component: Component
    power_w: FloatArray
    power_quality: Int8Array
    usd_per_hour: FloatArray
    includes_electricity: bool


@dataclass(frozen=True)
class SiteInputs:
    """The inputs of one site.

    Attributes:
        edge_s: epoch seconds of the window edges, shape (w + 1,).
        series: readings of the devices, in their order.
        activity: how busy each holder of a shared device was, where that is known.
        electricity_usd_per_mwh, carbon_g_per_kwh: signals of the site's grid zone.
        residual_g_per_kwh: intensity of what no contract covers; empty: that of the grid.
        pue_ratio, water_l_per_kwh: signals of the site; no water where that is empty.
        contracts: electricity that was contracted, in the order in which it is used.
        unused_commitment_usd: what was committed to and not used, by window, shape (w,).
    """

    edge_s: Int64Array
    devices: Devices
    series: Series
    reservations: Reservations
    activity: Activity
    electricity_usd_per_mwh: StepSignal
    carbon_g_per_kwh: StepSignal
    residual_g_per_kwh: StepSignal
    pue_ratio: StepSignal
    water_l_per_kwh: StepSignal
    contracts: tuple[EnergyContract, ...]
    pools: tuple[Pool, ...]
    unused_commitment_usd: FloatArray
