"""One bad row, whatever stands in it, is listed and never stops its neighbours."""

from pathlib import Path

import pytest

from collectors.base import SourceGarbled
from collectors.registry import make_collector
from collectors.traces.files import load
from tests.collectors.test_contract import MATERIAL, power_files

NAMES = ["nul\0", "x" * 101, None]
NUMBERS = [1e300, -1e300, float("inf"), float("nan")]
TIMES = ["2999-01-01 00:00:00+00:00", "1066-10-14 00:00:00+00:00", "never"]
FIELDS = [
    *(("itp-jobs", column, value) for column in ("cluster", "job_id") for value in NAMES),
    *(("itp-jobs", column, value) for column in ("submission_time", "duration", "num_gpu") for value in NUMBERS),
    *(("hourly-carbon", "zone", value) for value in NAMES),
    *(("hourly-carbon", "timestamp_utc", value) for value in TIMES),
    *(("hourly-carbon", "ci_lca_g_per_kwh", value) for value in NUMBERS),
    *(("electricity-prices", "zone", value) for value in NAMES),
    *(("electricity-prices", "timestamp_utc", value) for value in TIMES),
    *(("electricity-prices", "price_per_mwh", value) for value in NUMBERS),
    *(("pjm-carbon-forecast", "valid_time_utc", value) for value in TIMES),
    *(("pjm-carbon-forecast", "issue_time_utc", value) for value in TIMES),
    *(("servegen-load", "model", value) for value in NAMES),
    *(("servegen-load", "t_s", value) for value in NUMBERS),
    *(("servegen-load", "rate_rps", value) for value in NUMBERS[:3]),
]


def spoil(path: Path, column: str, value: object) -> None:
    """Put a value into one field of a file's second row."""
    frame = load(path)
    frame[column] = frame[column].astype("float64" if isinstance(value, float) else "str")
    frame.loc[1, column] = value
    frame.to_parquet(path)


@pytest.mark.parametrize(("source", "column", "value"), FIELDS)
def test_a_row_with_an_impossible_field_is_listed_and_its_neighbours_go_in(
    source: str, column: str, value: object, tmp_path: Path
) -> None:
    options = MATERIAL[source](tmp_path)
    spoil(Path(options["path"]), column, value)

    batches = list(make_collector(source, options).collect(None))

    refused = [one for batch in batches for one in batch.rejections]
    assert [one.position for one in refused] == [2]
    assert sum(batch.rows for batch in batches) > 0


def test_a_price_of_the_year_2999_does_not_make_millions_of_hours_missing(tmp_path: Path) -> None:
    options = MATERIAL["electricity-prices"](tmp_path)
    spoil(Path(options["path"]), "timestamp_utc", "2999-01-01 00:00:00+00:00")

    (batch,) = make_collector("electricity-prices", options).collect(None)

    assert [one.reason for one in batch.rejections] == [
        "time is not between 2000 and 2100",
    ]
    assert [one.steps for one in batch.gaps] == [1]


@pytest.mark.parametrize("gpus", [0.0, -8.0, float("nan"), 1e300])
def test_a_server_with_an_impossible_number_of_gpus_makes_no_power_model(gpus: float, tmp_path: Path) -> None:
    options = MATERIAL["itp-jobs"](tmp_path)
    runs = load(Path(power_files(tmp_path)["runs_path"])).assign(n_gpus=gpus)
    runs.to_csv(options["runs_path"], index=False)

    with pytest.raises(SourceGarbled, match="n_gpus"):
        make_collector("itp-jobs", options)
