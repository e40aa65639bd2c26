"""The words of a bill: a part of the ledger, a charge, the rule that joins them, and the machine that both are about."""

from dataclasses import dataclass
from datetime import datetime
from fnmatch import fnmatchcase


@dataclass(frozen=True, order=True)
class Target:
    """A part of the ledger: a site, or of it a node or a kind of GPU, and what the money was for; empty means all."""

    site: str
    node: str
    sku: str
    part: str

    def covers(self, other: "Target") -> bool:
        """Return whether another part lies within this one."""
        return self.part == other.part and all(
            not own or own == theirs
            for own, theirs in ((self.site, other.site), (self.node, other.node), (self.sku, other.sku))
        )

    @property
    def precision(self) -> int:
        """Return how many of its names are set; the more of them, the smaller the part."""
        return sum(map(bool, (self.site, self.node, self.sku)))

    @property
    def words(self) -> str:
        """Return the part in words."""
        what = self.node or self.sku
        place = f"at {self.site}" if self.site else "at every site"
        return f"{self.part} of {what} {place}" if what else f"{self.part} {place}"


@dataclass(frozen=True)
class Charge:
    """What of a bill line decides where it belongs."""

    provider: str
    service: str
    resource: str
    sku: str
    sub_account: str
    sub_account_name: str
    region: str
    unit: str
    category: str
    start_at: datetime


@dataclass(frozen=True)
class Rule:
    """Lines that fit the patterns stand for the target from one instant until another; an empty pattern fits all."""

    provider: str
    service: str
    resource: str
    sku: str
    sub_account: str
    region: str
    target: Target
    valid_from_at: datetime
    valid_to_at: datetime | None

    def fits(self, charge: Charge) -> bool:
        """Return whether a line is meant."""
        ends = self.valid_to_at is not None and charge.start_at >= self.valid_to_at
        if charge.start_at < self.valid_from_at or ends:
            return False
        pairs = (
            (self.provider, charge.provider), (self.service, charge.service), (self.resource, charge.resource),
            (self.sku, charge.sku), (self.region, charge.region),
        )  # fmt: skip
        return all(not pattern or fnmatchcase(text, pattern) for pattern, text in pairs) and (
            not self.sub_account
            or any(fnmatchcase(text, self.sub_account) for text in (charge.sub_account, charge.sub_account_name))
        )


@dataclass(frozen=True)
class Machine:
    """A node of a site with one kind of GPU: what the default map knows the fleet by."""

    site: str
    node: str
    sku: str
    gpu_millis: int
    device_uids: frozenset[str]
