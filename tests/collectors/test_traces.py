"""Files as they are: good rows go in, bad ones are listed by position, nothing stops the rest."""

from pathlib import Path

import pandas as pd
import pytest

from collectors.base import Batch, SourceGarbled, SourceRefused, SourceUnavailable
from collectors.registry import make_collector
from collectors.traces import itp as itp_reader
from collectors.traces.carbon import HourlyCarbon, PjmForecast
from collectors.traces.detect import detect
from collectors.traces.electricity_price import ElectricityPrices
from collectors.traces.itp import parse, peak_gpus
from collectors.traces.mlperf_power import read_power_model
from tests.collectors.test_contract import MATERIAL, catalogue, itp, power_files, prices

ITP_COLUMNS = list(itp_reader.COLUMNS)


def jobs(*rows: tuple[object, ...]) -> pd.DataFrame:
    return pd.DataFrame(list(rows), columns=ITP_COLUMNS)


def test_bad_jobs_are_listed_by_row_and_reason_and_their_neighbours_go_in() -> None:
    good, rejected = parse(
        jobs(
            ("c", "good", 0, 3600, 1),
            ("c", "no-length", 0, 0, 1),
            ("c", "backwards", 0, -5, 1),
            ("c", "half-a-gpu", 0, 60, 1.5),
            ("c", "no-gpu", 0, 60, 0),
            ("c", "no-time", float("nan"), 60, 1),
            ("c", "words", 0, "soon", 1),
            (None, "nobody", 0, 60, 1),
            ("c", "nul\0", 0, 60, 1),
            ("c", "good", 5, 60, 1),
            ("c", "also-good", 0, 60, 8),
        )
    )

    assert good["job_id"].tolist() == ["good", "also-good"]
    assert [one.position for one in rejected] == [2, 3, 4, 5, 6, 7, 8, 9, 10]
    assert rejected[0].reason == "duration is not between 1 s and 400 days"
    assert rejected[-1].reason == "job id stands twice"
    assert "backwards" in rejected[1].excerpt


def test_a_pool_is_as_large_as_its_busiest_moment_in_whole_servers(tmp_path: Path) -> None:
    catalogue_batch, *_ = make_collector("itp-jobs", itp(tmp_path)).collect(None)

    devices = catalogue_batch.frames["devices"].set_index("device_uid")
    assert devices.loc["pool:cluster01", "capacity_millis"] == 8_000
    assert devices.loc["pool:cluster02", "capacity_millis"] == 8_000
    assert (devices.loc["pool:cluster01", "idle_w"], devices.loc["pool:cluster01", "active_w"]) == (20.0, 100.0)


def test_a_job_that_ends_gives_way_to_one_that_starts_then() -> None:
    good, _ = parse(jobs(("c", "a", 0, 100, 4), ("c", "b", 100, 100, 4), ("c", "d", 150, 10, 1)))

    assert peak_gpus(good) == 5


def test_jobs_come_in_small_batches_so_that_a_killed_import_goes_on_in_the_middle(tmp_path: Path) -> None:
    options = itp(tmp_path)
    many = jobs(*(("c", f"job-{i}", i, 600, 1) for i in range(12_000)))
    many.to_parquet(options["path"])

    batches = list(make_collector("itp-jobs", options).collect(None))

    assert [len(batch.frames["jobs"]) for batch in batches[1:]] == [5_000, 5_000, 2_000]


def test_jobs_without_a_power_trace_are_refused(tmp_path: Path) -> None:
    options = {key: value for key, value in itp(tmp_path).items() if "power" not in key and "runs" not in key}

    with pytest.raises(SourceRefused, match="import a power trace in the same command"):
        list(make_collector("itp-jobs", options).collect(None))


def test_the_power_model_counts_a_measurement_that_is_listed_twice_once(tmp_path: Path) -> None:
    options = power_files(tmp_path)

    model = read_power_model(Path(options["power_path"]), Path(options["runs_path"]))

    assert (model.active_w, model.idle_w) == (100.0, 20.0)


def test_a_forecast_never_reads_what_nobody_knew_at_its_issue(tmp_path: Path) -> None:
    (batch,) = make_collector("pjm-carbon-forecast", MATERIAL["pjm-carbon-forecast"](tmp_path)).collect(None)

    assert not any("actual" in column for column in PjmForecast.columns)
    assert (batch.frames["signals"]["issued_at"] == pd.Timestamp("2021-03-04", tz="UTC")).all()


def test_a_forecast_of_the_past_is_refused() -> None:
    raw = pd.DataFrame(
        {"issue_time_utc": ["2021-03-04"], "valid_time_utc": ["2021-03-03"], "ci_direct_forecast_g_per_kwh": [400]}
    )

    parsed = PjmForecast(Path("x")).parse(raw)

    assert parsed.signals.empty
    assert parsed.rejections[0].reason == "a forecast of an hour before its issue"


def test_doubled_and_missing_and_absurd_hours_are_listed() -> None:
    hours = ["2021-03-04 00:00", "2021-03-04 00:00", "2021-03-04 04:00", "2021-03-04 05:00", "never"]
    raw = pd.DataFrame(
        {"timestamp_utc": hours, "zone": "Z", "ci_direct_g_per_kwh": [1.0, 2, 3, -4, 5], "ci_lca_g_per_kwh": 9.0}
    )

    parsed = HourlyCarbon(Path("x")).parse(raw)

    assert len(parsed.signals) == 4
    assert [(one.position, one.reason) for one in parsed.rejections] == [
        (2, "the hour stands twice"),
        (4, "intensity is not between 0 and 2000 g/kWh"),
        (5, "no time or zone"),
    ]
    assert [(one.position, one.reason, one.steps) for one in parsed.gaps] == [
        (1, "3 hours of carbon intensity of Z are missing after 2021-03-04 00:00Z", 3),
    ]


def test_a_currency_without_a_rate_is_refused_and_never_taken_for_dollars() -> None:
    hours = pd.date_range("2021-03-04", periods=2, freq="h", tz="UTC")
    raw = pd.DataFrame(
        {"zone": "DE", "raw_datetime": "x", "price_per_mwh": 50.0, "currency": "EUR", "timestamp_utc": hours}
    )

    refused = ElectricityPrices(Path("x")).parse(raw)
    taken = ElectricityPrices(Path("x"), usd_per_unit={"EUR": 1.2}).parse(raw)

    assert refused.signals.empty
    assert "2 rows of DE from here on are in EUR" in refused.rejections[0].reason
    assert refused.rejections[0].rows == 2
    assert taken.signals["value"].tolist() == [60.0, 60.0]


def test_an_ambiguous_hour_is_refused_by_its_row_in_the_file(tmp_path: Path) -> None:
    options = prices(tmp_path)
    frame = pd.read_csv(options["path"])
    frame.loc[2, "timestamp_utc"] = None
    frame.to_csv(options["path"], index=False)

    (batch,) = make_collector("electricity-prices", options).collect(None)

    assert batch.rows == 3
    assert (batch.rejections[0].position, batch.rejections[0].reason[:11]) == (3, "no UTC hour")


def test_the_list_price_of_a_gpu_is_that_of_a_single_one(tmp_path: Path) -> None:
    (batch,) = make_collector("gpu-catalogue", catalogue(tmp_path)).collect(None)

    assert batch.frames["rates"][["sku", "usd_per_gpu_hour"]].to_numpy().tolist() == [["A100", 5.0]]


def test_an_unknown_cloud_is_answered_with_those_there_are(tmp_path: Path) -> None:
    options = {**catalogue(tmp_path), "cloud": "Nimbus"}

    with pytest.raises(SourceRefused, match="no prices of cloud 'Nimbus'; it has Cloud, Other"):
        list(make_collector("gpu-catalogue", options).collect(None))


@pytest.mark.parametrize("name", [name for name in MATERIAL if name != "simulated"])
def test_a_file_is_known_by_its_columns(name: str, tmp_path: Path) -> None:
    path = Path(MATERIAL[name](tmp_path)["path"])
    renamed = path.rename(tmp_path / "whatever.bin")

    assert detect(renamed) == name


def test_a_file_of_no_known_format_is_answered_with_the_formats(tmp_path: Path) -> None:
    pd.DataFrame({"tea": [1], "leaves": [2]}).to_csv(tmp_path / "x.csv", index=False)

    with pytest.raises(SourceGarbled, match=r"leaves, tea.*itp-jobs: cluster, job_id"):
        detect(tmp_path / "x.csv")


@pytest.mark.parametrize(
    ("content", "error"),
    [(b"", SourceGarbled), (b"PAR1 and then nothing", SourceGarbled), (b"\xff\xfe\x00\x00binary\x00", SourceGarbled)],
    ids=["empty", "truncated Parquet", "binary"],
)
def test_a_broken_file_is_an_error_that_names_it(content: bytes, error: type[Exception], tmp_path: Path) -> None:
    path = tmp_path / "broken"
    path.write_bytes(content)

    with pytest.raises(error, match="broken"):
        detect(path)


def test_a_missing_file_is_an_error_that_names_it(tmp_path: Path) -> None:
    with pytest.raises(SourceUnavailable, match="no such file"):
        detect(tmp_path / "nowhere.parquet")


def batches_of(name: str, path: Path, **more: str) -> list[Batch]:
    return list(make_collector(name, {"path": str(path), **more}).collect(None))


def test_the_real_jobs_are_all_read(traces: Path) -> None:
    power = {
        "power_path": str(traces / "open/power/mlperf_DGX-A100_A100-SXM-80GBx8_TRT_MaxQ_power_1hz.parquet"),
        "runs_path": str(traces / "open/power/mlperf_runs.csv.gz"),
    }
    path = traces / "open/jobs/itp_raw_jobs.parquet"

    batches = batches_of("itp-jobs", path, sku="A100", **power)

    raw = pd.read_parquet(path)
    held = pd.concat([batch.frames["intervals"] for batch in batches[1:]])
    gpu_s = ((held["end_at"] - held["start_at"]).dt.total_seconds() * held["share_millis"]).sum() / 1000
    assert len(held) == len(raw) == 69_351
    assert gpu_s == (raw["duration"] * raw["num_gpu"]).sum()
    assert not any(batch.rejections for batch in batches)


def test_the_real_carbon_and_prices_are_read(traces: Path) -> None:
    forecast = batches_of(
        "pjm-carbon-forecast", traces / "restricted/carbon/pjm_96h_forecasts_until_2021-06-27.parquet"
    )
    carbon = batches_of("hourly-carbon", traces / "conditions/carbon/ci_hourly_DE_GB_CAISO_PJM_2021-2023.parquet")
    price = batches_of("electricity-prices", traces / "conditions/prices/hourly_DE_FR_PJM_CAISO_2021-2023.parquet")

    assert sum(batch.rows for batch in forecast) == 52_224
    assert sum(batch.rows for batch in carbon) == 2 * 105_120
    assert sum(batch.rows for batch in price) == 104_953 - 26_233 - 26_232
    assert [one.reason[:40] for batch in price for one in batch.rejections][:2] == [
        "26233 rows of DE-LU from here on are in ",
        "26232 rows of FR from here on are in EUR",
    ]
    assert sum(batch.rejected for batch in price) == 26_233 + 26_232


@pytest.mark.parametrize("rates", [{"EUR": -5.0}, {"EUR": float("nan")}, {"EUR": 0.0}, {"USD": 2.0}])
def test_a_rate_of_exchange_that_is_none_is_refused(rates: dict[str, float], tmp_path: Path) -> None:
    options = {**prices(tmp_path), "usd_per_unit": rates}

    with pytest.raises(SourceRefused, match="is no rate of exchange"):
        list(make_collector("electricity-prices", options).collect(None))
