"""The next 48 hours of a site: price above, intensity below, cheapest and cleanest hours marked."""

from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import plotly.graph_objects as go

from aiobserve.reports.windows import SiteOutlook
from dashboards.charts.style import as_values

PRICE_COLOUR, CARBON_COLOUR = "#0072b2", "#009e73"


def outlook_chart(site: SiteOutlook, *, timezone: str) -> dict[str, Any]:
    """Return two step lines over a shared axis in the reader's zone."""
    at = [_local(start, timezone) for start in site.start_at]
    figure = go.Figure()
    for name, unit, values, best_at, colour, axis in (
        ("electricity price", "USD/MWh", site.usd_per_mwh, site.cheapest_at(), PRICE_COLOUR, "y"),
        ("carbon intensity", "gCO2e/kWh", site.g_per_kwh, site.cleanest_at(), CARBON_COLOUR, "y2"),
    ):
        figure.add_scatter(
            name=name, x=at, y=np.array(values), yaxis=axis, mode="lines", line={"shape": "hv", "color": colour, "width": 2},
            hovertemplate=f"%{{y:,.1f}} {unit}",
        )  # fmt: skip
        if best_at is not None:
            lowest = values[site.start_at.index(best_at)]
            figure.add_scatter(
                name="cheapest hour" if axis == "y" else "cleanest hour", x=[_local(best_at, timezone)], y=[lowest], yaxis=axis,
                mode="markers", marker={"size": 11, "color": colour, "symbol": "diamond"}, hoverinfo="skip",
            )  # fmt: skip
    figure.update_layout(
        yaxis={"domain": [0.56, 1], "title": {"text": "USD/MWh"}},
        yaxis2={"domain": [0, 0.44], "title": {"text": "g/kWh"}, "anchor": "x"},
        xaxis={"anchor": "y2", "type": "date"},
    )
    return as_values(figure)


def _local(at: datetime, timezone: str) -> str:
    return at.astimezone(ZoneInfo(timezone)).strftime("%Y-%m-%dT%H:%M")
