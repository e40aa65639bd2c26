"""`aiobserve import`: what is taken in, what is refused, and what is said of it."""

from pathlib import Path

import pandas as pd
import pytest
from django.db import connection

from aiobserve.store.models import SignalValue
from aiobserve.store.read import fleet
from tests.collectors.test_contract import itp, power_files
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
               JOIN organisation ON organisation.id = organisation_id
               WHERE slug = 'imported' AND scope = %s ORDER BY start_at, batch_id DESC""",
            [zone],
        )
        return [value for (value,) in cursor.fetchall()]


def organisations() -> list[str]:
    return [one.slug for one in fleet.organisations()]


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


def test_the_rate_that_was_imported_last_counts_also_when_it_had_been_imported_before(run: Run, tmp_path: Path) -> None:
    path = euros(tmp_path)

    def told(rate: str) -> tuple[int, list[float]]:
        rows = answered(run("import", "--json", path, "--usd-per-unit", f"EUR={rate}"))["files"][0]["rows"]
        return rows, prices_in_force("DE-LU")

    first, other, restored, again = (told(rate) for rate in ("1.18", "1.3", "1.18", "1.18"))

    assert [first, other] == [(8, [59.0] * 4), (8, [65.0] * 4)]
    assert restored == (8, [59.0] * 4)
    assert again == (0, [59.0] * 4)
    # The American hours, which nobody revised, were written twice, once a rate, and the German ones thrice.
    steps = SignalValue.objects.filter(series__organisation__slug="imported")
    assert [steps.filter(series__scope=zone).count() for zone in ("US-MIDA-PJM", "DE-LU")] == [8, 12]


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


@pytest.mark.parametrize("slug", ["../x", "a/b", "", "-x", "Upper", "ümlaut", "x" * 64, "x\n", "٣"])
def test_a_slug_that_could_be_a_path_is_refused(run: Run, tmp_path: Path, slug: str) -> None:
    before = organisations()

    refused = run("import", euros(tmp_path), "--org", slug)

    assert refused.exit_code == 2
    assert "a-z, 0-9 and -" in refused.stderr
    assert organisations() == before


def test_files_that_cannot_be_read_make_no_organisation(run: Run, tmp_path: Path) -> None:
    (tmp_path / "tea.csv").write_text("tea,leaves\n1,2\n")
    jobs_without_power = itp(tmp_path)["path"]

    refused = run("import", "--json", str(tmp_path / "tea.csv"), str(tmp_path / "nowhere"), jobs_without_power)

    assert refused.exit_code == 1
    assert len(answered(refused)["failed"]) == 3
    assert "imported" not in organisations()


def test_a_file_of_which_every_entry_is_refused_has_failed_also_the_second_time(run: Run, tmp_path: Path) -> None:
    path = Path(euros(tmp_path))
    german = [line for line in path.read_text().splitlines(keepends=True) if "US-MIDA" not in line]
    path.write_text("".join(german))

    first, second = (run("import", "--json", str(path)) for _ in range(2))
    with_a_rate = run("import", "--json", str(path), "--usd-per-unit", "EUR=1.18")

    assert [one.exit_code for one in (first, second, with_a_rate)] == [1, 1, 0]
    assert answered(first)["files"][0]["rejected"] == 4
    for one in (first, second):
        assert [failed["error"] for failed in answered(one)["failed"]] == [
            f"{path}: every entry in it is refused; correct them and import it again"
        ]


@pytest.mark.parametrize(
    ("path", "said"),
    [
        ("/dev", "/dev: is a folder; give the paths of the files in it"),
        ("/dev/null", "/dev/null: is no regular file; "),
        ("/dev/nowhere.toml", "/dev/nowhere.toml: no such file; "),
    ],
)
def test_what_is_no_file_is_called_what_it_is(run: Run, path: str, said: str) -> None:
    refused = run("import", path)

    assert refused.exit_code == 1
    assert refused.stdout.startswith(f"NOT IMPORTED: {said}")


def test_power_without_its_jobs_is_said_and_not_passed_over(run: Run, tmp_path: Path) -> None:
    files = power_files(tmp_path)

    alone = run("import", files["power_path"], files["runs_path"])
    half = run("import", "--json", itp(tmp_path)["path"], files["power_path"])

    assert alone.exit_code == half.exit_code == 1
    assert alone.stdout.count("power needs the jobs that drew it in the same command") == 2
    assert "give a file of mlperf-runs too" in answered(half)["failed"][0]["error"]


def test_a_date_that_is_none_of_ours_is_refused(run: Run, tmp_path: Path) -> None:
    refused = run("import", euros(tmp_path), "--load-start", "9999-12-31")

    assert refused.exit_code == 2
    assert "no date of ours" in refused.stderr
