"""Says which part of the ledger a line of a bill stands for: by declared, dated rules, else by the names that agree. Pure."""

from collections.abc import Iterable, Sequence

from aiobserve.domain.bill import Charge, Machine, Rule, Target
from aiobserve.domain.units import (
    GPU_MILLIS_PER_GPU_HOUR,
    MILLIJ_PER_KWH,
    MILLIJ_PER_MWH,
    MILLIS_PER_GPU,
    SECONDS_PER_HOUR,
    SECONDS_PER_MINUTE,
)

# The words of bills for an hour of a machine or of a GPU, for energy; how much of our unit one of theirs is.
GPU_UNITS = {
    "gpu-hours": GPU_MILLIS_PER_GPU_HOUR,
    "gpu-hour": GPU_MILLIS_PER_GPU_HOUR,
    "gpu hours": GPU_MILLIS_PER_GPU_HOUR,
}
MACHINE_UNITS = {
    **dict.fromkeys(("hours", "hour", "hrs", "hr", "instance-hours", "instance hours"), SECONDS_PER_HOUR),
    **dict.fromkeys(("minutes", "minute"), SECONDS_PER_MINUTE),
    **dict.fromkeys(("seconds", "second"), 1),
}
ENERGY_UNITS = {"kwh": MILLIJ_PER_KWH, "mwh": MILLIJ_PER_MWH}


def target_of(charge: Charge, rules: Sequence[Rule], fleet: Iterable[Machine]) -> Target | None:
    """Return the part of the ledger that a line stands for, None where nobody said and no name agrees.

    The first rule that fits counts. Without one: a resource that is the name of a node or a GPU's UUID is that node; a
    line whose region or sub-account is the name of a site and whose SKU is a kind of GPU there is that kind there.
    """
    for rule in rules:
        if rule.fits(charge):
            return rule.target if rule.target.part != "none" else None
    unit = charge.unit.strip().lower()
    if unit not in GPU_UNITS and unit not in MACHINE_UNITS or charge.category != "Usage":
        return None
    places = {charge.region, charge.sub_account, charge.sub_account_name}
    by_kind = None
    for machine in fleet:
        if charge.resource and (charge.resource == machine.node or charge.resource in machine.device_uids):
            return Target(machine.site, machine.node, "", "capacity")
        if machine.site in places and charge.sku == machine.sku and unit in GPU_UNITS:
            by_kind = Target(machine.site, "", machine.sku, "capacity")
    return by_kind


def quantity_per_unit(charge: Charge, target: Target, fleet: Iterable[Machine]) -> int | None:
    """Return how much GPU time (thousandths of a GPU x seconds) or energy (mJ) one unit of a line is.

    None where the unit is neither, or counts machines and those of the target are not all of one size: hours that we
    would have to guess explain nothing.
    """
    unit = charge.unit.strip().lower()
    if target.part == "electricity":
        return ENERGY_UNITS.get(unit)
    if target.part != "capacity":
        return None
    if unit in GPU_UNITS:
        return GPU_UNITS[unit]
    if unit not in MACHINE_UNITS:
        return None
    inside = [one for one in fleet if target.covers(Target(one.site, one.node, one.sku, target.part))]
    if any(charge.resource in one.device_uids for one in inside):
        return MACHINE_UNITS[unit] * MILLIS_PER_GPU
    sizes = {one.gpu_millis for one in inside}
    return MACHINE_UNITS[unit] * sizes.pop() if len(sizes) == 1 else None
