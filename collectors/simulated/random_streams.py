"""Random numbers by purpose: the same seed and words give the same stream, whatever else was drawn."""

import hashlib

import numpy as np


def stream(seed: int, *purpose: str) -> np.random.Generator:
    """Return the generator of a purpose."""
    words = hashlib.sha256("/".join(purpose).encode()).digest()
    return np.random.default_rng([seed, int.from_bytes(words[:8], "big")])
