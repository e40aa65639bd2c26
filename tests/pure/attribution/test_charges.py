"""Summing rows into charges: one a combination of keys, whatever the keys are."""

import tracemalloc

import numpy as np

from aiobserve.attribution.charges import KEYS, Rows, summed

ROWS = 4


def rows(**keys: list[int]) -> Rows:
    given = {name: np.zeros(ROWS, dtype=np.int64) for name in KEYS} | {
        name: np.array(values, dtype=np.int64) for name, values in keys.items()
    }
    return Rows(given, {"energy_millij": np.array([1, 10, 100, 1000])})


def test_rows_of_the_same_keys_are_one() -> None:
    found = summed(rows(claimant=[3, 3, 3, -1], window_start_s=[0, 900, 0, 0]))

    sums = zip(found.keys["claimant"], found.keys["window_start_s"], found.measures["energy_millij"], strict=True)
    assert {(int(who), int(at)): int(energy) for who, at, energy in sums} == {(3, 0): 101, (3, 900): 10, (-1, 0): 1000}


def test_ids_of_pools_that_lie_far_apart_take_no_memory() -> None:
    tracemalloc.start()
    found = summed(rows(pool_id=[-1, 50_000_000, 7, 50_000_000]))
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()

    sums = zip(found.keys["pool_id"], found.measures["energy_millij"], strict=True)
    assert {int(pool): int(energy) for pool, energy in sums} == {-1: 1, 50_000_000: 1010, 7: 100}
    assert peak < 1_000_000
