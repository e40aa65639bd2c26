"""Stacked bars by day: cost or carbon by team, with idle, overhead and unattributed set apart by a pattern."""

from collections.abc import Callable, Sequence
from datetime import date
from typing import Any

import numpy as np
import plotly.graph_objects as go

from aiobserve.reports.amounts import Amounts
from aiobserve.reports.spend import SpendRow
from dashboards.charts.style import GREY, PATTERNS, SERIES, as_values, escaped

OTHERS = "others"
LARGEST_SERIES = len(SERIES)


def daily(
    rows: Sequence[SpendRow], days: Sequence[date], *, value: Callable[[Amounts], float], unit: str
) -> dict[str, Any]:
    """Return the bars of every day of the scope, also of days without any amount.

    Args:
        rows: by day, account and team.
        value: the height of an amount in `unit`.
    """
    index = {day.isoformat(): i for i, day in enumerate(days)}
    heights: dict[str, np.ndarray] = {}
    for row in rows:
        series = heights.setdefault(series_of(row), np.zeros(len(days)))
        series[index[row.keys["day"]]] += value(row.amounts)
    figure = go.Figure()
    for number, (name, height) in enumerate(_few(heights)):
        figure.add_bar(
            name=escaped(name),
            x=[day.isoformat() for day in days],
            y=np.round(height, 4),
            marker=_marker(name, number),
            hovertemplate=f"%{{y:,.2f}} {unit}",
        )
    figure.update_layout(
        barmode="relative", yaxis={"title": {"text": unit}, "rangemode": "tozero"}, xaxis={"type": "date"}
    )
    return as_values(figure)


def series_of(row: SpendRow) -> str:
    """Return the team of a row, or its account where no team bears it."""
    return row.keys["team"] or row.keys["account"]


def _few(heights: dict[str, np.ndarray]) -> list[tuple[str, np.ndarray]]:
    """Return at most six teams by size, the rest together, then what no team bears."""
    teams = sorted((name for name in heights if name not in PATTERNS), key=lambda name: -heights[name].sum())
    shown = [(name, heights[name]) for name in teams[:LARGEST_SERIES]]
    rest = [heights[name] for name in teams[LARGEST_SERIES:]]
    if rest:
        shown.append((OTHERS, np.sum(rest, axis=0)))
    return shown + [(name, heights[name]) for name in PATTERNS if name in heights]


def _marker(name: str, number: int) -> dict[str, Any]:
    if name in PATTERNS:
        pattern = {"shape": PATTERNS[name], "fgcolor": GREY, "bgcolor": "rgba(140,149,159,0.25)", "size": 6}
        return {"color": GREY, "pattern": pattern}
    return {"color": SERIES[number] if number < len(SERIES) else GREY}
