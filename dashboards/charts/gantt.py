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


def gantt(rows: Sequence[PlanRow], *, timezone: str) -> dict[str, Any]:
    """Return the bars of the jobs that will run, in order of start, in the reader's zone."""
    shown = [row for row in rows if row.action != "no_capacity"]
    labels = [f"{i + 1}. {escaped(row.job_name[:LABEL_LENGTH])}" for i, row in enumerate(shown)]
    figure = go.Figure()
    for row, label in zip(shown, labels, strict=True):
        last_at = row.end_at + timedelta(seconds=row.slack_s or 0) if (row.slack_s or 0) > 0 else row.start_at
        figure.add_scatter(
            x=[_local(row.submitted_at, timezone), _local(last_at, timezone)], y=[label, label], mode="lines",
            line={"color": GREY, "width": 1}, hoverinfo="skip", showlegend=False,
        )  # fmt: skip
    for action, colour in ACTION_COLOURS.items():
        own = [(row, label) for row, label in zip(shown, labels, strict=True) if row.action == action]
        if not own:
            continue
        figure.add_bar(
            name=action.replace("_", " "),
            orientation="h",
            y=[label for _, label in own],
            base=[_local(row.start_at, timezone) for row, _ in own],
            x=np.array([(row.end_at - row.start_at).total_seconds() * MILLISECONDS_PER_SECOND for row, _ in own]),
            customdata=[escaped(row.reason) for row, _ in own],
            hovertemplate="%{y}<br>%{customdata}<extra></extra>",
            marker={"color": colour},
        )
    figure.update_layout(
        barmode="overlay",
        hovermode="closest",
        height=FRAME_HEIGHT + ROW_HEIGHT * len(shown),
        xaxis={"type": "date", "side": "top"},
        yaxis={
            "autorange": "reversed",
            "categoryorder": "array",
            "categoryarray": labels,
            "tickfont": {"size": 10},
            "automargin": True,
        },
    )
    values = as_values(figure)
    values["layout"]["margin"] |= {"t": 36, "l": 8}
    values["layout"]["legend"] |= {"y": -0.02}
    return values


def _local(at: datetime, timezone: str) -> str:
    return at.astimezone(ZoneInfo(timezone)).strftime("%Y-%m-%dT%H:%M")
