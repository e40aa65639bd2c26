"""The accounts of the ledger and its measures: every unit that was metered has exactly one owner."""

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


CHARGED = (Account.JOB, Account.IDLE, Account.OVERHEAD, Account.UNATTRIBUTED)

# Integers all: thousandths of a GPU times seconds, millijoules, micrograms of CO2 equivalent, microdollars.
MEASURES = ("gpu_millis", "energy_millij", "carbon_microg", "capacity_microusd", "electricity_microusd")
