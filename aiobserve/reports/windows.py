"""When it is cheap and clean: the newest forecast of price and intensity for each site, hour by hour."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import numpy as np

from aiobserve.domain.units import SECONDS_PER_HOUR
from aiobserve.store.read import fleet
from aiobserve.store.read.rates import forecast_signal

CARBON_KINDS = ("carbon_lifecycle_g_per_kwh", "carbon_direct_g_per_kwh")
HORIZON = timedelta(hours=48)


@dataclass(frozen=True)
class SiteOutlook:
    """Forecast hours of one site: start, price and intensity, NaN where nothing is forecast."""

    site: str
    grid_zone: str
    timezone: str
    start_at: list[datetime]
    usd_per_mwh: list[float]
    g_per_kwh: list[float]
    price_issued_at: datetime | None
    carbon_issued_at: datetime | None

    def cheapest_at(self) -> datetime | None:
        """Return the start of the cheapest forecast hour."""
        return _lowest(self.start_at, self.usd_per_mwh)

    def cleanest_at(self) -> datetime | None:
        """Return the start of the cleanest forecast hour."""
        return _lowest(self.start_at, self.g_per_kwh)


def outlook(organisation: fleet.OrganisationRow, *, now_at: datetime) -> list[SiteOutlook]:
    """Return the next 48 hours of each site, by the newest forecasts that had been issued by `now_at`."""
    first_s = int(now_at.timestamp()) // SECONDS_PER_HOUR * SECONDS_PER_HOUR
    start_s = first_s + np.arange(int(HORIZON.total_seconds()) // SECONDS_PER_HOUR, dtype=np.int64) * SECONDS_PER_HOUR
    found = []
    for site in fleet.sites(organisation.pk):
        if not site.grid_zone:
            # A provider of tokens: it has no grid that we know of.
            continue
        price, price_issued_at = forecast_signal(
            organisation.pk, site.grid_zone, kinds=("electricity_usd_per_mwh",), now_at=now_at
        )
        carbon, carbon_issued_at = forecast_signal(organisation.pk, site.grid_zone, kinds=CARBON_KINDS, now_at=now_at)
        found.append(
            SiteOutlook(
                site=site.name,
                grid_zone=site.grid_zone,
                timezone=site.timezone,
                start_at=[datetime.fromtimestamp(int(s), UTC) for s in start_s],
                usd_per_mwh=price.at(start_s)[0].tolist(),
                g_per_kwh=carbon.at(start_s)[0].tolist(),
                price_issued_at=price_issued_at,
                carbon_issued_at=carbon_issued_at,
            )
        )
    return found


def _lowest(start_at: list[datetime], values: list[float]) -> datetime | None:
    known = [(value, at) for at, value in zip(start_at, values, strict=True) if not np.isnan(value)]
    return min(known)[1] if known else None
