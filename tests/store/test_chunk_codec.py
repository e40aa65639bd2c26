import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from aiobserve.store.chunk_codec import Readings, UnknownFormat, pack, unpack

N = 60


def readings(energy: np.ndarray, power: np.ndarray) -> Readings:
    at_us = 1_700_000_000_000_000 + np.arange(len(energy), dtype=np.int64) * 60_000_000
    return Readings(at_us, energy, power, np.full(len(energy), 0.25), np.full(len(energy), np.nan))


@given(
    energy=arrays(np.float64, N, elements=st.integers(0, 2**52).map(float)),
    power_mw=arrays(np.int64, N, elements=st.integers(0, 2_000_000)),
)
def test_what_is_packed_comes_back(energy: np.ndarray, power_mw: np.ndarray) -> None:
    packed = readings(energy, power_mw / 1000)

    back = unpack(pack(packed))

    assert (back.at_us == packed.at_us).all()
    assert (back.energy_millij == energy).all()
    assert np.allclose(back.power_w, packed.power_w, atol=1e-9)
    assert (back.utilisation_ratio == 0.25).all()
    assert np.isnan(back.memory_mib).all()


def test_a_missing_reading_stays_missing() -> None:
    energy = np.array([1.0, np.nan, 3.0])

    back = unpack(pack(readings(energy, np.array([np.nan, 2.0, 3.0]))))

    assert np.isnan(back.energy_millij).tolist() == [False, True, False]
    assert np.isnan(back.power_w).tolist() == [True, False, False]


def test_a_format_of_the_future_is_refused() -> None:
    with pytest.raises(UnknownFormat, match="upgrade aiobserve"):
        unpack(bytes([99]) + b"x")
