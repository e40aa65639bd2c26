"""Loads the simulated company's bill and budgets. One call for the demo and for tests; safe to repeat."""

from datetime import datetime

from aiobserve.ledger.budget import Budget
from aiobserve.pipeline.budgets import set_budget
from aiobserve.pipeline.collect import Collected, collect
from collectors.simulated.finance import BUDGETS, SimulatedBill


def load_finance(organisation_id: int, *, now_at: datetime) -> Collected:
    """Bring in the bill of the simulated company and set its budgets."""
    collected = collect(organisation_id, SimulatedBill(), now_at=now_at)
    for values in BUDGETS:
        set_budget(organisation_id, Budget(**values))
    return collected
