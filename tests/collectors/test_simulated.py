"""The simulated company is consistent, repeats itself, and holds the facts that it was given."""

from datetime import timedelta
from itertools import takewhile

import numpy as np
import pandas as pd
import pytest

from aiobserve.domain.window import Span
from collectors.base import Batch
from collectors.simulated import NOW_AT, SPAN, SimulatedFleet, company
from collectors.simulated.facts import FACTS

Frames = dict[str, pd.DataFrame]


@pytest.fixture(scope="module")
def catalogue_and_jobs() -> Frames:
    """Everything but the telemetry, of all 90 days."""
    # Days of telemetry come last, and are not drawn before somebody asks for them.
    batches = list(takewhile(lambda batch: "telemetry" not in batch.frames, SimulatedFleet().collect(SPAN)))
    return _joined(batches)


def _joined(batches: list[Batch]) -> Frames:
    names = {name for batch in batches for name in batch.frames}
    return {name: pd.concat([b.frames[name] for b in batches if name in b.frames], ignore_index=True) for name in names}


def gpu_samples(first: int, count: int) -> pd.DataFrame:
    samples = days(first, count)["telemetry"]
    return samples[samples["device_uid"].isin({gpu.uid for gpu in company.GPUS.values()})]


def days(first: int, count: int) -> Frames:
    start_at = SPAN.start_at + timedelta(days=first)
    span = Span(start_at, start_at + timedelta(days=count))
    return _joined([b for b in SimulatedFleet().collect(span) if "telemetry" in b.frames])


def test_it_is_a_company_of_forty_gpus_in_two_zones(catalogue_and_jobs: Frames) -> None:
    devices, accounts, jobs = (catalogue_and_jobs[name] for name in ("devices", "accounts", "jobs"))

    gpus = devices[devices["kind"] == "gpu"]
    assert len(gpus) == 40
    assert gpus["sku"].nunique() == 3
    assert catalogue_and_jobs["sites"]["grid_zone"].nunique() == 2
    assert accounts["team"].nunique() == 6
    assert jobs["model"].nunique() == 10
    assert set(jobs["workload_type"]) >= {
        "training",
        "fine_tuning",
        "batch_inference",
        "evaluation",
        "embedding",
        "interactive",
    }
    assert set(jobs["state"]) == {"completed", "failed", "requeued", "running", "pending"}


def test_no_gpu_is_ever_held_by_more_than_itself(catalogue_and_jobs: Frames) -> None:
    held = catalogue_and_jobs["intervals"]
    end_at = held["end_at"].fillna(pd.Timestamp(NOW_AT))
    changes = pd.concat(
        [
            pd.DataFrame({"device": held["device_uid"], "at": held["start_at"], "share": held["share_millis"]}),
            pd.DataFrame({"device": held["device_uid"], "at": end_at, "share": -held["share_millis"]}),
        ]
    )

    level = changes.groupby(["device", "at"])["share"].sum().groupby(level="device").cumsum()

    assert level.max() <= 1000
    assert level.min() >= 0


def test_the_same_seed_gives_the_same_company() -> None:
    first, again = (days(3, 1)["telemetry"] for _ in range(2))

    assert first.equals(again)


def test_three_days_are_the_same_three_days_of_the_whole() -> None:
    alone, within = days(5, 1)["telemetry"], days(4, 3)["telemetry"]

    day = Span(SPAN.start_at + timedelta(days=5), SPAN.start_at + timedelta(days=6))
    same = within[(within["at"] >= day.start_at) & (within["at"] < day.end_at)].reset_index(drop=True)
    assert alone.sort_values(["device_uid", "at"], ignore_index=True).equals(
        same.sort_values(["device_uid", "at"], ignore_index=True)
    )


def test_the_counter_is_the_integral_of_the_power() -> None:
    samples = gpu_samples(2, 1)
    for _, one in samples.groupby("device_uid"):
        seconds = one["at"].astype("int64").to_numpy() / 1e6
        drawn_j = np.diff(one["energy_millij"]).sum() / 1000
        by_power_j = (np.diff(seconds) * one["power_w"].to_numpy()[:-1]).sum()
        assert drawn_j == pytest.approx(by_power_j, rel=0.02)


def test_no_board_draws_more_than_it_can() -> None:
    samples = gpu_samples(2, 2)
    tdp_w = {gpu.uid: gpu.sku.tdp_w for gpu in company.GPUS.values()}

    assert (samples["power_w"] <= samples["device_uid"].map(tdp_w) * 1.02).all()
    assert (samples["power_w"] > 0).all()


def test_some_samples_are_lost() -> None:
    samples = gpu_samples(2, 2)

    assert 0.001 < 1 - len(samples) / (40 * 2 * 1440) < 0.01


def test_a_forecast_is_not_the_truth_but_near_it(catalogue_and_jobs: Frames) -> None:
    signals = catalogue_and_jobs["signals"]
    price = signals[(signals["kind"] == "electricity_usd_per_mwh") & (signals["scope"] == "DE")]
    actual = price[price["issued_at"].isna()].set_index("start_at")["value"]
    forecast = price[price["issued_at"].notna()]

    error = (forecast["value"].to_numpy() - actual.reindex(forecast["start_at"]).to_numpy()) / actual.mean()
    known = ~np.isnan(error)

    assert known.sum() > 1000
    assert 0.02 < np.abs(error[known]).mean() < 0.4
    assert forecast["issued_at"].max() == NOW_AT


def test_about_forty_jobs_wait_at_the_end(catalogue_and_jobs: Frames) -> None:
    waiting = catalogue_and_jobs["jobs"].query("state == 'pending'")

    assert 35 <= len(waiting) <= 50
    assert (waiting["tier"] == "urgent").sum() >= 3
    promised = waiting[waiting["tier"] == "deferrable"]
    assert (promised["deadline_at"].notna() | promised["max_wait_s"].notna()).all()


@pytest.mark.parametrize("fact", FACTS, ids=[fact.key for fact in FACTS])
def test_every_planted_fact_can_be_found(fact, catalogue_and_jobs: Frames) -> None:  # type: ignore[no-untyped-def]
    assert fact.found(catalogue_and_jobs, days), fact.sentence
