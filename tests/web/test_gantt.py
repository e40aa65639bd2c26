"""The plan as a chart: every job that runs has its own line, known by the number of its row in the table."""

from datetime import UTC, datetime, timedelta

from aiobserve.reports.schedule import PlanRow
from dashboards.charts.gantt import LABEL_LENGTH, gantt, shortened

NOW_AT = datetime(2026, 3, 2, tzinfo=UTC)


def row(name: str, action: str = "run_now") -> PlanRow:
    return PlanRow(
        f"{name}:1", name, "nlp", "lab", 1, action, NOW_AT, NOW_AT, NOW_AT + timedelta(hours=1), None, 0, 0, 0, 0, "why"
    )


def test_names_that_differ_at_their_end_read_differently_after_cutting() -> None:
    long = "batch-inference-of-the-catalogue-by-rerank-xl-queued"

    labels = [shortened(f"{long}-{number:02d}") for number in range(3)]

    assert len(set(labels)) == 3
    assert {len(label) for label in labels} == {LABEL_LENGTH}
    assert shortened("short") == "short"


def test_a_line_has_the_number_of_its_row_in_the_table_also_where_names_have_no_room() -> None:
    figure = gantt([row("first"), row("no-room", "no_capacity"), row("third", "deferred")], timezone="UTC")

    axis = figure["layout"]["yaxis"]
    assert axis["ticktext"] == ["1. first", "3. third"]
    assert figure["layout"]["meta"]["narrow"]["yaxis"]["ticktext"] == ["1", "3"]
    assert len(axis["tickvals"]) == 2


def test_a_hostile_name_is_text_in_label_and_hover() -> None:
    figure = gantt([row("<b>&")], timezone="UTC")

    assert figure["layout"]["yaxis"]["ticktext"] == ["1. &lt;b&gt;&amp;"]
    bar = next(trace for trace in figure["data"] if trace["type"] == "bar")
    assert bar["customdata"] == ["&lt;b&gt;&amp;<br>why"]
