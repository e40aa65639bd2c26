"""How far new telemetry reaches: over a silence before or after it, whose energy it decides."""

from datetime import UTC, datetime

from aiobserve.attribution.series import Series
from aiobserve.domain.units import MICROSECONDS_PER_SECOND
from aiobserve.domain.window import WINDOW, Span, window_ceiling, window_floor


def reach(series: Series, dirty: Span) -> Span:
    """Return the windows that new telemetry decides, given that whoever wrote it marked a window more on either side.

    Between two samples the energy is known and its course is not. So a sample that ends a silence changes every window
    back to the sample before it, and one that begins a silence every window up to the next.

    Args:
        series: readings of the devices of the site, in order of time, from well beyond the dirty span.
        dirty: what was marked, in whole windows.
    """
    first_us, last_us = (int(at.timestamp() * MICROSECONDS_PER_SECOND) for at in (dirty.start_at, dirty.end_at))
    margin_us = int(WINDOW.total_seconds() * MICROSECONDS_PER_SECOND)
    inner = (first_us + margin_us, last_us - margin_us)
    bounds = series.offset.tolist()
    for begin, stop in zip(bounds[:-1], bounds[1:], strict=True):
        at_us = series.at_us[begin:stop]
        start, end = at_us.searchsorted(inner)
        if 0 < start < len(at_us):
            first_us = min(first_us, int(at_us[start - 1]))
        if 0 < end < len(at_us):
            last_us = max(last_us, int(at_us[end]))
    return Span(window_floor(_at(first_us)), window_ceiling(_at(last_us)))


def _at(epoch_us: int) -> datetime:
    return datetime.fromtimestamp(epoch_us / MICROSECONDS_PER_SECOND, UTC)
