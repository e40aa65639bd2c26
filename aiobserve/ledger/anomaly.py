"""Finds days that cost other than their weekday lets expect, and says what drove it. Pure.

A day is compared with the same weekday of the 6 weeks before. Expected is the middle one of them (the lower of two), a
real day, so that every figure of the comparison can be looked up. It is an anomaly when it is off by more than 3.5 robust
standard deviations (1.4826 x median absolute deviation), and by more than a twentieth, and by more than 5 USD.

Source: median and MAD as in Iglewicz and Hoaglin 1993, who give 3.5.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from statistics import median

from aiobserve.domain.units import GPU_MILLIS_PER_GPU_HOUR, MICROUSD_PER_USD, MILLIJ_PER_KWH, gpu_hours, usd
from aiobserve.ledger.drivers import DRIVERS, DayCost, decompose

WEEK = timedelta(days=7)
LOOK_BACK_WEEKS, LEAST_WEEKS = 6, 3
SCORE, MAD_TO_SIGMA = 3.5, 1.4826
LEAST_SHARE = 0.05
LEAST_MICROUSD = 5 * MICROUSD_PER_USD
# A part is told when it is at least this share of the largest one.
TOLD_SHARE = 0.1
UNIT_PRICE_PLACES = 4


@dataclass(frozen=True)
class Anomaly:
    """A day that stands out: against which day, by how much, and the part of each driver; they sum to the change."""

    scope: str
    day: date
    compared_with: date
    cost_microusd: int
    expected_microusd: int
    weeks: int
    parts: Mapping[str, int]
    words: str

    @property
    def change_microusd(self) -> int:
        """Return what the day cost beyond what was expected."""
        return self.cost_microusd - self.expected_microusd

    @property
    def driver(self) -> str:
        """Return the driver with the largest part in the direction of the change."""
        return _driver(self.change_microusd, self.parts)


@dataclass(frozen=True)
class Episode:
    """Anomalies on neighbouring days (a day may lie between) of one scope and sign, told as one."""

    anomalies: tuple[Anomaly, ...]

    @property
    def first(self) -> Anomaly:
        """Return the day on which it began."""
        return self.anomalies[0]

    @property
    def peak(self) -> Anomaly:
        """Return the day with the largest change."""
        return max(self.anomalies, key=lambda one: abs(one.change_microusd))

    @property
    def driver(self) -> str:
        """Return the driver with the largest part of the whole change, in its direction."""
        return _driver(self.change_microusd, self.parts)

    @property
    def last_day(self) -> date:
        """Return its last day."""
        return self.anomalies[-1].day

    @property
    def change_microusd(self) -> int:
        """Return the change of all its days."""
        return sum(one.change_microusd for one in self.anomalies)

    @property
    def parts(self) -> dict[str, int]:
        """Return the part of each driver over all its days."""
        return {name: sum(one.parts[name] for one in self.anomalies) for name in DRIVERS}


def anomalies(scope: str, days: Mapping[date, DayCost], *, since: date, until: date) -> list[Anomaly]:
    """Return the anomalies of a scope on the dates `[since, until)`, oldest first.

    Args:
        days: every complete day that is known, those of the weeks before among them. A date without an entry is a day
            before or after what is known, not a day without cost.
    """
    found = []
    for day in sorted(days):
        if not since <= day < until:
            continue
        earlier = [day - WEEK * number for number in range(1, LOOK_BACK_WEEKS + 1)]
        known = [one for one in earlier if one in days]
        if len(known) < LEAST_WEEKS:
            continue
        one = _compared(scope, day, known, days)
        if one is not None:
            found.append(one)
    return found


def episodes(found: Sequence[Anomaly]) -> list[Episode]:
    """Return the anomalies of one scope as episodes, in order."""
    groups: list[list[Anomaly]] = []
    for one in found:
        last = groups[-1][-1] if groups else None
        goes_on = (
            last is not None
            and one.scope == last.scope
            and (one.change_microusd > 0) == (last.change_microusd > 0)
            and one.day - last.day <= timedelta(days=2)
        )
        if goes_on:
            groups[-1].append(one)
        else:
            groups.append([one])
    return [Episode(tuple(group)) for group in groups]


def _driver(change: int, parts: Mapping[str, int]) -> str:
    sign = 1 if change > 0 else -1
    return max(DRIVERS, key=lambda name: sign * parts[name])


def _compared(scope: str, day: date, known: Sequence[date], days: Mapping[date, DayCost]) -> Anomaly | None:
    costs = {one: days[one].cost_microusd for one in known}
    lower_median = sorted(costs.values())[(len(costs) - 1) // 2]
    middle = max(one for one in known if costs[one] == lower_median)
    centre = median(costs.values())
    spread = MAD_TO_SIGMA * median(abs(cost - centre) for cost in costs.values())
    cost, expected = days[day].cost_microusd, costs[middle]
    change = cost - expected
    limit = max(SCORE * spread, LEAST_SHARE * abs(expected), LEAST_MICROUSD)
    if abs(change) <= limit:
        return None
    parts = decompose(days[middle], days[day])
    words = _words(scope, day, middle, len(known), days, parts)
    return Anomaly(scope, day, middle, cost, expected, len(known), parts, words)


def _words(
    scope: str, day: date, middle: date, weeks: int, days: Mapping[date, DayCost], parts: Mapping[str, int]
) -> str:
    now, before = days[day], days[middle]
    change = now.cost_microusd - before.cost_microusd
    largest = max(abs(part) for part in parts.values())
    told = [
        name for name in sorted(DRIVERS, key=lambda name: -abs(parts[name])) if abs(parts[name]) >= TOLD_SHARE * largest
    ]
    reasons = "; ".join(f"{_signed(parts[name])} {_reason(name, before, now)}" for name in told)
    return (
        f"cost of {scope} {'rose' if change > 0 else 'fell'} by {usd(abs(change)):,} USD on {day:%A} {day.day} {day:%B %Y} "
        f"({usd(now.cost_microusd):,} against {usd(before.cost_microusd):,} on {middle.day} {middle:%B}, the middle one of "
        f"{weeks}): {reasons}"
    )


def _reason(name: str, before: DayCost, now: DayCost) -> str:
    match name:
        case "volume":
            moved = now.gpu_millis - before.gpu_millis
            cell, own = _most_moved(before, now)
            where = f", {_hours(own)} of them {cell}" if cell and own * moved > 0 else ""
            return f"from {_hours(abs(moved))} {'more' if moved > 0 else 'fewer'} GPU-hours{where}"
        case "mix":
            cell, own = _most_moved(before, now)
            return f"from dearer and cheaper work in other shares ({cell} {_share(before, cell)} to {_share(now, cell)} of the hours)"
        case "utilisation":
            return f"from energy: {_per_hour(before)} to {_per_hour(now)} kWh a GPU-hour"
        case "price":
            return f"from prices{_price(before, now)}"
        case "idle":
            moved = now.idle_gpu_millis - before.idle_gpu_millis
            return f"from {_hours(abs(moved))} {'more' if moved > 0 else 'fewer'} idle GPU-hours"
        case _:
            return "from overhead, tokens bought and what nobody answers for"


def _most_moved(before: DayCost, now: DayCost) -> tuple[str, int]:
    moved = {
        name: (now.cells[name].gpu_millis if name in now.cells else 0)
        - (before.cells[name].gpu_millis if name in before.cells else 0)
        for name in sorted({*before.cells, *now.cells})
    }
    name = max(moved, key=lambda cell: abs(moved[cell]), default="")
    return name, moved.get(name, 0)


def _price(before: DayCost, now: DayCost) -> str:
    """Return the largest change of a price of a GPU-hour in words; empty when only that of electricity moved."""
    moved = {name: (_unit(before, name), _unit(now, name)) for name in sorted({*before.cells} & {*now.cells})}
    name = max(moved, key=lambda cell: abs(moved[cell][1] - moved[cell][0]) * now.cells[cell].gpu_millis, default="")
    if not name or moved[name][0] == moved[name][1]:
        return " of electricity"
    old, new = (usd(price, UNIT_PRICE_PLACES) for price in moved[name])
    return f": {name} {old} to {new} USD a GPU-hour"


def _unit(day: DayCost, name: str) -> int:
    cell = day.cells[name]
    return cell.capacity_microusd * GPU_MILLIS_PER_GPU_HOUR // cell.gpu_millis if cell.gpu_millis else 0


def _share(day: DayCost, name: str) -> str:
    own = day.cells[name].gpu_millis if name in day.cells else 0
    return f"{own / day.gpu_millis:.0%}" if day.gpu_millis else "none"


def _per_hour(day: DayCost) -> str:
    energy = sum(cell.energy_millij for cell in day.cells.values())
    return f"{energy / MILLIJ_PER_KWH / (day.gpu_millis / GPU_MILLIS_PER_GPU_HOUR):.3f}" if day.gpu_millis else "none"


def _hours(gpu_millis: int) -> str:
    return f"{gpu_hours(abs(gpu_millis), 1):,}"


def _signed(part: int) -> str:
    return f"{'+' if part > 0 else '-'}{usd(abs(part)):,}"
