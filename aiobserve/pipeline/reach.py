"""How far new telemetry reaches: over a silence before or after it, whose energy it decides."""

from collections.abc import Iterable
from datetime import UTC, datetime

import numpy as np

from aiobserve.attribution.integrate import EnergyCurve
from aiobserve.domain.window import WINDOW, Span, window_ceiling, window_floor


def reach(curves: Iterable[EnergyCurve | None], dirty: Span) -> Span:
    """Return the windows that new telemetry decides, given that whoever wrote it marked a window more on either side.

    Between two samples the energy is known and its course is not. So a sample that ends a silence changes every window
    back to the sample before it, and one that begins a silence every window up to the next.

    Args:
        curves: of the devices of the site, read well beyond the dirty span.
        dirty: what was marked, in whole windows.
    """
    first_s, last_s = dirty.start_at.timestamp(), dirty.end_at.timestamp()
    inner_first_s, inner_last_s = first_s + WINDOW.total_seconds(), last_s - WINDOW.total_seconds()
    for curve in curves:
        if curve is None or not curve.at_s.size:
            continue
        start, end = np.searchsorted(curve.at_s, [inner_first_s, inner_last_s])
        if 0 < start < curve.at_s.size:
            first_s = min(first_s, float(curve.at_s[start - 1]))
        if 0 < end < curve.at_s.size:
            last_s = max(last_s, float(curve.at_s[end]))
    return Span(window_floor(_at(first_s)), window_ceiling(_at(last_s)))


def _at(second: float) -> datetime:
    return datetime.fromtimestamp(second, UTC)
