"""How amounts read on a page: grouped digits, one unit a place, never a negative zero."""

from decimal import Decimal

from aiobserve.domain import units

MEGAWATT_HOURS_FROM_KWH = 10_000
TONNES_FROM_KG = 10_000
CUBIC_METRES_FROM_L = 10_000


def money(cost_microusd: int) -> str:
    """Return dollars and cents with grouped digits: $12,345.67."""
    amount = units.usd(cost_microusd)
    return f"-${-amount:,}" if amount < 0 else f"${amount:,}"


def energy(energy_millij: int, beside_millij: int | None = None) -> str:
    """Return kWh, or MWh where that is easier to read; in the unit of another energy that it stands beside."""
    amount = units.kwh(energy_millij, 1)
    if abs(amount if beside_millij is None else units.kwh(beside_millij, 1)) >= MEGAWATT_HOURS_FROM_KWH:
        return f"{units.kwh(energy_millij, 3) / 1000:,.3f} MWh"
    return f"{amount:,} kWh"


def carbon(carbon_microg: int, beside_microg: int | None = None) -> str:
    """Return kgCO2e, or tonnes where that is easier to read; in the unit of other emissions that it stands beside."""
    amount = units.kg_co2e(carbon_microg, 1)
    if abs(amount if beside_microg is None else units.kg_co2e(beside_microg, 1)) >= TONNES_FROM_KG:
        return f"{units.kg_co2e(carbon_microg, 3) / 1000:,.3f} tCO2e"
    return f"{amount:,} kgCO2e"


def water(water_microl: int) -> str:
    """Return litres, or cubic metres where that is easier to read."""
    amount = units.litres(water_microl, 0)
    if abs(amount) >= CUBIC_METRES_FROM_L:
        return f"{units.litres(water_microl, 0) / 1000:,.1f} m³"
    return f"{amount:,} L"


def hours(gpu_millis: int) -> str:
    """Return GPU-hours with grouped digits."""
    return f"{units.gpu_hours(gpu_millis, 1):,}"


def share(part: int, whole: int) -> str:
    """Return a part of a whole in per cent; a dash of nothing."""
    return f"{Decimal(part) / Decimal(whole):.1%}" if whole else "–"


def change(now: int, then: int) -> str:
    """Return the change against the period before, in words with an arrow."""
    if not then:
        return "nothing before to compare with"
    ratio = (Decimal(now) - Decimal(then)) / abs(Decimal(then))
    if abs(ratio) < Decimal("0.0005"):
        return "→ as before"
    return f"{'↑ up' if ratio > 0 else '↓ down'} {abs(ratio):.1%} on the period before"


def span_of(seconds: float | None) -> str:
    """Return a span of time in hours and minutes; a dash of none."""
    if seconds is None:
        return "–"
    minutes = round(abs(seconds) / units.SECONDS_PER_MINUTE)
    text = f"{minutes // 60} h {minutes % 60:02d} min" if minutes >= 60 else f"{minutes} min"
    return f"{text} late" if seconds < 0 else text
