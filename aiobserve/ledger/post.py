"""Turn charges into the two sides of an entry: what is charged, and what was metered."""

import numpy as np
import pandas as pd

from aiobserve.domain.account import MEASURES, Account, Component
from aiobserve.domain.quality import Quality
from aiobserve.ledger.balance import Unbalanced, imbalances

# Postings carry the charge's columns; `kind` is the account.
POSTING_KEYS = (
    "window_start_s", "account", "component", "claimant", "pool_id", "energy_quality", "carbon_quality", "cost_quality",
)  # fmt: skip


def postings(charges: pd.DataFrame, metered: pd.DataFrame) -> pd.DataFrame:
    """Return the postings of one attribution: each charge, and what was metered with the opposite sign.

    Args:
        charges: `domain.frames.CHARGES`.
        metered: the measures by `window_start_s`, reckoned before anything was split.

    Raises:
        Unbalanced: a window does not sum to zero; that would be a fault of ours and nothing may be posted.
    """
    same = {
        "account": Account.METERED, "component": Component.OTHER, "claimant": -1, "pool_id": -1,
        "energy_quality": Quality.MEASURED, "carbon_quality": Quality.MEASURED, "cost_quality": Quality.MEASURED,
    }  # fmt: skip
    columns = {"window_start_s": [charges["window_start_s"].to_numpy(), metered["window_start_s"].to_numpy()]}
    for name in POSTING_KEYS[1:]:
        charged = charges["kind" if name == "account" else name].to_numpy()
        columns[name] = [charged, np.full(len(metered), same[name], charged.dtype)]
    for name in MEASURES:
        columns[name] = [charges[name].to_numpy(), -metered[name].to_numpy()]
    both = pd.DataFrame({name: np.concatenate(pair) for name, pair in columns.items()}, copy=False)
    wrong = imbalances(both)
    if len(wrong):
        raise Unbalanced(
            f"{len(wrong)} windows do not balance, the first is {wrong.index[0]}: {wrong.iloc[0].to_dict()}"
        )
    return both
