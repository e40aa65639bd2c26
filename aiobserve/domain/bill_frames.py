"""The tables of a provider's bill: its lines, and which part of the ledger they stand for."""

from aiobserve.domain.schema import INSTANT, TEXT, Column, Schema

# Lines of a provider's bill. `document` names the file's content: a newer document of the same provider, billing account and
# billing period replaces the older one, unless it says that it is a part of it. Money is integer microdollars; a list or
# contracted cost that the bill does not state is missing. Text that the bill leaves out is empty; tags are a JSON object.
BILL_LINES = Schema(
    "bill_lines",
    {
        "document": Column(TEXT),
        "is_part": Column("bool", default=False),
        "position": Column("int64"),
        **{
            name: Column(TEXT)
            for name in (
                "provider", "billing_account", "sub_account", "sub_account_name", "service", "service_category", "resource",
                "sku", "region", "charge_category", "charge_class", "charge_frequency", "description", "invoice", "currency",
            )
        },
        "billing_start_at": Column(INSTANT),
        "billing_end_at": Column(INSTANT),
        "start_at": Column(INSTANT),
        "end_at": Column(INSTANT),
        "billed_microusd": Column("int64"),
        "effective_microusd": Column("int64"),
        "list_microusd": Column("Int64", nullable=True),
        "contracted_microusd": Column("Int64", nullable=True),
        "quantity": Column("float64", nullable=True),
        "unit": Column(TEXT),
        "commitment": Column(TEXT),
        "commitment_category": Column(TEXT),
        "commitment_status": Column(TEXT),
        "commitment_quantity": Column("float64", nullable=True),
        "tags": Column(TEXT),
    },
)  # fmt: skip

# Which bill lines stand for which part of the ledger, and since when. The first six are patterns as of a shell, empty
# for any; of several rules that fit the first in the order of `position` counts. `part` is one of BILL_PARTS.
BILL_RULES = Schema(
    "bill_rules",
    {
        "position": Column("int64"),
        "provider": Column(TEXT),
        "service": Column(TEXT),
        "resource": Column(TEXT),
        "sku": Column(TEXT),
        "sub_account": Column(TEXT),
        "region": Column(TEXT),
        "site": Column(TEXT),
        "node": Column(TEXT),
        "device_sku": Column(TEXT),
        "part": Column(TEXT),
        "valid_from_at": Column(INSTANT),
        "valid_to_at": Column(INSTANT, nullable=True),
    },
)
# Capacity is the GPUs' own; electricity and tokens are money of every component; none says that a line is no matter of the
# ledger, which leaves it unexplained but on purpose.
BILL_PARTS = ("capacity", "electricity", "api", "host", "network", "storage", "facility", "other", "none")
