"""An amount of every measure, as exact integers, and as the decimals that every surface prints."""

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal

from aiobserve.domain import units
from aiobserve.domain.account import COST_MEASURES, MEASURES
from aiobserve.domain.quality import Quality


@dataclass(frozen=True)
class Amounts:
    """Sums from the ledger: integers, with the parts of energy, carbon and cost by quality.

    `energy_quality` and its neighbours hold (measured, estimated, assumed) in the unit of their measure;
    `cost_quality` is that of the capacity part of the cost.
    """

    gpu_millis: int = 0
    energy_millij: int = 0
    energy_error_millij: int = 0
    carbon_microg: int = 0
    carbon_market_microg: int = 0
    embodied_microg: int = 0
    water_microl: int = 0
    capacity_microusd: int = 0
    electricity_microusd: int = 0
    api_microusd: int = 0
    list_microusd: int = 0
    energy_quality: tuple[int, int, int] = (0, 0, 0)
    carbon_quality: tuple[int, int, int] = (0, 0, 0)
    cost_quality: tuple[int, int, int] = (0, 0, 0)

    @property
    def cost_microusd(self) -> int:
        """Return capacity, electricity and tokens together: the effective cost."""
        return sum(getattr(self, name) for name in COST_MEASURES)

    @property
    def cost_usd(self) -> Decimal:
        """Return the cost in dollars, to the cent."""
        return units.usd(self.cost_microusd)

    @property
    def energy_kwh(self) -> Decimal:
        """Return the energy in kWh, to the watt-hour."""
        return units.kwh(self.energy_millij)

    @property
    def carbon_kg(self) -> Decimal:
        """Return the emissions in kgCO2e, to the gram."""
        return units.kg_co2e(self.carbon_microg)

    @property
    def list_usd(self) -> Decimal:
        """Return what it would have cost at list price, to the cent."""
        return units.usd(self.list_microusd)

    @property
    def energy_error_kwh(self) -> Decimal:
        """Return how far off the energy may be, either way, in kWh."""
        return units.kwh(self.energy_error_millij)

    @property
    def energy_error_share(self) -> Decimal:
        """Return how far off the energy may be as a share of it, with three places; 0 of nothing."""
        if not self.energy_millij:
            return Decimal("0.000")
        return (Decimal(self.energy_error_millij) / abs(self.energy_millij)).quantize(Decimal("0.001"))

    @property
    def carbon_error_microg(self) -> int:
        """Return how far off the location-based emissions may be because the energy is.

        The grid's intensity is off too; its sources publish no error, so none is made up: this is the energy's part alone.
        """
        if not self.energy_millij:
            return 0
        return round(Decimal(abs(self.carbon_microg)) * self.energy_error_millij / abs(self.energy_millij))

    @property
    def carbon_error_kg(self) -> Decimal:
        """Return the energy's part of how far off the emissions may be, in kgCO2e."""
        return units.kg_co2e(self.carbon_error_microg)

    @property
    def carbon_market_kg(self) -> Decimal:
        """Return the market-based emissions in kgCO2e."""
        return units.kg_co2e(self.carbon_market_microg)

    @property
    def embodied_kg(self) -> Decimal:
        """Return the emissions of manufacture, by GPU-hour, in kgCO2e."""
        return units.kg_co2e(self.embodied_microg)

    @property
    def water_l(self) -> Decimal:
        """Return the water in litres."""
        return units.litres(self.water_microl)

    @property
    def gpu_hours(self) -> Decimal:
        """Return the GPU-hours, to the hundredth."""
        return units.gpu_hours(self.gpu_millis)

    def quality_share(self, quality: Quality, *, measure: str = "energy") -> Decimal:
        """Return the share of the measure that is of a quality, 0 to 1 with three places; 0 of nothing."""
        parts: tuple[int, int, int] = getattr(self, f"{measure}_quality")
        whole = sum(abs(part) for part in parts)
        if not whole:
            return Decimal("0.000")
        return (Decimal(abs(parts[quality - 1])) / whole).quantize(Decimal("0.001"))


def total(amounts: Iterable[Amounts]) -> Amounts:
    """Return the sum of amounts, exactly."""
    result = Amounts()
    for one in amounts:
        result = Amounts(
            **{name: getattr(result, name) + getattr(one, name) for name in MEASURES},
            energy_quality=_added(result.energy_quality, one.energy_quality),
            carbon_quality=_added(result.carbon_quality, one.carbon_quality),
            cost_quality=_added(result.cost_quality, one.cost_quality),
        )
    return result


def _added(left: tuple[int, int, int], right: tuple[int, int, int]) -> tuple[int, int, int]:
    return (left[0] + right[0], left[1] + right[1], left[2] + right[2])
