"""Take independent noise of a known size out of a forecast, as far as the forecast itself shows that this helps."""

import numpy as np
import numpy.typing as npt

FloatArray = npt.NDArray[np.float64]

WIDTHS = (1, 5, 7, 9, 13, 17)


def smoothed(forecast: FloatArray, *, width: int) -> FloatArray:
    """Return the local parabola through `width` neighbours of each value (Savitzky and Golay); 1 changes nothing."""
    if width == 1:
        return forecast
    half = width // 2
    ends = np.pad(forecast, half, mode="reflect")
    return np.convolve(ends, _weights(width)[::-1], "valid")


def best_width(forecast: FloatArray, *, error: float) -> int:
    """Return the width with the least expected squared error, given the standard deviation of the noise.

    Source:
        Stein's unbiased risk estimate: mean (y - Hy)^2 + 2 s^2 tr(H) / n - s^2; it needs no truth to compare with.
    """
    usable = [width for width in WIDTHS if width <= len(forecast)]

    def risk(width: int) -> float:
        centre = 1.0 if width == 1 else float(_weights(width)[width // 2])
        return float(np.mean((forecast - smoothed(forecast, width=width)) ** 2)) + 2 * error**2 * centre - error**2

    return min(usable, key=risk)


def _weights(width: int) -> FloatArray:
    offset = np.arange(width) - width // 2
    return np.linalg.pinv(np.vander(offset, 3, increasing=True).astype(np.float64))[0]
