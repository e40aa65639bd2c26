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
    charged = charges.rename(columns={"kind": "account"})
    source = metered.assign(
        **{name: -metered[name] for name in MEASURES},
        account=np.int8(Account.METERED),
        component=np.int8(Component.OTHER),
        claimant=np.int64(-1),
        pool_id=np.int64(-1),
        energy_quality=np.int8(Quality.MEASURED),
        carbon_quality=np.int8(Quality.MEASURED),
        cost_quality=np.int8(Quality.MEASURED),
    )
    columns = [*POSTING_KEYS, *MEASURES]
    both = pd.concat([charged[columns], source[columns]], ignore_index=True)
    wrong = imbalances(both)
    if len(wrong):
        raise Unbalanced(
            f"{len(wrong)} windows do not balance, the first is {wrong.index[0]}: {wrong.iloc[0].to_dict()}"
        )
    return both
