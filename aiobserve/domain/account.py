"""The accounts of the ledger, what a charge is for, and its measures: every unit that was metered has exactly one owner."""

from enum import IntEnum


class Account(IntEnum):
    """Where an amount stands. All but METERED are charged; METERED is their counterpart, the source."""

    METERED = 0
    JOB = 1
    IDLE = 2
    OVERHEAD = 3
    UNATTRIBUTED = 4

    @property
    def label(self) -> str:
        """Return the word that reports print."""
        return self.name.lower()


class Component(IntEnum):
    """What an amount was spent on. COMMITMENT is what was committed to and not used; API is tokens bought."""

    GPU = 1
    HOST = 2
    NETWORK = 3
    STORAGE = 4
    FACILITY = 5
    COMMITMENT = 6
    API = 7
    OTHER = 8

    @property
    def label(self) -> str:
        """Return the word that reports print."""
        return self.name.lower()


CHARGED = (Account.JOB, Account.IDLE, Account.OVERHEAD, Account.UNATTRIBUTED)

# Integers all, and each balances by itself in every window:
# thousandths of a GPU times seconds; millijoules and how far off they may be; micrograms of CO2 equivalent by the grid's
# hourly mix, by contracts, and from manufacture; microlitres of water; microdollars of capacity, electricity and tokens;
# and what all of it would have cost at list price.
MEASURES = (
    "gpu_millis",
    "energy_millij",
    "energy_error_millij",
    "carbon_microg",
    "carbon_market_microg",
    "embodied_microg",
    "water_microl",
    "capacity_microusd",
    "electricity_microusd",
    "api_microusd",
    "list_microusd",
)
# What a team pays is the sum of these.
COST_MEASURES = ("capacity_microusd", "electricity_microusd", "api_microusd")
