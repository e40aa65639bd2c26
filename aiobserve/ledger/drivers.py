"""Splits the change of a cost between two days into what drove it, exactly: volume, mix, utilisation, price, idle, other. Pure.

The cost of what jobs held, over cells c (a model at a site, say), with GPU-hours H, shares s, and per GPU-hour the
capacity price p, energy u and electricity price q:

    cost = H x sum over c of s_c x (p_c + u_c x q_c)

Volume is H, mix is s, utilisation is u, price is p and q together. Each factor's part is its Shapley value: the mean,
over all 24 orders, of what the cost changes by when the factor moves from the one day to the other. Idle and other
(overhead, tokens bought, what nobody answers for) are differences of their own. Fractions are exact; the parts are
rounded one after another, in the order above, so that they sum to the change with `==`.

Source: Shapley 1953; as a decomposition of effects, Ang 2004 (the "Shapley/Sun" method).
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from itertools import permutations

FACTORS = ("volume", "mix", "utilisation", "price")
DRIVERS = (*FACTORS, "idle", "other")


@dataclass(frozen=True)
class Cell:
    """What one cell came to on a day: GPU time held (thousandths x seconds), energy (mJ), and money (microdollars)."""

    gpu_millis: int
    energy_millij: int
    capacity_microusd: int
    electricity_microusd: int


@dataclass(frozen=True)
class DayCost:
    """A day: cells by name, idle money and GPU time, and money of everything else."""

    cells: Mapping[str, Cell] = field(default_factory=dict)
    idle_microusd: int = 0
    idle_gpu_millis: int = 0
    other_microusd: int = 0

    @property
    def cost_microusd(self) -> int:
        """Return the whole cost of the day."""
        held = sum(cell.capacity_microusd + cell.electricity_microusd for cell in self.cells.values())
        return held + self.idle_microusd + self.other_microusd

    @property
    def gpu_millis(self) -> int:
        """Return the GPU time that was held."""
        return sum(cell.gpu_millis for cell in self.cells.values())


def decompose(before: DayCost, now: DayCost) -> dict[str, int]:
    """Return the part of each of `DRIVERS` in the change of cost, in microdollars; they sum to the change."""
    held = _shapley(_factors(before, now))
    parts: dict[str, int] = {}
    exact, rounded = Fraction(0), 0
    for name in FACTORS:
        exact += held[name]
        parts[name] = round(exact) - rounded
        rounded = round(exact)
    return {
        **parts,
        "idle": now.idle_microusd - before.idle_microusd,
        "other": _other(now) - _other(before),
    }


def _other(day: DayCost) -> int:
    """Return the money of everything else, that of cells without GPU time among it: they have no price of an hour."""
    timeless = (cell for cell in day.cells.values() if not cell.gpu_millis)
    return day.other_microusd + sum(cell.capacity_microusd + cell.electricity_microusd for cell in timeless)


@dataclass(frozen=True)
class _Sides:
    """The factors of both days by cell; what a day does not have is taken from the other, so that it moves nothing."""

    hours: tuple[Fraction, Fraction]
    share: dict[str, tuple[Fraction, Fraction]]
    energy: dict[str, tuple[Fraction, Fraction]]
    capacity_price: dict[str, tuple[Fraction, Fraction]]
    energy_price: dict[str, tuple[Fraction, Fraction]]

    def cost(self, moved: frozenset[str]) -> Fraction:
        """Return the cost when the moved factors are those of the second day and the rest those of the first."""
        volume, mix, use, price = (int(name in moved) for name in FACTORS)
        return self.hours[volume] * sum(
            (
                self.share[cell][mix]
                * (self.capacity_price[cell][price] + self.energy[cell][use] * self.energy_price[cell][price])
                for cell in self.share
            ),
            Fraction(0),
        )


def _factors(before: DayCost, now: DayCost) -> _Sides:
    days = (before, now)
    names = sorted({*before.cells, *now.cells})
    nothing = Cell(0, 0, 0, 0)
    both = {name: tuple(day.cells.get(name, nothing) for day in days) for name in names}
    hours = (before.gpu_millis, now.gpu_millis)
    return _Sides(
        hours=(Fraction(hours[0]), Fraction(hours[1])),
        share={name: _pair(*[(one.gpu_millis, whole) for one, whole in zip(both[name], hours, strict=True)]) for name in names},
        energy={name: _pair(*[(one.energy_millij, one.gpu_millis) for one in both[name]]) for name in names},
        capacity_price={name: _pair(*[(_hourly(one), one.gpu_millis) for one in both[name]]) for name in names},
        energy_price={name: _pair(*[(one.electricity_microusd, one.energy_millij) for one in both[name]]) for name in names},
    )  # fmt: skip


def _hourly(cell: Cell) -> int:
    """Return what is paid by the hour: capacity, and electricity where no energy is known that would give it a price."""
    return cell.capacity_microusd + (0 if cell.energy_millij else cell.electricity_microusd)


def _pair(first: tuple[int, int], second: tuple[int, int]) -> tuple[Fraction, Fraction]:
    """Return two quotients; one whose divisor is zero takes the other's value, and zero where neither has one."""
    one, two = (Fraction(part, whole) if whole else None for part, whole in (first, second))
    if one is None:
        one = two if two is not None else Fraction(0)
    return one, one if two is None else two


def _shapley(sides: _Sides) -> dict[str, Fraction]:
    known: dict[frozenset[str], Fraction] = {}

    def cost(moved: frozenset[str]) -> Fraction:
        if moved not in known:
            known[moved] = sides.cost(moved)
        return known[moved]

    totals = dict.fromkeys(FACTORS, Fraction(0))
    orders = list(permutations(FACTORS))
    for order in orders:
        moved: frozenset[str] = frozenset()
        for name in order:
            totals[name] += cost(moved | {name}) - cost(moved)
            moved |= {name}
    return {name: total / len(orders) for name, total in totals.items()}
