"""A slow, obvious twin of the attribution engine: one sample, one segment, one claim at a time. Not a test; tests compare with it.

It reads the engine's inputs and shares none of its code: plain Python, sorted lists, fractions.
"""

import math
from bisect import bisect_right
from collections import defaultdict
from fractions import Fraction
from typing import Any

from aiobserve.attribution.inputs import SiteInputs
from aiobserve.domain.account import Account, Component

JOB, IDLE, OVERHEAD, UNATTRIBUTED = Account.JOB, Account.IDLE, Account.OVERHEAD, Account.UNATTRIBUTED
Key = tuple[int, int, int, int]


def twin(inputs: SiteInputs) -> dict[Key, dict[str, int]]:
    """Return {(window, account, component, claimant): {measure: amount}} for inputs without pools and contracts."""
    charged: dict[Key, dict[str, int]] = defaultdict(lambda: defaultdict(int))
    edges = [int(edge) for edge in inputs.edge_s]
    it_millij: dict[int, int] = defaultdict(int)
    paid_millij: dict[int, int] = defaultdict(int)
    for device in range(len(inputs.devices.share_millis)):
        curve = _curve(inputs, device)
        held = _held(inputs, device)
        cuts = sorted({*edges, *(t for _, a, b, _ in held for t in (a, b) if edges[0] < t < edges[-1])})
        for start, end in zip(cuts[:-1], cuts[1:], strict=True):
            window = max(i for i, edge in enumerate(edges[:-1]) if edge <= start)
            millij = _segment(inputs, device, window, start, end, curve, held, charged)
            it_millij[window] += millij
            if not inputs.devices.includes_electricity[device, window]:
                paid_millij[window] += millij
    for window in range(len(edges) - 1):
        factor = _at(inputs.pue_ratio, edges[window]) - 1
        facility = round(it_millij[window] * factor)
        mine = charged[window, OVERHEAD, Component.FACILITY, -1]
        mine["energy_millij"] += facility
        mine["carbon_microg"] += round(facility * _at(inputs.carbon_g_per_kwh, edges[window]) * (1e6 / 3.6e9))
        bought = round(paid_millij[window] * factor)
        mine["electricity_microusd"] += round(
            bought * _at(inputs.electricity_usd_per_mwh, edges[window]) * (1e6 / 3.6e12)
        )
    return {key: dict(amounts) for key, amounts in charged.items() if any(amounts.values())}


def _segment(
    inputs: SiteInputs, device: int, window: int, start: int, end: int, curve: list[tuple[int, float]],
    held: list[tuple[int, int, int, int]], charged: dict[Key, dict[str, int]],
) -> int:  # fmt: skip
    devices = inputs.devices
    share = int(devices.share_millis[device])
    there = min(end, int(devices.valid_to_s[device])) - max(start, int(devices.valid_from_s[device]))
    capacity = max(there, 0) * share
    claims: dict[int, int] = defaultdict(int)
    for claimant, begin, stop, millis in held:
        if begin < stop and begin <= start and end <= stop and capacity and millis:
            claims[claimant] += (end - start) * millis
    if sum(claims.values()) > capacity:
        claims = dict(zip(sorted(claims), _shared(capacity, [claims[one] for one in sorted(claims)]), strict=True))
    idle_w, active_w = float(devices.idle_w[device]), float(devices.active_w[device])
    idle_millij = round(capacity * idle_w)
    before, after = _reading(curve, start * 1_000_000), _reading(curve, end * 1_000_000)
    if before is None or after is None:
        energy = idle_millij + round(sum(claims.values()) * (active_w - idle_w))
    else:
        energy = round(after) - round(before)
    baseline = min(energy, idle_millij)
    rows = [(JOB, claimant, claims[claimant]) for claimant in sorted(claims)]
    spare = capacity - sum(claims.values())
    if spare > 0 or (not claims and energy > baseline):
        rows.append((IDLE, -1, spare))
    if not claims:
        rows.append((UNATTRIBUTED, -1, 0))
    times = [millis for _, _, millis in rows]
    active = _activity(inputs, device, start, end, sorted(claims)) or [claims[one] for one in sorted(claims)]
    if len(claims) == 1:
        active = [1]
    active = [*active, *[0] * (len(rows) - len(active))]
    if not claims:
        active[-1] = 1
    millij = [a + b for a, b in zip(_shared(baseline, times), _shared(energy - baseline, active), strict=True)]
    included = bool(devices.includes_electricity[device, window])
    usd_per_mwh, g_per_kwh = (
        _at(signal, int(inputs.edge_s[window])) for signal in (inputs.electricity_usd_per_mwh, inputs.carbon_g_per_kwh)
    )
    amounts = {
        "gpu_millis": times,
        "energy_millij": millij,
        "capacity_microusd": _shared(
            round(capacity * (1e6 / 3.6e6) * float(devices.usd_per_gpu_hour[device, window])), times
        ),
        "electricity_microusd": _shared(0 if included else round(energy * (usd_per_mwh * (1e6 / 3.6e12))), millij),
        "carbon_microg": _shared(round(energy * (g_per_kwh * (1e6 / 3.6e9))), millij),
        "embodied_microg": _shared(
            round(capacity * (float(devices.embodied_g_per_gpu_hour[device]) * (1e6 / 3.6e6))), times
        ),
    }
    for place, (account, claimant, _) in enumerate(rows):
        mine = charged[window, account, int(devices.component[device]), claimant]
        for measure, parts in amounts.items():
            mine[measure] += parts[place]
    return energy


def _curve(inputs: SiteInputs, device: int) -> list[tuple[int, float]]:
    """Return (microsecond, millijoules so far) of a device, reading after reading."""
    first, last = int(inputs.series.offset[device]), int(inputs.series.offset[device + 1])
    # Rated power is told for 1,000 of capacity.
    tdp_w = float(inputs.devices.tdp_w[device]) * int(inputs.devices.share_millis[device]) / 1000
    rows: dict[int, tuple[float, float]] = {}
    for place in range(first, last):
        power = math.nan if inputs.series.power_w is None else float(inputs.series.power_w[place])
        rows.setdefault(int(inputs.series.at_us[place]), (float(inputs.series.energy_millij[place]), power))
    ordered = [(at, *rows[at]) for at in sorted(rows)]
    watts = [(at, power) for at, _, power in ordered if 0 <= power <= tdp_w * 1.3]
    counted = [(at, counter) for at, counter, _ in ordered if not math.isnan(counter)]
    if len(counted) < 2:
        return _by_power(watts)
    curve, total = [(counted[0][0], 0.0)], 0.0
    for (at, counter), (then, later) in zip(counted[:-1], counted[1:], strict=True):
        step = later - counter if later >= counter else later
        most = tdp_w * 1.3 * 1000 * (then / 1e6 - at / 1e6)
        if step > most:
            mean_w = (_watts(watts, at, tdp_w) + _watts(watts, then, tdp_w)) / 2
            step = float(round(min(mean_w * 1000 * (then / 1e6 - at / 1e6), most)))
        total += step
        curve.append((then, total))
    return curve


def _by_power(watts: list[tuple[int, float]]) -> list[tuple[int, float]]:
    curve, total = [(at, 0.0) for at, _ in watts[:1]], 0.0
    for (at, power), (then, later) in zip(watts[:-1], watts[1:], strict=True):
        total += round((then / 1e6 - at / 1e6) * (power + later) / 2 * 1000)
        curve.append((then, total))
    return curve


def _watts(watts: list[tuple[int, float]], at: int, tdp_w: float) -> float:
    if not watts:
        return tdp_w
    place = bisect_right(watts, (at, math.inf))
    if place == 0:
        return watts[0][1]
    if place == len(watts):
        return watts[-1][1]
    (here, power), (there, later) = watts[place - 1], watts[place]
    return power + (later - power) * (at - here) / (there - here)


def _reading(curve: list[tuple[int, float]], at: int) -> float | None:
    if len(curve) < 2 or not curve[0][0] <= at <= curve[-1][0]:
        return None
    place = min(bisect_right(curve, (at, math.inf)), len(curve) - 1)
    (here, counter), (there, later) = curve[place - 1], curve[place]
    if there - here > 86_400_000_000 and at != here:
        return None
    return counter + math.floor((at - here) / (there - here) * (later - counter) + 0.5)


def _held(inputs: SiteInputs, device: int) -> list[tuple[int, int, int, int]]:
    columns = (
        getattr(inputs.reservations, name) for name in ("device", "claimant", "start_s", "end_s", "share_millis")
    )
    return [
        (int(claimant), int(a), int(b), int(millis))
        for one, claimant, a, b, millis in zip(*columns, strict=True)
        if one == device
    ]


def _activity(inputs: SiteInputs, device: int, start: int, end: int, claimants: list[int]) -> list[int] | None:
    weights, seen = dict.fromkeys(claimants, 0), set()
    columns = (getattr(inputs.activity, name) for name in ("device", "claimant", "start_s", "end_s", "level"))
    for one, claimant, a, b, level in zip(*columns, strict=True):
        overlap = min(int(b), end) - max(int(a), start)
        if one == device and claimant in weights and overlap > 0:
            weights[int(claimant)] += round(float(level) * overlap * 1_000_000)
            seen.add(int(claimant))
    return [weights[one] for one in claimants] if seen == set(claimants) and any(weights.values()) else None


def _at(signal: Any, at_s: int) -> float:
    """Return the value of a signal without holes."""
    for start, end, value in zip(signal.start_s, signal.end_s, signal.value, strict=True):
        if start <= at_s < end:
            return float(value)
    raise LookupError(at_s)


def _shared(total: int, weights: list[int]) -> list[int]:
    """Split by largest remainder, ties to the first."""
    whole = sum(weights)
    if not whole:
        return [0] * len(weights)
    quotas = [Fraction(abs(total) * weight, whole) for weight in weights]
    parts = [int(quota) for quota in quotas]
    order = sorted(range(len(parts)), key=lambda place: (parts[place] - quotas[place], place))
    for place in order[: abs(total) - sum(parts)]:
        parts[place] += 1
    return [-part for part in parts] if total < 0 else parts
