"""Signals and forecasts for replays: what is read, and how a bad file is answered."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from collectors.base import SourceGarbled
from collectors.traces.regular_signals import read_forecasts, read_signal, read_zones


def written(folder: Path, text: str) -> Path:
    path = folder / "signal.csv"
    path.write_text(text)
    return path


def test_a_signal_is_read_with_its_start_and_step(tmp_path: Path) -> None:
    signal = read_signal(written(tmp_path, "Time,Carbon Intensity\n2020-01-01 00:00:00,5\n2020-01-01 00:30:00,7\n"))

    assert (signal.start_at, signal.step_s) == (datetime(2020, 1, 1, tzinfo=UTC), 1800)
    assert signal.value.tolist() == [5, 7]


def test_finer_rows_can_be_left_out(tmp_path: Path) -> None:
    text = "Time,g\n2020-01-01 00:00,5\n2020-01-01 00:15,6\n2020-01-01 00:30,7\n2020-01-01 01:00,8\n"

    assert read_signal(written(tmp_path, text), every_s=1800).value.tolist() == [5, 7, 8]


def test_one_column_a_zone(tmp_path: Path) -> None:
    zones = read_zones(written(tmp_path, "datetime_utc,DE,FR\n2022-01-01T00:00,500,50\n2022-01-01T01:00,400,60\n"))

    assert zones.columns == ("DE", "FR")
    assert zones.value.tolist() == [[500, 50], [400, 60]]


def test_a_forecast_begins_anew_where_the_time_goes_back(tmp_path: Path) -> None:
    text = "Datetime (UTC),Carbon Intensity Forecast\n2021-02-01 00:00,1\n2021-02-01 01:00,2\n2021-02-01 01:00,3\n2021-02-01 02:00,4\n"

    issued = read_forecasts(written(tmp_path, text))

    assert [at.hour for at in issued.issued_at] == [0, 1]
    assert [values.tolist() for values in issued.value] == [[1, 2], [3, 4]]


def test_a_forecast_with_an_issue_column_is_read_by_it(tmp_path: Path) -> None:
    first = "2021-02-01 00:00,2021-02-01 00:00,1\n2021-02-01 00:00,2021-02-01 01:00,2\n"
    second = "2021-02-02 00:00,2021-02-02 00:00,3\n2021-02-02 00:00,2021-02-02 01:00,4\n"
    text = f"issue_time_utc,valid_time_utc,g\n{first}{second}"

    issued = read_forecasts(written(tmp_path, text))

    assert [at.day for at in issued.issued_at] == [1, 2]
    assert [values.tolist() for values in issued.value] == [[1, 2], [3, 4]]


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("when,g\n2020-01-01,5\n", "no time column"),
        ("time,g\n2020-01-01 00:00,5\n", "at least two"),
        ("time,g\n2020-01-01 00:00,5\n2020-01-01 01:00,\n", "row 2: g .* is no number"),
        ("time,g\n2020-01-01 00:00,5\nnever,6\n", "row 2: time 'never' is no instant"),
        ("time,g\n2020-01-01 00:00,5\n2020-01-01 01:00,6\n2020-01-01 03:00,7\n", "row 3 is 7200 s after"),
        ("time,g\n2020-01-01 01:00,5\n2020-01-01 00:00,6\n", "sort by time"),
        ("time,a,b\n2020-01-01 00:00,5,6\n2020-01-01 01:00,6,7\n", "which column holds the values"),
    ],
)
def test_a_bad_signal_says_what_is_wrong_where(tmp_path: Path, text: str, why: str) -> None:
    with pytest.raises(SourceGarbled, match=why):
        read_signal(written(tmp_path, text))


def test_a_column_that_is_not_there_is_answered_with_those_that_are(tmp_path: Path) -> None:
    path = written(tmp_path, "time,a,b\n2020-01-01 00:00,5,6\n2020-01-01 01:00,6,7\n")

    assert read_signal(path, column="b").value.tolist() == [6, 7]
    with pytest.raises(SourceGarbled, match="no column 'c'; there are time, a, b"):
        read_signal(path, column="c")
