"""How many random examples the slow properties take. Not a test; `make worlds` sets AIOBSERVE_WORLDS and takes many more."""

import os

ORDINARY = 400
WORLDS = int(os.environ.get("AIOBSERVE_WORLDS", ORDINARY))


def examples(ordinary: int) -> int:
    """Return how many examples a property takes that takes so many in an ordinary run: ten times as many at 20,000 worlds."""
    return ordinary * max(1, WORLDS // (5 * ORDINARY))
