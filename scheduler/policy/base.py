"""What a policy is: a name, a sentence, the signals it goes by, and the worth of a kWh in each slot."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

FloatArray = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Policy:
    """A rule that says which slots are better.

    Attributes:
        needs: which forecasts of a pool it goes by; empty means that nothing is moved.
        worth: (usd_per_mwh, g_per_kwh), shape (n,) each, to the cost of one kWh in each slot, shape (n,), in
            one unit of the policy's own.
    """

    name: str
    sentence: str
    needs: tuple[str, ...]
    worth: Callable[[FloatArray, FloatArray], FloatArray]
