"""The month: what was spent day by day, what is expected, and the bands in which it will lie."""

from datetime import date, timedelta
from itertools import accumulate
from typing import Any

import numpy as np
import plotly.graph_objects as go

from aiobserve.domain.units import MICROUSD_PER_USD
from aiobserve.reports.forecast import MonthForecast
from dashboards.charts.style import GREY, SERIES, as_values

SPENT_COLOUR, AHEAD_COLOUR, BUDGET_COLOUR = SERIES[0], SERIES[1], SERIES[5]
# The wider band first, so that the narrower one lies on it.
BANDS = ((1, "95 %", "rgba(230,159,0,0.16)"), (0, "80 %", "rgba(230,159,0,0.30)"))


def outcome(month: MonthForecast, *, budget_microusd: int | None) -> dict[str, Any]:
    """Return the running total of the month in dollars, at the end of each day; with the budget as a line where there is one."""
    complete = list(accumulate(amount for _, amount in month.complete))
    reached = complete[-1] if complete else 0
    # The bands open where the last whole day ends.
    ahead_at = [_label(month.today - timedelta(days=1)), *(_label(day) for day, _ in month.ahead)]
    expected = list(accumulate((amount for _, amount in month.ahead), initial=reached))
    figure = go.Figure()
    for place, name, colour in BANDS:
        low = [reached, *(day[place][0] for day in month.bands)]
        high = [reached, *(day[place][1] for day in month.bands)]
        figure.add_scatter(
            x=ahead_at, y=_usd(high), mode="lines", line={"width": 0}, hoverinfo="skip", showlegend=False
        )
        figure.add_scatter(
            name=name, x=ahead_at, y=_usd(low), mode="lines", line={"width": 0}, fill="tonexty", fillcolor=colour,
            hoverinfo="skip",
        )  # fmt: skip
    figure.add_scatter(
        name="expected", x=ahead_at, y=_usd(expected), mode="lines", line={"color": AHEAD_COLOUR, "width": 2, "dash": "dash"},
        hovertemplate="%{y:,.0f} USD",
    )  # fmt: skip
    figure.add_scatter(
        name="spent", x=[_label(day) for day, _ in month.complete], y=_usd(complete), mode="lines+markers",
        line={"color": SPENT_COLOUR, "width": 3}, hovertemplate="%{y:,.0f} USD",
    )  # fmt: skip
    if budget_microusd is not None:
        edges = [_label(month.first), _label(month.end - timedelta(days=1))]
        figure.add_scatter(
            name="budget", x=edges, y=_usd([budget_microusd] * 2), mode="lines",
            line={"color": BUDGET_COLOUR, "width": 2, "dash": "dot"}, hovertemplate="%{y:,.0f} USD",
        )  # fmt: skip
    figure.update_layout(
        yaxis={"title": {"text": "USD since the 1st"}, "rangemode": "tozero"},
        xaxis={
            "type": "date",
            "range": [_label(month.first - timedelta(days=1)), _label(month.end)],
            "tickcolor": GREY,
        },
    )
    return as_values(figure)


def _usd(amounts: list[int]) -> np.ndarray:
    return np.round(np.array(amounts, dtype=np.float64) / MICROUSD_PER_USD, 2)


def _label(day: date) -> str:
    return day.isoformat()
