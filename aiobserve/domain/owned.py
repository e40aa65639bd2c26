"""What an hour of an owned GPU costs: straight-line depreciation over its life, and running costs besides."""

from dataclasses import dataclass

from aiobserve.domain.units import HOURS_PER_YEAR


class BadTerms(ValueError):
    """Terms of ownership that give no price."""


@dataclass(frozen=True)
class OwnedGpu:
    """Terms of ownership of one GPU with its part of server, network and installation.

    Attributes:
        capex_usd: what it cost.
        residual_usd: what it is expected to fetch at the end of its life.
        life_years: over which it is depreciated, evenly.
        running_usd_per_year: space, support and staff, without electricity.
        utilisation_floor: part of its time that users are taken to use at least, 0 to 1: the price of a used hour is
            that of an offered hour over this, so that users bear idle time up to it and no more.
    """

    capex_usd: float
    residual_usd: float
    life_years: float
    running_usd_per_year: float = 0.0
    utilisation_floor: float = 1.0

    def usd_per_offered_hour(self) -> float:
        """Return the cost of an hour, used or not: what the ledger charges for capacity.

        Raises:
            BadTerms: the life is not positive, or the residual exceeds the cost.
        """
        if self.life_years <= 0:
            raise BadTerms(f"a life of {self.life_years} years; give more than 0")
        if not 0 <= self.residual_usd <= self.capex_usd:
            raise BadTerms(f"a residual of {self.residual_usd} USD of {self.capex_usd} USD; give 0 to the cost")
        per_year = (self.capex_usd - self.residual_usd) / self.life_years + self.running_usd_per_year
        return per_year / HOURS_PER_YEAR

    def usd_per_used_hour(self) -> float:
        """Return the price of a used hour at the utilisation floor.

        Raises:
            BadTerms: the floor is not above 0 and at most 1.
        """
        if not 0 < self.utilisation_floor <= 1:
            raise BadTerms(f"a utilisation floor of {self.utilisation_floor}; give more than 0 and at most 1")
        return self.usd_per_offered_hour() / self.utilisation_floor
