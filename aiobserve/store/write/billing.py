"""Writes bills: a newer document of a billing period replaces the older ones, which stay."""

import json
from typing import Any

import pandas as pd

from aiobserve.store.models import BillDocument, BillRule, Organisation
from aiobserve.store.write.copy import copy_frame

LINE_COLUMNS = {
    "document_id": "int8",
    "batch_id": "int8",
    "position": "int8",
    **dict.fromkeys(
        (
            "sub_account", "sub_account_name", "service", "service_category", "resource", "sku", "region",
            "charge_category", "charge_class", "charge_frequency", "description", "invoice", "currency",
        ),
        "varchar",
    ),
    "start_at": "timestamptz",
    "end_at": "timestamptz",
    "billed_microusd": "int8",
    "effective_microusd": "int8",
    "list_microusd": "int8",
    "contracted_microusd": "int8",
    "quantity": "float8",
    **dict.fromkeys(("unit", "commitment", "commitment_category", "commitment_status"), "varchar"),
    "commitment_quantity": "float8",
    "tags": "jsonb",
}  # fmt: skip
DOCUMENT_KEY = ["document", "provider", "billing_account", "billing_start_at", "billing_end_at", "is_part"]


def write_bill_lines(organisation_id: int, ingest_batch_id: int, lines: pd.DataFrame) -> None:
    """Write lines of a document, and let it replace the documents before it if it is new and no part of them."""
    # Two documents of one period that come in at the same time must not replace each other.
    Organisation.objects.select_for_update().get(pk=organisation_id)
    numbers = lines.groupby(DOCUMENT_KEY, sort=False).ngroup()
    heads = lines[DOCUMENT_KEY].drop_duplicates().to_dict("records")
    ids = [_document(organisation_id, {str(name): value for name, value in head.items()}) for head in heads]
    rows = lines.assign(
        document_id=numbers.map(dict(enumerate(ids))), batch_id=ingest_batch_id, tags=lines["tags"].map(json.loads)
    )
    copy_frame("bill_line", LINE_COLUMNS, rows)


def restore_documents(organisation_id: int, lines: pd.DataFrame) -> int:
    """Let the documents of lines that were written before count again where others replaced them; returns how many."""
    Organisation.objects.select_for_update().get(pk=organisation_id)
    names = [name for name in DOCUMENT_KEY if name != "is_part"]
    restored = 0
    for head in lines[names].drop_duplicates().to_dict("records"):
        known = {str(name): value for name, value in head.items()}
        replaced = BillDocument.objects.filter(organisation_id=organisation_id, replaced_by__isnull=False, **known)
        for document in replaced:
            BillDocument.objects.filter(pk=document.pk).update(replaced_by=None)
            if not document.is_part:
                _replace_others(document)
            restored += 1
    return restored


def write_bill_rules(organisation_id: int, rules: pd.DataFrame) -> int:
    """Replace the map of bill lines as a whole; returns how many rules went and came, 0 where it is the same map."""
    rows = [
        {name: None if value is pd.NaT else value for name, value in row.items()} for row in rules.to_dict("records")
    ]
    known = BillRule.objects.filter(organisation_id=organisation_id)
    if sorted(rows, key=_position) == list(known.order_by("position").values(*rules.columns)):
        return 0
    gone, _ = known.delete()
    BillRule.objects.bulk_create([BillRule(organisation_id=organisation_id, **row) for row in rows])
    return gone + len(rows)


def _document(organisation_id: int, head: dict[str, Any]) -> int:
    document, is_new = BillDocument.objects.get_or_create(organisation_id=organisation_id, **head)
    if is_new and not head["is_part"]:
        _replace_others(document)
    return int(document.pk)


def _replace_others(document: BillDocument) -> None:
    """Let a document take the place of all others of its provider, account and billing period."""
    BillDocument.objects.filter(
        organisation_id=document.organisation_id,
        provider=document.provider,
        billing_account=document.billing_account,
        billing_start_at=document.billing_start_at,
        replaced_by__isnull=True,
    ).exclude(document=document.document).update(replaced_by=document)


def _position(rule: dict[Any, Any]) -> int:
    return int(rule["position"])
