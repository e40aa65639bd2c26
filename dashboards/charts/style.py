"""What the charts share: colours that colour-blind people can tell apart, and text that cannot become markup."""

import json
from typing import Any

import plotly.graph_objects as go

# Okabe and Ito's palette, without black and yellow, which vanish on one of the two backgrounds.
SERIES = ("#0072b2", "#e69f00", "#009e73", "#cc79a7", "#56b4e9", "#d55e00")
GREY = "#8c959f"
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
    """Return a figure as plain values with the layout that all charts share."""
    figure.update_layout(
        template=None,
        margin={"l": 56, "r": 12, "t": 8, "b": 36},
        hovermode="x unified" if figure.layout.hovermode is None else figure.layout.hovermode,
        legend={"orientation": "h", "y": -0.18, "x": 0, "traceorder": "normal"},
        bargap=0.18,
    )
    values: dict[str, Any] = json.loads(figure.to_json())
    return values
