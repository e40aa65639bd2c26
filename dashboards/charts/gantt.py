"""The plan: a bar a job from its start to its end, and a thin line from its submission and on to its deadline."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import plotly.graph_objects as go

from aiobserve.reports.schedule import PlanRow
from dashboards.charts.style import ACTION_COLOURS, GREY, as_values, escaped

MILLISECONDS_PER_SECOND = 1000
ROW_HEIGHT, FRAME_HEIGHT = 16, 90
LABEL_LENGTH = 40
BAR_HEIGHT = 0.8


def gantt(rows: Sequence[PlanRow], *, timezone: str) -> dict[str, Any]:
    """Return the bars of the jobs that will run, in order of start, in the reader's zone.

    Each has the number of its row in the table; where there is no room for names, the number stands alone.
    """
    numbered = [(number, row) for number, row in enumerate(rows, start=1) if row.action != "no_capacity"]
    shown = list(enumerate(row for _, row in numbered))
    figure = go.Figure()
    for line, row in shown:
        last_at = row.end_at + timedelta(seconds=row.slack_s or 0) if (row.slack_s or 0) > 0 else row.start_at
        figure.add_scatter(
            x=[_local(row.submitted_at, timezone), _local(last_at, timezone)], y=[line, line], mode="lines",
            line={"color": GREY, "width": 1}, hoverinfo="skip", showlegend=False,
        )  # fmt: skip
    for action, colour in ACTION_COLOURS.items():
        own = [(line, row) for line, row in shown if row.action == action]
        if not own:
            continue
        figure.add_bar(
            name=action.replace("_", " "),
            orientation="h",
            y=np.array([line for line, _ in own]),
            width=BAR_HEIGHT,
            base=[_local(row.start_at, timezone) for _, row in own],
            x=np.array([(row.end_at - row.start_at).total_seconds() * MILLISECONDS_PER_SECOND for _, row in own]),
            customdata=[f"{escaped(row.job_name)}<br>{escaped(row.reason)}" for _, row in own],
            hovertemplate="%{customdata}<extra></extra>",
            marker={"color": colour},
        )
    figure.update_layout(
        barmode="overlay",
        hovermode="closest",
        height=FRAME_HEIGHT + ROW_HEIGHT * len(shown),
        xaxis={"type": "date", "side": "top"},
        yaxis={
            "range": [len(shown) - 0.5, -0.5],
            "tickvals": [line for line, _ in shown],
            "ticktext": [f"{number}. {escaped(shortened(row.job_name))}" for number, row in numbered],
            "tickfont": {"size": 10},
            "automargin": True,
            "zeroline": False,
        },
        meta={"narrow": {"yaxis": {"ticktext": [str(number) for number, _ in numbered]}, "xaxis": {"nticks": 4}}},
    )
    values = as_values(figure)
    values["layout"]["margin"] |= {"t": 36, "l": 8}
    values["layout"]["legend"] |= {"y": -0.02}
    return values


def shortened(name: str) -> str:
    """Return a name of limited length; names of one kind differ at their end, so the middle is left out."""
    if len(name) <= LABEL_LENGTH:
        return name
    kept = LABEL_LENGTH - 1
    return f"{name[: kept - kept // 2]}…{name[-(kept // 2) :]}"


def _local(at: datetime, timezone: str) -> str:
    return at.astimezone(ZoneInfo(timezone)).strftime("%Y-%m-%dT%H:%M")
