"""Every conversion factor of the project, and the exact texts of amounts.

No other pure module may hold a factor such as 3600: a test looks for them. Amounts in the ledger
are integers (`energy_millij`, `carbon_microg`, `cost_microusd`, `gpu_millis`), so a text is made
from an integer and never from a float.
"""

from decimal import ROUND_HALF_UP, Decimal

SECONDS_PER_MINUTE = 60
SECONDS_PER_HOUR = 3_600
SECONDS_PER_DAY = 86_400
MICROSECONDS_PER_SECOND = 1_000_000
HOURS_PER_DAY = 24
HOURS_PER_YEAR = 8_760

MILLIJ_PER_J = 1_000
J_PER_KWH = 3_600_000
MILLIJ_PER_KWH = MILLIJ_PER_J * J_PER_KWH
KWH_PER_MWH = 1_000
MILLIJ_PER_MWH = MILLIJ_PER_KWH * KWH_PER_MWH

MICROG_PER_G = 1_000_000
MICROL_PER_L = 1_000_000
MICROG_PER_KG = MICROG_PER_G * 1_000
MICROG_PER_T = MICROG_PER_KG * 1_000

MICROUSD_PER_USD = 1_000_000
MICROUSD_PER_CENT = 10_000

# A price per million tokens in dollars is one per token in microdollars; prices are kept to a millionth of that.
TOKENS_PER_MILLION = 1_000_000
PICOUSD_PER_MICROUSD = 1_000_000

# A share is an integer thousandth of a device; gpu_millis is thousandths of a device times seconds.
MILLIS_PER_GPU = 1_000
GPU_MILLIS_PER_GPU_HOUR = MILLIS_PER_GPU * SECONDS_PER_HOUR


def usd(cost_microusd: int, places: int = 2) -> Decimal:
    """Return US dollars from integer microdollars, rounded half up to `places`."""
    return _scaled(cost_microusd, MICROUSD_PER_USD, places)


def kwh(energy_millij: int, places: int = 3) -> Decimal:
    """Return kilowatt-hours from integer millijoules, rounded half up to `places`."""
    return _scaled(energy_millij, MILLIJ_PER_KWH, places)


def kg_co2e(carbon_microg: int, places: int = 3) -> Decimal:
    """Return kilograms of CO2 equivalent from integer micrograms, rounded half up to `places`."""
    return _scaled(carbon_microg, MICROG_PER_KG, places)


def gpu_hours(gpu_millis: int, places: int = 2) -> Decimal:
    """Return GPU-hours from integer thousandths of a GPU-second, rounded half up to `places`."""
    return _scaled(gpu_millis, GPU_MILLIS_PER_GPU_HOUR, places)


def litres(water_microl: int, places: int = 1) -> Decimal:
    """Return litres from integer microlitres, rounded half up to `places`."""
    return _scaled(water_microl, MICROL_PER_L, places)


def usd_per_million_tokens(cost_microusd: int, tokens: int, places: int = 6) -> Decimal:
    """Return dollars per million tokens: microdollars per token, rounded half up to `places`."""
    return _scaled(cost_microusd, tokens * MICROUSD_PER_USD // TOKENS_PER_MILLION, places)


def j_per_token(energy_millij: int, tokens: int, places: int = 4) -> Decimal:
    """Return joules per token, rounded half up to `places`."""
    return _scaled(energy_millij, tokens * MILLIJ_PER_J, places)


def g_per_token(carbon_microg: int, tokens: int, places: int = 9) -> Decimal:
    """Return grams of CO2 equivalent per token, rounded half up to `places`."""
    return _scaled(carbon_microg, tokens * MICROG_PER_G, places)


def _scaled(amount: int, per_unit: int, places: int) -> Decimal:
    quantum = Decimal(1).scaleb(-places)
    value = (Decimal(amount) / Decimal(per_unit)).quantize(quantum, rounding=ROUND_HALF_UP)
    # A bill never prints "-0.00".
    return value if value else abs(value)
