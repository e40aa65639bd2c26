"""The ledger beside the bill, month by month: matched, explained and unexplained. The one place that compares them."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from itertools import pairwise

import numpy as np
import pandas as pd

from aiobserve.attribution.split import split_exactly
from aiobserve.domain.account import Component
from aiobserve.domain.bill import Charge, Machine, Target
from aiobserve.domain.units import GPU_MILLIS_PER_GPU_HOUR, MICROUSD_PER_USD, usd
from aiobserve.domain.window import Span, local_day
from aiobserve.inputs.site import devices_in, edges_of
from aiobserve.inputs.terms import priced
from aiobserve.ledger.bill_map import quantity_per_unit, target_of
from aiobserve.ledger.reconcile import BillPart, LedgerPart, Reconciliation, Thresholds, reconcile
from aiobserve.reports.scope import Scope
from aiobserve.store.read import billing, fleet, ledger, terms

DEVICE_COMPONENTS = (Component.GPU, Component.COMMITMENT)
MICRO = 1_000_000
MILLIS = 1_000


@dataclass(frozen=True)
class Reconciled:
    """A scope's comparison; `found` and the ledger's total are None where no bill touches the scope."""

    scope: Scope
    provider: str | None
    periods: tuple[tuple[str, Span], ...]
    found: Reconciliation | None
    ledger_total_microusd: int | None

    @property
    def unexplained_microusd(self) -> int:
        """Return what of the bill nobody can explain; 0 without a bill."""
        return self.found.unexplained_microusd if self.found else 0

    @property
    def sentence(self) -> str:
        """Return the comparison in one line, which every report shows beside its total; empty without a bill."""
        if self.found is None:
            return ""
        explained = sum(self.found.explained.values())
        return (
            f"billed {usd(self.found.billed_microusd):,} USD = ledger {usd(self.found.ledger_microusd):,} "
            f"{'-' if explained < 0 else '+'} explained {usd(abs(explained)):,} "
            f"{'-' if self.unexplained_microusd < 0 else '+'} unexplained {usd(abs(self.unexplained_microusd)):,} "
            f"({self.found.status})"
        )


def reconciliation(scope: Scope, *, provider: str | None = None, thresholds: Thresholds | None = None) -> Reconciled:
    """Return the ledger of a scope compared with the standing bills, by calendar month of the reader's zone."""
    organisation_id = scope.organisation.pk
    billed = tuple(
        (name, period)
        for name, period in billing.billed_periods(organisation_id, provider=provider)
        if period.start_at < scope.span.end_at and period.end_at > scope.span.start_at
    )
    if not billed:
        return Reconciled(scope, provider, billed, None, None)
    months = _months(scope)
    machines = billing.machines(organisation_id)
    parts = list(_ledger_parts(scope, months))
    total = sum(part.microusd for part in parts)
    bill = list(_bill_parts(scope, months, machines, provider))
    return Reconciled(scope, provider, billed, reconcile(parts, bill, thresholds=thresholds), total)


def _months(scope: Scope) -> list[tuple[date, Span]]:
    """Return the calendar months of a scope, each cut to it, by their first day."""
    found, day = [], scope.first_day
    while day < scope.end_day:
        following = min((day.replace(day=1) + timedelta(days=31)).replace(day=1), scope.end_day)
        start_at, end_at = (local_day(one, scope.timezone).start_at for one in (day, following))
        found.append((day.replace(day=1), Span(start_at, end_at)))
        day = following
    return found


def _bill_parts(
    scope: Scope, months: Sequence[tuple[date, Span]], machines: Sequence[Machine], provider: str | None
) -> Iterator[BillPart]:
    organisation_id = scope.organisation.pk
    rules = billing.rules(organisation_id)
    changes = {at for rule in rules for at in (rule.valid_from_at, rule.valid_to_at) if at is not None}
    inside = {at for at in changes if scope.span.start_at < at < scope.span.end_at}
    edges = sorted({scope.span.start_at, scope.span.end_at, *(span.end_at for _, span in months), *inside})
    starts = {span.start_at: month for month, span in months}
    month_of: list[date] = []
    for edge in edges[:-1]:
        month_of.append(starts.get(edge, month_of[-1] if month_of else months[0][0]))
    found = billing.bill_sums(organisation_id, edges, provider=provider)
    for long in billing.long_lines(organisation_id, edges, provider=provider):
        found += _spread(long, edges)
    for one in found:
        charge = _charge(one.keys, edges[one.piece])
        target = target_of(charge, rules, machines)
        per_unit = None if target is None else quantity_per_unit(charge, target, machines)
        known = per_unit is not None and one.quantity_micro is not None
        yield BillPart(
            period=month_of[one.piece],
            provider=charge.provider,
            service=charge.service,
            resource=charge.resource,
            category=charge.category,
            target=target,
            lines=one.lines,
            billed_microusd=one.billed_microusd,
            effective_microusd=one.effective_microusd,
            list_microusd=one.list_microusd,
            quantity=(one.quantity_micro or 0) * (per_unit or 0) // MICRO if known else None,
        )


def _charge(keys: dict[str, str], start_at: datetime) -> Charge:
    named = {name: keys[name] for name in billing.KEYS if name != "charge_category"}
    return Charge(**named, category=keys["charge_category"], start_at=start_at)


def _spread(line: billing.LongLine, edges: Sequence[datetime]) -> Iterator[billing.BillSum]:
    """Yield what of a long line falls into each piece: evenly over its charge period; what was billed within its billing period.

    The parts of neighbouring pieces, and of neighbouring scopes, sum to the line.
    """
    paid = _overlap(line.span, line.billing)
    paid = paid if paid.duration_s else line.span
    for piece, (first_at, last_at) in enumerate(pairwise(edges)):
        amounts = (line.effective_microusd, line.list_microusd, line.quantity_micro)
        effective, listed, quantity = (_between(amount, line.span, first_at, last_at) for amount in amounts)
        billed = _between(line.billed_microusd, paid, first_at, last_at) or 0
        if billed or effective or listed or quantity:
            yield billing.BillSum(piece, line.keys, 1, billed, effective or 0, listed, quantity)


def _between(amount: int | None, span: Span, first_at: datetime, last_at: datetime) -> int | None:
    """Return the part of an amount between two instants: the seconds since its start decide, so neighbours telescope."""
    if amount is None or not span.duration_s:
        return amount
    first, last = (
        int((min(max(at, span.start_at), span.end_at) - span.start_at).total_seconds()) for at in (first_at, last_at)
    )
    return amount * last // span.duration_s - amount * first // span.duration_s


def _ledger_parts(scope: Scope, months: Sequence[tuple[date, Span]]) -> Iterator[LedgerPart]:
    """Yield the ledger's money by month, site and part; the GPUs' own by node and kind, split by what each was offered for."""
    extent = ledger.extent(scope.organisation.pk)
    sites = {site.name: site for site in fleet.sites(scope.organisation.pk)}
    spans = dict(months)
    groups: dict[tuple[date, str], dict[Component, dict[str, int]]] = {}
    by = ("month", "site", "component")
    for row in ledger.sums(scope.organisation.pk, scope.span, group_by=by, timezone=scope.timezone):
        month, site, component = (
            date.fromisoformat(str(row.keys[0])),
            str(row.keys[1]),
            Component(int(str(row.keys[2]))),
        )
        groups.setdefault((month, site), {})[component] = row.sums
    for (month, site), components in groups.items():
        yield from _money_parts(month, site, components)
        posted = spans[month] if extent is None else _overlap(spans[month], extent)
        yield from _device_parts(month, sites[site], components, posted)


def _money_parts(month: date, site: str, components: dict[Component, dict[str, int]]) -> Iterator[LedgerPart]:
    electricity = sum(sums["electricity_microusd"] for sums in components.values())
    energy = sum(sums["energy_millij"] for sums in components.values() if sums["electricity_microusd"])
    tokens = sum(sums["api_microusd"] for sums in components.values())
    if electricity:
        yield LedgerPart(month, Target(site, "", "", "electricity"), electricity, electricity, energy)
    if tokens:
        yield LedgerPart(month, Target(site, "", "", "api"), tokens, tokens, 0)
    for component, sums in components.items():
        money = sums["capacity_microusd"]
        if component not in DEVICE_COMPONENTS and money:
            yield LedgerPart(month, Target(site, "", "", component.label), money, money, 0)


def _device_parts(
    month: date, site: fleet.SiteRow, components: dict[Component, dict[str, int]], span: Span
) -> Iterator[LedgerPart]:
    own = [components[one] for one in DEVICE_COMPONENTS if one in components]
    money = sum(sums["capacity_microusd"] for sums in own)
    # Electricity and tokens are listed at what they cost; the rest of the list price is the capacity's.
    listed = sum(sums["list_microusd"] - sums["electricity_microusd"] - sums["api_microusd"] for sums in own)
    time = sum(sums["gpu_millis"] for sums in own)
    if not (money or time):
        return
    offered = _offered(site, span)
    keys = sorted(offered) or [("", "")]
    cost, list_cost, gpu_s = (
        list(column) for column in zip(*(offered.get(key, (1, 1, 1)) for key in keys), strict=True)
    )
    # What was committed to and not used is paid for with the nodes under a commitment.
    unused = components.get(Component.COMMITMENT, {}).get("capacity_microusd", 0)
    committed = _committed_nodes(site, span)
    of_unused = [one if key in committed else 0 for key, one in zip(keys, cost, strict=True)]
    used = split_exactly(money - unused, cost if any(cost) else gpu_s)
    idle = split_exactly(unused, next(one for one in (of_unused, cost, gpu_s) if any(one)))
    split = zip(
        keys,
        [one + other for one, other in zip(used, idle, strict=True)],
        split_exactly(listed, list_cost if any(list_cost) else gpu_s),
        split_exactly(time // MILLIS, gpu_s),
        strict=True,
    )
    for (node, sku), amount, list_amount, quantity in split:
        yield LedgerPart(month, Target(site.name, node, sku, "capacity"), amount, list_amount, quantity * MILLIS)


def _committed_nodes(site: fleet.SiteRow, span: Span) -> set[tuple[str, str]]:
    """Return (node, kind of GPU) of the devices that are had under a commitment."""
    under = {(row.sku, row.contract) for row in terms.commitments(site.pk, span)}
    devices = fleet.devices(site.pk)
    return {(one.node, one.sku) for one in devices.itertuples() if (one.sku, one.contract) in under}


def _offered(site: fleet.SiteRow, span: Span) -> dict[tuple[str, str], tuple[int, int, int]]:
    """Return what each node's kind of GPU was offered for in a span: microdollars, the same at list price, and GPU-seconds.

    By the very prices that attribution takes: of the devices' own contracts, with commitments and changes inside windows.
    """
    devices = devices_in(site.pk, span)
    devices = devices[devices["kind"] == "gpu"].reset_index(drop=True)
    if devices.empty or not span.duration_s:
        return {}
    edge_s = edges_of(span)
    made = priced(site, devices, edge_s, span).devices
    start_s = np.maximum(made.valid_from_s[:, None], edge_s[None, :-1])
    end_s = np.minimum(made.valid_to_s[:, None], edge_s[None, 1:])
    offered = np.maximum(end_s - start_s, 0) * made.share_millis[:, None]
    per_milli = MICROUSD_PER_USD / GPU_MILLIS_PER_GPU_HOUR
    cost = np.rint(offered * (made.usd_per_gpu_hour * per_milli)).astype(np.int64).sum(axis=1)
    listed = np.rint(offered * (made.list_usd_per_gpu_hour * per_milli)).astype(np.int64).sum(axis=1)
    sums = pd.DataFrame({"cost": cost, "listed": listed, "gpu_s": offered.sum(axis=1) // MILLIS})
    by_node = sums.groupby([devices["node"], devices["sku"]]).sum()
    return {
        (str(node), str(sku)): (int(row.cost), int(row.listed), int(row.gpu_s))
        for (node, sku), row in zip(by_node.index, by_node.itertuples(index=False), strict=True)
        if row.gpu_s
    }


def _overlap(left: Span, right: Span) -> Span:
    start_at = max(left.start_at, right.start_at)
    return replace(left, start_at=start_at, end_at=max(start_at, min(left.end_at, right.end_at)))
