"""Compares the ledger with a bill: what agrees, what differs for a reason that has a name, and what nobody can explain. Pure.

For each part of the ledger and period, with `difference = billed - ledger`:

    amortisation = billed - effective                       prepaid or paid later than used
    time         = (hours billed - hours offered) x the ledger's price          kWh likewise
    discount     = the bill's rebate on its list price, less the ledger's (none when the bill states no list price)
    price        = what is left at the hours billed: the list price is another
    rounding     = discount and price together, where they come to at most half a cent a line
    tax          = lines of the category Tax
    unexplained  = everything else, lines that stand for nothing in the ledger among it

The parts sum to the difference with `==`.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum

from aiobserve.domain.bill import Target
from aiobserve.domain.units import GPU_MILLIS_PER_GPU_HOUR, MICROUSD_PER_CENT, MILLIJ_PER_KWH, usd

REASONS = ("price", "time", "discount", "rounding", "amortisation", "tax")
UNIT_PRICE_PLACES = 4


class Status(StrEnum):
    """How a line or a bill stands: within the limits, past the first, past the second."""

    OK = "ok"
    WARN = "warn"
    BREACH = "breach"


@dataclass(frozen=True)
class Thresholds:
    """How much may stay unexplained: the larger of an absolute amount and a share of what was billed, in millionths."""

    warn_microusd: int = 1_000_000
    breach_microusd: int = 10_000_000
    warn_ppm: int = 1_000
    breach_ppm: int = 10_000
    rounding_microusd_per_line: int = MICROUSD_PER_CENT // 2

    def status(self, unexplained_microusd: int, named_microusd: int, whole_microusd: int) -> Status:
        """Return the status of an amount that nobody can explain; a price or time that differs by as much only warns."""
        breach = max(self.breach_microusd, abs(whole_microusd) * self.breach_ppm // 1_000_000)
        warn = max(self.warn_microusd, abs(whole_microusd) * self.warn_ppm // 1_000_000)
        if abs(unexplained_microusd) > breach:
            return Status.BREACH
        return Status.WARN if abs(unexplained_microusd) > warn or named_microusd > breach else Status.OK


@dataclass(frozen=True)
class LedgerPart:
    """What the ledger has for the smallest part that it can tell apart, in one period.

    `quantity` is thousandths of a GPU x seconds for capacity, millijoules for electricity, 0 where there is neither.
    """

    period: date
    target: Target
    microusd: int
    list_microusd: int
    quantity: int


@dataclass(frozen=True)
class BillPart:
    """Lines of a bill that are alike, in one period: what they stand for (None: nothing we know), and their sums."""

    period: date
    provider: str
    service: str
    resource: str
    category: str
    target: Target | None
    lines: int
    billed_microusd: int
    effective_microusd: int
    list_microusd: int | None
    quantity: int | None


@dataclass(frozen=True)
class Line:
    """One comparison; `explained` has an amount for each of `REASONS`, and billed == ledger + explained + unexplained."""

    period: date
    provider: str
    service: str
    resources: tuple[str, ...]
    target: Target | None
    lines: int
    ledger_microusd: int
    billed_microusd: int
    explained: Mapping[str, int]
    unexplained_microusd: int
    status: Status
    words: str

    @property
    def difference_microusd(self) -> int:
        """Return what was billed beyond the ledger."""
        return self.billed_microusd - self.ledger_microusd

    @property
    def matched_microusd(self) -> int:
        """Return how much of the bill the ledger has as well."""
        return min(self.billed_microusd, self.ledger_microusd) if self.billed_microusd > 0 < self.ledger_microusd else 0


@dataclass(frozen=True)
class Reconciliation:
    """All lines, and what of the ledger stands on no bill: not billed there, or not billed yet."""

    lines: tuple[Line, ...]
    outside_microusd: int
    thresholds: Thresholds = field(default_factory=Thresholds)

    @property
    def ledger_microusd(self) -> int:
        """Return what the ledger has for everything that was compared."""
        return sum(line.ledger_microusd for line in self.lines)

    @property
    def billed_microusd(self) -> int:
        """Return the whole bill: ledger + explained + unexplained."""
        return sum(line.billed_microusd for line in self.lines)

    @property
    def explained(self) -> dict[str, int]:
        """Return the sum of each reason."""
        return {reason: sum(line.explained[reason] for line in self.lines) for reason in REASONS}

    @property
    def unexplained_microusd(self) -> int:
        """Return what nobody can explain."""
        return sum(line.unexplained_microusd for line in self.lines)

    @property
    def status(self) -> Status:
        """Return the worst status of any line or of all of them together: many small amounts are a large one."""
        whole = self.thresholds.status(self.unexplained_microusd, 0, self.billed_microusd)
        return max((whole, *(line.status for line in self.lines)), key=list(Status).index)


def reconcile(
    ledger: Iterable[LedgerPart], bill: Sequence[BillPart], *, thresholds: Thresholds | None = None
) -> Reconciliation:
    """Return the comparison of every part of the bill with what the ledger has for it.

    A part of the ledger goes to the smallest part on the bill that covers it in its period. A site with a part on the
    bill is expected to be billed whole: what is not is unexplained. A site or period without any is outside.
    """
    limits = thresholds or Thresholds()
    by_target: dict[tuple[date, Target], list[BillPart]] = {}
    alone: dict[tuple[date, str, str, str, str], list[BillPart]] = {}
    for part in bill:
        if part.target is None:
            key = (part.period, part.provider, part.service, part.resource, part.category)
            alone.setdefault(key, []).append(part)
        else:
            by_target.setdefault((part.period, part.target), []).append(part)
    expected = {(period, target.site, target.part) for period, target in by_target}
    owned: dict[tuple[date, Target], list[LedgerPart]] = {}
    outside = 0
    for own in ledger:
        covering = [target for period, target in by_target if period == own.period and target.covers(own.target)]
        if covering:
            best = max(covering, key=lambda target: (target.precision, target))
            owned.setdefault((own.period, best), []).append(own)
        elif (own.period, own.target.site, own.target.part) in expected and own.microusd:
            owned.setdefault((own.period, own.target), []).append(own)
        else:
            outside += own.microusd
    keys = sorted({*by_target, *owned})
    lines = [_compared(key, owned.get(key, []), by_target.get(key, []), limits) for key in keys]
    lines += [_unmapped(parts, limits) for _, parts in sorted(alone.items())]
    return Reconciliation(tuple(lines), outside, limits)


def _compared(
    key: tuple[date, Target], ledger: Sequence[LedgerPart], bill: Sequence[BillPart], limits: Thresholds
) -> Line:
    period, target = key
    own, own_list = sum(part.microusd for part in ledger), sum(part.list_microusd for part in ledger)
    offered = sum(part.quantity for part in ledger)
    billed = sum(part.billed_microusd for part in bill)
    effective = sum(part.effective_microusd for part in bill)
    listed = None if any(part.list_microusd is None for part in bill) else sum(part.list_microusd or 0 for part in bill)
    lines = sum(part.lines for part in bill)
    charged = 0 if any(part.quantity is None for part in bill) else sum(part.quantity or 0 for part in bill)
    explained = dict.fromkeys(REASONS, 0)
    explained["amortisation"] = billed - effective
    left = effective - own
    if offered > 0 and charged > 0 and ledger:
        # What the ledger would have for the hours billed, at its price and at its list price.
        own_then, own_list_then = _scaled(own, charged, offered), _scaled(own_list, charged, offered)
        explained["time"] = own_then - own
        left -= explained["time"]
        if abs(left) <= lines * limits.rounding_microusd_per_line:
            explained["rounding"] = left
        else:
            if listed is not None:
                explained["discount"] = (effective - listed) - (own_then - own_list_then)
            explained["price"] = left - explained["discount"]
        left = 0
    elif ledger and abs(left) <= lines * limits.rounding_microusd_per_line:
        explained["rounding"], left = left, 0
    named = max(abs(explained["price"]), abs(explained["time"]))
    return Line(
        period, _names(part.provider for part in bill), _names(part.service for part in bill),
        tuple(sorted({part.resource for part in bill if part.resource})), target, lines, own, billed, explained, left,
        limits.status(left, named, billed or own), _words(own, billed, offered, charged, explained, left, bool(bill), target),
    )  # fmt: skip


def _unmapped(bill: Sequence[BillPart], limits: Thresholds) -> Line:
    first = bill[0]
    billed = sum(part.billed_microusd for part in bill)
    explained = dict.fromkeys(REASONS, 0)
    explained["amortisation"] = billed - sum(part.effective_microusd for part in bill)
    left = billed - explained["amortisation"]
    words = "stands for nothing in the ledger: no rule maps it and no name agrees"
    if first.category == "Tax":
        explained["tax"], left, words = left, 0, "tax, which the ledger does not hold"
    elif first.category == "Credit":
        explained["discount"], left, words = left, 0, "a credit, which the ledger does not hold"
    return Line(
        first.period, first.provider, first.service, (first.resource,) if first.resource else (), None,
        sum(part.lines for part in bill), 0, billed, explained, left, limits.status(left, 0, billed), words,
    )  # fmt: skip


def _words(
    own: int,
    billed: int,
    offered: int,
    charged: int,
    explained: Mapping[str, int],
    left: int,
    on_bill: bool,
    target: Target,
) -> str:
    if not on_bill:
        return f"in the ledger, and not on a bill that has other {target.part} of {target.site}"
    told = []
    per, unit = (MILLIJ_PER_KWH, "kWh") if target.part == "electricity" else (GPU_MILLIS_PER_GPU_HOUR, "GPU-hours")
    if explained["price"] and charged and offered:
        ours = usd(_scaled(own, per, offered), UNIT_PRICE_PLACES)
        theirs = usd(_scaled(billed - explained["amortisation"], per, charged), UNIT_PRICE_PLACES)
        told.append(f"price {theirs} instead of {ours} USD a {unit.rstrip('s')}")
    if explained["time"]:
        told.append(f"{_amount(charged, per)} {unit} billed, {_amount(offered, per)} offered")
    if explained["discount"]:
        told.append(f"rebate of {usd(-explained['discount'])} USD more than the ledger has")
    if explained["amortisation"]:
        told.append(f"{usd(explained['amortisation'])} USD paid at another time than used")
    if explained["rounding"]:
        told.append("rounding of the lines")
    if left:
        told.append("the bill states no hours or kWh that would explain it" if own else "the ledger has nothing there")
    return "; ".join(told) or "matches"


def _amount(quantity: int, per: int) -> str:
    return f"{round(quantity / per, 1):,}"


def _scaled(amount: int, numerator: int, denominator: int) -> int:
    """Return amount x numerator / denominator, rounded half up, in integers."""
    return (2 * amount * numerator + denominator) // (2 * denominator)


def _names(names: Iterable[str]) -> str:
    return ", ".join(sorted({name for name in names if name}))
