"""What perfect knowledge of a signal would save: the least that a job of one length can cost, for every arrival.

These are bounds, not plans: no policy can do better. Time is axis 0, one step a slot; zones, if any, are axis 1.
"""

import numpy as np
import numpy.typing as npt
from numpy.lib.stride_tricks import sliding_window_view

FloatArray = npt.NDArray[np.float64]


class SignalTooShort(ValueError):
    """The signal has fewer slots than the job has to run."""


def run_totals(signal: FloatArray, *, length: int) -> FloatArray:
    """Return the sum over `length` slots from each start on, shape (n - length + 1, ...).

    Raises:
        SignalTooShort: the signal has fewer than `length` slots.
    """
    if length > len(signal):
        raise SignalTooShort(f"a job of {length} slots does not fit into a signal of {len(signal)}; give a longer one")
    before = np.concatenate([np.zeros((1, *signal.shape[1:])), np.cumsum(signal, axis=0)])
    return before[length:] - before[:-length]


def least_contiguous(signal: FloatArray, *, length: int, slack: int) -> FloatArray:
    """Return for each arrival the least total of one run that starts at most `slack` slots later, shape (n - length + 1, ...).

    Near the end of the signal only the starts that fit are considered.
    """
    totals = run_totals(signal, length=length)
    beyond = np.full((slack, *totals.shape[1:]), np.inf)
    windows = sliding_window_view(np.concatenate([totals, beyond]), slack + 1, axis=0)
    return windows.min(axis=-1)


def least_interruptible(signal: FloatArray, *, length: int, slack: int) -> FloatArray:
    """Return for each arrival the sum of the `length` least slots among the next `length + slack`, shape (n - length + 1, ...).

    Pausing and resuming is free here, so this is below every other plan. One zone at a time, which bounds the memory.
    """
    if length > len(signal):
        raise SignalTooShort(f"a job of {length} slots does not fit into a signal of {len(signal)}; give a longer one")
    flat = signal.reshape(len(signal), -1)
    beyond = np.full(slack, np.inf)
    found = np.empty((len(signal) - length + 1, flat.shape[1]))
    for zone in range(flat.shape[1]):
        windows = sliding_window_view(np.concatenate([flat[:, zone], beyond]), length + slack)
        found[:, zone] = np.partition(windows, length - 1, axis=1)[:, :length].sum(axis=1)
    return found.reshape(-1, *signal.shape[1:])
