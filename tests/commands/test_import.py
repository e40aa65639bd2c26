"""`aiobserve import`: what is taken in, what is refused, and what is said of it."""

from pathlib import Path

import pandas as pd
import pytest
from django.db import connection

from tests.commands.conftest import Run, answered


def euros(folder: Path) -> str:
    """Write four hours of German prices, 50 euros each, beside four American ones; return the path."""
    hours = pd.date_range("2021-03-04", periods=4, freq="h", tz="UTC")
    row = {"raw_datetime": "x", "timestamp_utc": hours}
    german = pd.DataFrame({"zone": "DE-LU", "price_per_mwh": 50.0, "currency": "EUR", **row})
    american = pd.DataFrame({"zone": "US-MIDA-PJM", "price_per_mwh": 30.0, "currency": "USD", **row})
    path = folder / "prices.csv"
    pd.concat([german, american]).to_csv(path, index=False)
    return str(path)


def prices_in_force(zone: str) -> list[float]:
    """Return the values of a zone's steps that count: the latest revision of each."""
    with connection.cursor() as cursor:
        cursor.execute(
            """SELECT DISTINCT ON (start_at) value FROM signal_value JOIN signal_series AS s ON s.id = series_id
               WHERE scope = %s ORDER BY start_at, batch_id DESC""",
            [zone],
        )
        return [value for (value,) in cursor.fetchall()]


def test_a_rate_that_is_given_later_or_corrected_is_taken_in(run: Run, tmp_path: Path) -> None:
    path = euros(tmp_path)

    run("import", "--json", path)
    without = prices_in_force("DE-LU")
    run("import", "--json", path, "--usd-per-unit", "EUR=1.18")
    with_rate = prices_in_force("DE-LU")
    run("import", "--json", path, "--usd-per-unit", "EUR=1.3")
    corrected = prices_in_force("DE-LU")

    assert (without, with_rate, corrected) == ([], [59.0] * 4, [65.0] * 4)
    assert prices_in_force("US-MIDA-PJM") == [30.0] * 4


def test_the_same_rate_twice_takes_in_nothing_twice(run: Run, tmp_path: Path) -> None:
    path = euros(tmp_path)
    run("import", "--json", path, "--usd-per-unit", "EUR=1.18")

    again = answered(run("import", "--json", path, "--usd-per-unit", "EUR=1.18", "--usd-per-unit", "JPY=0.0092"))

    assert (again["files"][0]["rows"], again["files"][0]["new_batches"]) == (0, 0)


@pytest.mark.parametrize(
    ("rates", "said"),
    [
        (["EUR=-5"], "a rate is a number above zero"),
        (["EUR=nan"], "a rate is a number above zero"),
        (["EUR=inf"], "a rate is a number above zero"),
        (["EUR=0"], "a rate is a number above zero"),
        (["EUR"], "write it as EUR=1.18"),
        (["=1.18"], "by its three letters"),
        (["USD=2"], "other than USD"),
        (["EUR=1.1", "EUR=1.2"], "EUR has a rate already"),
    ],
)
def test_a_rate_that_is_none_is_refused(run: Run, tmp_path: Path, rates: list[str], said: str) -> None:
    options = [word for rate in rates for word in ("--usd-per-unit", rate)]

    refused = run("import", euros(tmp_path), *options)

    assert refused.exit_code == 2
    assert said in " ".join(refused.stderr.split())


def test_refused_rows_are_counted_by_row_and_missing_hours_apart(run: Run, tmp_path: Path) -> None:
    path = euros(tmp_path)
    lines = Path(path).read_text().splitlines(keepends=True)
    Path(path).write_text("".join(line for i, line in enumerate(lines) if i not in (6, 7)))

    counted = answered(run("import", "--json", path))["files"][0]
    said = run("import", path, "--org", "another")

    assert {name: counted[name] for name in ("rows", "rejected", "gaps", "missing_steps")} == {
        "rows": 2,
        "rejected": 4,
        "gaps": 1,
        "missing_steps": 2,
    }
    assert "2 rows in, 4 refused, 2 hours missing (gaps: 1)" in said.stdout
