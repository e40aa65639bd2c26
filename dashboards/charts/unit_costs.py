"""Bars of what a million tokens cost, by model: input, cached and output beside each other."""

from collections.abc import Sequence
from typing import Any

import plotly.graph_objects as go

from aiobserve.reports.units import BOUGHT, CLASSES, UnitRow
from dashboards.charts.style import SERIES, as_values, escaped

COLOURS = dict(zip(CLASSES, (SERIES[0], SERIES[4], SERIES[1]), strict=True))
ROW_HEIGHT, FRAME_HEIGHT = 62, 90


def unit_cost_chart(rows: Sequence[UnitRow]) -> dict[str, Any]:
    """Return three bars a model, on a logarithmic axis: prices of kinds and models lie decades apart."""
    names = [escaped(_name(row)) for row in rows]
    figure = go.Figure()
    for name in CLASSES:
        prices = [getattr(row, name).usd_per_million for row in rows]
        figure.add_bar(
            name=name,
            orientation="h",
            y=names,
            x=[float(price) if price else None for price in prices],
            marker={"color": COLOURS[name]},
            hovertemplate="%{x:$,.4f} per 1M tokens",
        )
    figure.update_layout(
        barmode="group",
        hovermode="closest",
        height=FRAME_HEIGHT + ROW_HEIGHT * max(len(rows), 1),
        xaxis={"type": "log", "title": {"text": "USD per million tokens, logarithmic"}, "tickformat": "$,.4~g"},
        yaxis={"autorange": "reversed", "automargin": True},
    )
    values = as_values(figure)
    values["layout"]["legend"] = {"orientation": "h", "y": 1.02, "yanchor": "bottom", "x": 0, "traceorder": "normal"}
    values["layout"]["margin"] = {"l": 56, "r": 12, "t": 34, "b": 48}
    return values


def _name(row: UnitRow) -> str:
    model = row.keys["model"] or "no model named"
    return f"{model}, bought" if row.keys["gpu"] == BOUGHT else f"{model} on {row.keys['gpu'] or 'unknown GPU'}"


def output_price_chart(rows: Sequence[UnitRow]) -> dict[str, Any]:
    """Return a line a model: dollars per million generated tokens, day by day."""
    lines: dict[str, list[tuple[str, float | None]]] = {}
    for row in rows:
        price = row.output.usd_per_million
        lines.setdefault(row.keys["model"], []).append((row.keys["day"], float(price) if price else None))
    figure = go.Figure()
    for number, (name, points) in enumerate(sorted(lines.items())):
        figure.add_scatter(
            name=escaped(name or "no model named"),
            x=[day for day, _ in points],
            y=[price for _, price in points],
            mode="lines+markers",
            line={"color": SERIES[number % len(SERIES)], "width": 2},
            hovertemplate="%{y:$,.4f}",
        )
    figure.update_layout(
        xaxis={"type": "date"}, yaxis={"type": "log", "title": {"text": "USD per 1M output"}, "tickformat": "$,.4~g"}
    )
    return as_values(figure)
