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


def write_bill_rules(organisation_id: int, rules: pd.DataFrame) -> None:
    """Replace the map of bill lines as a whole."""
    BillRule.objects.filter(organisation_id=organisation_id).delete()
    BillRule.objects.bulk_create(
        [
            BillRule(
                organisation_id=organisation_id,
                **{name: None if value is pd.NaT else value for name, value in row.items()},
            )
            for row in rules.to_dict("records")
        ]
    )


def _document(organisation_id: int, head: dict[str, Any]) -> int:
    document, is_new = BillDocument.objects.get_or_create(organisation_id=organisation_id, **head)
    if is_new and not head["is_part"]:
        BillDocument.objects.filter(
            organisation_id=organisation_id,
            provider=head["provider"],
            billing_account=head["billing_account"],
            billing_start_at=head["billing_start_at"],
            replaced_by__isnull=True,
        ).exclude(document=head["document"]).update(replaced_by=document)
    return int(document.pk)
