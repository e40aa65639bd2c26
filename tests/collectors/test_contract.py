"""The same checks for every source of the registry."""

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pandas as pd
import pytest

from aiobserve.domain.frames import FRAMES
from aiobserve.domain.window import Span
from collectors.base import Batch, SourceRefused
from collectors.registry import COLLECTORS, make_collector
from collectors.simulated import SPAN

ROOT = Path(__file__).resolve().parents[2] / "collectors"
README_NEEDS = ("unit", "resolution", "time zone", "licence", "known lies")


def power_files(folder: Path) -> dict[str, str]:
    """Write a power log: 8 GPUs at 800 W in the measured window, 160 W before it."""
    at = pd.date_range("2021-03-17 12:00", periods=600, freq="s")
    watts = [160.0] * 300 + [800.0] * 300
    system = {"system": "server", "benchmark": "bert", "scenario": "Offline"}
    pd.DataFrame({**system, "ts_local": at, "watts": watts}).to_parquet(folder / "power.parquet")
    run = {**system, "n_gpus": 8, "power_begin": at[300], "power_end": at[-1]}
    pd.DataFrame([run, {**run, "benchmark": "bert-99.9"}]).to_csv(folder / "runs.csv", index=False)
    return {"power_path": str(folder / "power.parquet"), "runs_path": str(folder / "runs.csv")}


def itp(folder: Path) -> dict[str, str]:
    rows = [
        ("cluster01", "job-a", 0, 3600, 2),
        ("cluster01", "job-b", 1800, 3600, 1),
        ("cluster02", "=1+1", 60, 900, 8),
    ]
    frame = pd.DataFrame(rows, columns=["cluster", "job_id", "submission_time", "duration", "num_gpu"])
    frame.to_parquet(folder / "jobs.parquet")
    return {"path": str(folder / "jobs.parquet"), "sku": "A100", **power_files(folder)}


def written(frame: pd.DataFrame, folder: Path, **more: str) -> dict[str, str]:
    path = folder / "file.csv"
    frame.to_csv(path, index=False)
    return {"path": str(path), **more}


def forecast(folder: Path) -> dict[str, str]:
    hours = pd.date_range("2021-03-04", periods=4, freq="h")
    return written(
        pd.DataFrame(
            {
                "issue_time_utc": "2021-03-04",
                "valid_time_utc": hours,
                "coal_actual_mw": 1,
                "ci_direct_forecast_g_per_kwh": [400, 390, 380, 370],
            }
        ),
        folder,
    )


def carbon(folder: Path) -> dict[str, str]:
    hours = pd.date_range("2021-03-04", periods=4, freq="h")
    return written(
        pd.DataFrame({"timestamp_utc": hours, "zone": "PJM", "ci_direct_g_per_kwh": 350.0, "ci_lca_g_per_kwh": 400.0}),
        folder,
    )


def prices(folder: Path) -> dict[str, str]:
    hours = pd.date_range("2021-03-04", periods=4, freq="h", tz="UTC")
    row = {"zone": "US-MIDA-PJM", "raw_datetime": "x", "price_per_mwh": 30.0, "currency": "USD", "timestamp_utc": hours}
    return written(pd.DataFrame(row), folder)


def catalogue(folder: Path) -> dict[str, str]:
    rows = [("Cloud", "A100", 8, 4.0, "big"), ("Cloud", "A100", 1, 5.0, "small"), ("Other", "A100", 1, 1.0, "x")]
    frame = pd.DataFrame(rows, columns=["Cloud", "GPU Type", "GPUs", "Per-GPU", "Name"])
    return written(frame, folder, cloud="Cloud", valid_from_at="2021-03-01T00:00:00+00:00")


def load(folder: Path) -> dict[str, str]:
    rows = [("m", 0, 0, 1.0), ("m", 1, 0, 2.0), ("m", 0, 600, None)]
    frame = pd.DataFrame(rows, columns=["model", "client", "t_s", "rate_rps"])
    return written(frame, folder, start_at="2021-03-04T00:00:00+00:00")


def declared(folder: Path) -> dict[str, str]:
    path = folder / "company.toml"
    path.write_text(
        '# ours\n[[site]]\nname = "fra"\ngrid_zone = "DE"\n[[rate]]\nsku = "A100"\nusd_per_gpu_hour = 1.9\n'
    )
    return {"path": str(path)}


def bill(folder: Path) -> dict[str, str]:
    rows = [("1.10", "1.10", "2026-03-02T00:00:00Z", "2026-03-03T00:00:00Z", "Usage"), ("ten", "1", "x", "y", "Usage")]
    columns = ["BilledCost", "EffectiveCost", "ChargePeriodStart", "ChargePeriodEnd", "ChargeCategory"]
    return written(pd.DataFrame(rows, columns=columns), folder)


def bill_rules(folder: Path) -> dict[str, str]:
    patterns = dict.fromkeys(
        ("provider", "service", "resource", "sku", "sub_account", "region", "node", "device_sku"), ""
    )
    return written(pd.DataFrame([{**patterns, "provider": "Cloud*", "site": "lab", "part": "capacity"}]), folder)


MATERIAL: dict[str, Callable[[Path], dict[str, str]]] = {
    "simulated": lambda folder: {},
    "declared": declared,
    "itp-jobs": itp,
    "pjm-carbon-forecast": forecast,
    "hourly-carbon": carbon,
    "electricity-prices": prices,
    "gpu-catalogue": catalogue,
    "servegen-load": load,
    "focus-bill": bill,
    "bill-rules": bill_rules,
}


def collected(name: str, folder: Path) -> list[Batch]:
    span = Span(SPAN.start_at, SPAN.start_at + timedelta(days=1)) if name == "simulated" else None
    return list(make_collector(name, MATERIAL[name](folder)).collect(span))


def test_every_source_has_material_to_be_tested_with() -> None:
    assert set(MATERIAL) == set(COLLECTORS)


@pytest.mark.parametrize("name", list(COLLECTORS))
def test_batches_hold_checked_frames_under_the_name_of_the_source(name: str, tmp_path: Path) -> None:
    batches = collected(name, tmp_path)

    assert batches
    for batch in batches:
        assert batch.source == make_collector(name, MATERIAL[name](tmp_path)).name == name
        for kind, frame in batch.frames.items():
            assert FRAMES[kind].check(frame).equals(frame.reset_index(drop=True))


@pytest.mark.parametrize("name", list(COLLECTORS))
def test_the_same_material_gives_the_same_batch_ids(name: str, tmp_path: Path) -> None:
    first, again = ([batch.batch_id for batch in collected(name, tmp_path)] for _ in range(2))

    assert first == again
    assert len(set(first)) == len(first)
    assert all(len(batch_id) <= 200 for batch_id in first)


@pytest.mark.parametrize("name", list(COLLECTORS))
def test_a_source_says_in_its_readme_what_it_gives(name: str, tmp_path: Path) -> None:
    package = type(make_collector(name, MATERIAL[name](tmp_path))).__module__.split(".")[1]
    text = (ROOT / package / "README.md").read_text().lower()

    assert all(word in text for word in README_NEEDS)
    assert name in text or name == "simulated"


def test_an_unknown_source_is_refused_by_name() -> None:
    with pytest.raises(SourceRefused, match="no source 'tea-leaves'; choose from simulated"):
        make_collector("tea-leaves", {})


def test_a_missing_option_is_named() -> None:
    with pytest.raises(SourceRefused, match="needs the option 'path'"):
        make_collector("hourly-carbon", {})
