"""Reads bills: the standing lines of a span, summed where they are alike; the map; and the fleet that it knows."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db import connection
from django.db.models import F, Q

from aiobserve.domain.bill import Machine, Rule, Target
from aiobserve.domain.window import Span
from aiobserve.store.models import BillDocument, BillLine, BillRule, Device

KEYS = (
    "provider", "service", "resource", "sku", "sub_account", "sub_account_name", "region", "unit", "charge_category",
)  # fmt: skip
MICRO = 1_000_000


@dataclass(frozen=True)
class BillSum:
    """Standing lines that are alike and lie within one piece of the span: their keys, and exact sums.

    `list_microusd` is None when a line does not state it; `quantity_micro` is millionths of the unit, None when none states it.
    """

    piece: int
    keys: dict[str, str]
    lines: int
    billed_microusd: int
    effective_microusd: int
    list_microusd: int | None
    quantity_micro: int | None


@dataclass(frozen=True)
class LongLine:
    """A line that crosses an edge of the pieces, as it stands."""

    keys: dict[str, str]
    span: Span
    billing: Span
    billed_microusd: int
    effective_microusd: int
    list_microusd: int | None
    quantity_micro: int | None


def bill_sums(organisation_id: int, edges: Sequence[datetime], *, provider: str | None) -> list[BillSum]:
    """Return the sums of all standing lines that lie within one piece between two neighbouring edges.

    Args:
        edges: ascending; piece i lies between edge i and i + 1.
        provider: only its lines; all when None.
    """
    piece = "width_bucket(line.start_at, %s::timestamptz[])"
    last = "width_bucket(line.end_at - interval '1 microsecond', %s::timestamptz[])"
    keys = ", ".join(f"{'document' if name == 'provider' else 'line'}.{name}" for name in KEYS)
    with connection.cursor() as cursor:
        cursor.execute(
            f"""SELECT {piece} - 1 AS piece, {keys}, count(*), sum(line.billed_microusd)::bigint,
                       sum(line.effective_microusd)::bigint,
                       CASE WHEN count(line.list_microusd) = count(*) THEN sum(line.list_microusd)::bigint END,
                       CASE WHEN count(line.quantity) = count(*) THEN sum(round((line.quantity * {MICRO})::numeric))::bigint END
                FROM bill_line AS line JOIN bill_document AS document ON document.id = line.document_id
                WHERE document.organisation_id = %s AND document.replaced_by_id IS NULL
                  AND (%s::text IS NULL OR document.provider = %s)
                  AND line.start_at >= %s AND line.end_at <= %s AND {piece} = {last}
                GROUP BY piece, {keys} ORDER BY piece, {keys}""",  # noqa: S608 - names are our own constants
            [
                list(edges), organisation_id, provider, provider, edges[0], edges[-1], list(edges), list(edges),
            ],
        )  # fmt: skip
        rows = cursor.fetchall()
    width = len(KEYS) + 1
    return [
        BillSum(row[0], dict(zip(KEYS, row[1:width], strict=True)), *row[width : width + 3], *row[width + 3 :])
        for row in rows
    ]


def long_lines(organisation_id: int, edges: Sequence[datetime], *, provider: str | None) -> list[LongLine]:
    """Return the standing lines that touch the span and cross one of its edges: a month's charge, a year's purchase."""
    found = BillLine.objects.filter(
        document__organisation_id=organisation_id,
        document__replaced_by__isnull=True,
        start_at__lt=edges[-1],
        end_at__gt=edges[0],
    )
    if provider is not None:
        found = found.filter(document__provider=provider)
    crosses = Q(pk__in=[])
    for edge in edges:
        crosses |= Q(start_at__lt=edge, end_at__gt=edge)
    rows = found.filter(crosses).annotate(provider=F("document__provider")).order_by("pk")
    return [
        LongLine(
            {name: row[name] for name in KEYS},
            Span(row["start_at"], row["end_at"]),
            Span(row["document__billing_start_at"], row["document__billing_end_at"]),
            row["billed_microusd"],
            row["effective_microusd"],
            row["list_microusd"],
            None if row["quantity"] is None else round(row["quantity"] * MICRO),
        )
        for row in rows.values(
            *KEYS, "start_at", "end_at", "document__billing_start_at", "document__billing_end_at", "billed_microusd",
            "effective_microusd", "list_microusd", "quantity",
        )
    ]  # fmt: skip


def billed_periods(organisation_id: int, *, provider: str | None) -> list[tuple[str, Span]]:
    """Return provider and billing period of each standing document, oldest first."""
    found = BillDocument.objects.filter(organisation_id=organisation_id, replaced_by__isnull=True)
    if provider is not None:
        found = found.filter(provider=provider)
    rows = found.order_by("billing_start_at", "provider").values_list("provider", "billing_start_at", "billing_end_at")
    return [(name, Span(start_at, end_at)) for name, start_at, end_at in rows.distinct()]


def rules(organisation_id: int) -> list[Rule]:
    """Return the map of bill lines in its order."""
    return [
        Rule(
            row.provider, row.service, row.resource, row.sku, row.sub_account, row.region,
            Target(row.site, row.node, row.device_sku, row.part), row.valid_from_at, row.valid_to_at,
        )
        for row in BillRule.objects.filter(organisation_id=organisation_id).order_by("position")
    ]  # fmt: skip


def machines(organisation_id: int) -> list[Machine]:
    """Return the nodes of an organisation by site, node and kind of GPU."""
    groups: dict[tuple[str, str, str], list[tuple[str, int]]] = {}
    rows = Device.objects.filter(node__site__organisation_id=organisation_id).order_by("node__site__name", "node__name")
    for site, node, sku, uid, millis in rows.values_list(
        "node__site__name", "node__name", "sku", "uid", "capacity_millis"
    ):
        groups.setdefault((site, node, sku), []).append((uid, millis))
    return [
        Machine(*key, sum(millis for _, millis in devices), frozenset(uid for uid, _ in devices))
        for key, devices in groups.items()
    ]
