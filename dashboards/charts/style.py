"""What the charts share: colours that colour-blind people can tell apart, and text that cannot become markup."""

import json
import math
from typing import Any

import plotly.graph_objects as go

# Okabe and Ito's palette, without black and yellow, which vanish on one of the two backgrounds.
SERIES = ("#0072b2", "#e69f00", "#009e73", "#cc79a7", "#56b4e9", "#d55e00")
GREY = "#8c959f"
NARROW_PLOT_HEIGHT, AXIS_HEIGHT, LEGEND_ROW_HEIGHT, SHORT_NAME = 240, 52, 20, 12
PATTERNS = {"idle": "/", "overhead": "x", "unattributed": "."}
ACTION_COLOURS = {
    "deferred": "#009e73",
    "run_now": "#0072b2",
    "queued": "#56b4e9",
    "cannot_meet_deadline": "#d55e00",
    "no_capacity": "#cc79a7",
}


def escaped(text: str) -> str:
    """Return a name that Plotly, which reads some HTML in its texts, shows as it is."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def as_values(figure: go.Figure) -> dict[str, Any]:
    """Return a figure as plain values with the layout that all charts share.

    `meta.narrow` holds what is different where the chart is narrow; the page's script puts it in there.
    """
    if figure.layout.height is None:
        figure.update_layout(meta={"narrow": _narrow(figure)})
    figure.update_layout(
        template=None,
        margin={"l": 56, "r": 12, "t": 8, "b": 36},
        hovermode="x unified" if figure.layout.hovermode is None else figure.layout.hovermode,
        legend={"orientation": "h", "y": -0.18, "x": 0, "traceorder": "normal"},
        bargap=0.18,
    )
    values: dict[str, Any] = json.loads(figure.to_json())
    return values


def _narrow(figure: go.Figure) -> dict[str, Any]:
    """Return a layout with the legend in a room of its own, below the words of the axis; two columns of short names."""
    names = [trace.name or "" for trace in figure.data if trace.showlegend is not False]
    columns = 2 if max(map(len, names), default=0) <= SHORT_NAME else 1
    bottom = AXIS_HEIGHT + LEGEND_ROW_HEIGHT * math.ceil(len(names) / columns)
    return {
        "height": NARROW_PLOT_HEIGHT + bottom,
        "margin": {"b": bottom},
        "legend": {
            "yref": "container",
            "y": 0,
            "yanchor": "bottom",
            "entrywidthmode": "fraction",
            "entrywidth": 0.9 / columns,
        },
    }
