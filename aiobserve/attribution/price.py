"""The price of a GPU-hour in each window, from dated prices that may change inside it, as spot prices do."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import numpy as np
import numpy.typing as npt

FloatArray = npt.NDArray[np.float64]
Int64Array = npt.NDArray[np.int64]


class RateMissing(LookupError):
    """No price is known for a kind of GPU at a site and time."""


@dataclass(frozen=True)
class WindowPrice:
    """Price of one kind of device under one contract by window, shape (w,) each."""

    usd_per_gpu_hour: FloatArray
    list_usd_per_gpu_hour: FloatArray
    quality: npt.NDArray[np.int8]
    includes_electricity: npt.NDArray[np.bool_]


def price_in_windows(
    known: Mapping[str, npt.NDArray[Any]], *, sku: str, contract: str, site: str, edge_s: Int64Array
) -> WindowPrice:
    """Return the mean price of each window over time; the worst quality in it; electricity as at its start.

    A price of the device's own contract goes before one of none, a site's before one for all, a later one before an
    earlier one.

    Args:
        known: sku, contract, usd_per_gpu_hour, list_usd_per_gpu_hour (NaN: the same), includes_electricity, quality,
            of_site, valid_from_s, valid_to_s, shape (n,) each.
        edge_s: epoch seconds of the window edges, shape (w + 1,).

    Raises:
        RateMissing: in some window no price holds; the message says from when on.
    """
    theirs = (known["sku"] == sku) & ((known["contract"] == contract) | (known["contract"] == ""))
    theirs &= (known["valid_from_s"] < edge_s[-1]) & (known["valid_to_s"] > edge_s[0])
    order = np.lexsort((known["valid_from_s"], known["of_site"], known["contract"] == contract))
    rows = {name: values[order[theirs[order]]] for name, values in known.items()}
    changes = np.concatenate([edge_s, rows["valid_from_s"], rows["valid_to_s"]])
    at_s = np.unique(changes[(changes >= edge_s[0]) & (changes <= edge_s[-1])])
    start_s, length_s = at_s[:-1], np.diff(at_s)
    chosen = np.full(len(start_s), -1)
    for row, (from_s, to_s) in enumerate(zip(rows["valid_from_s"], rows["valid_to_s"], strict=True)):
        chosen[(start_s >= from_s) & (start_s < to_s)] = row
    if (chosen < 0).any():
        at = datetime.fromtimestamp(int(start_s[chosen < 0][0]), UTC).isoformat()
        under = f" under contract {contract}" if contract else ""
        raise RateMissing(
            f"no price per GPU-hour for {sku}{under} at {site} from {at} on; import one that is valid then"
        )
    window = np.searchsorted(edge_s, start_s, side="right") - 1
    windows = len(edge_s) - 1
    usd, listed = rows["usd_per_gpu_hour"], rows["list_usd_per_gpu_hour"]
    listed = np.where(np.isnan(listed), usd, listed)
    first = np.searchsorted(window, np.arange(windows))
    # A window with one price has that price, not a mean that rounding has touched.
    single = np.bincount(window, minlength=windows) == 1

    def mean(values: FloatArray) -> FloatArray:
        weighed = np.bincount(window, weights=values[chosen] * length_s, minlength=windows) / np.diff(edge_s)
        return np.where(single, values[chosen][first], weighed)

    quality = np.zeros(windows, dtype=np.int8)
    np.maximum.at(quality, window, rows["quality"][chosen])
    included = rows["includes_electricity"][chosen][first]
    return WindowPrice(mean(usd), mean(listed), quality, included)
