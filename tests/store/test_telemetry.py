"""Telemetry in the store: the same samples come back hot, packed by hour, merged by day, and in the midst of it."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from unittest.mock import patch

import numpy as np
import pandas as pd
import pytest
from django.db import connection, transaction
from django.db.models import QuerySet
from django.test import TransactionTestCase

from aiobserve.domain.window import Span
from aiobserve.store.codec.chunk import READINGS, CorruptChunk
from aiobserve.store.models import Organisation, TelemetryChunk, TelemetrySample
from aiobserve.store.read.telemetry import read_series, readings, with_power
from aiobserve.store.write import telemetry
from aiobserve.store.write.compact import compact_hours, drop_emptied, merge_days
from aiobserve.store.write.fleet import device_sites
from aiobserve.store.write.ingest import write_batch
from aiobserve.store.write.organisation import ensure_organisation
from tests.worlds import World, at

GPUS = ("gpu-a", "gpu-b", "gpu-c")
DAY = Span(at(0), at(24))
NEVER_HOT, ALWAYS_HOT = at(10_000), at(-10_000)


def fleet() -> tuple[int, dict[str, int]]:
    """Make the three GPUs; returns organisation and device ids."""
    organisation_id = ensure_organisation("lab", name="Lab")
    frames = next(World(devices=GPUS).collect()).frames
    frames = {name: frames[name] for name in ("sites", "devices")}
    write_batch(organisation_id, source="x", batch_id="x", frames=frames, rejected=0, notices=(), hot_from_at=at(0))
    return organisation_id, {uid: pair[0] for uid, pair in device_sites(organisation_id).items()}


def samples(*, start: float = 0, end: float = 30, every_s: int = 60, seed: int = 1) -> pd.DataFrame:
    """Return samples of the GPUs between two hours of the first day, with a restart, gaps and doubles, in disorder."""
    rng = np.random.default_rng(seed)
    frames = []
    for uid in GPUS:
        seconds = np.arange(start * 3600, end * 3600, every_s) + rng.integers(0, 5, int((end - start) * 3600 / every_s))
        counter = np.cumsum(rng.integers(1, 10**6, len(seconds))).astype(float)
        counter[len(seconds) // 2 :] -= counter[len(seconds) // 2]
        frames.append(
            pd.DataFrame(
                {
                    "device_uid": uid,
                    "at": pd.to_datetime(seconds + at(0).timestamp(), unit="s", utc=True).astype("datetime64[us, UTC]"),
                    "energy_millij": np.where(rng.random(len(seconds)) < 0.05, np.nan, counter),
                    "power_w": np.round(rng.normal(300, 40, len(seconds)), 4),
                    "utilisation_ratio": np.round(rng.uniform(0, 1, len(seconds)), 2),
                    "memory_mib": np.nan,
                }
            )
        )
    whole = pd.concat(frames, ignore_index=True)
    doubled = whole.sample(frac=0.02, random_state=seed).assign(energy_millij=-1.0)
    return pd.concat([whole.sample(frac=1.0, random_state=seed), doubled], ignore_index=True)


def chunks_of(ids: dict[str, int]) -> "QuerySet[TelemetryChunk]":
    """Return the chunks of the GPUs; other tests leave theirs in the same table."""
    return TelemetryChunk.objects.filter(device_id__in=ids.values())


def read(device_ids: dict[str, int], span: Span, **options: object) -> list[tuple[int, list[tuple[str, ...]]]]:
    """Return all that `read_series` says, comparable: NaN is a text."""
    series = read_series(list(device_ids.values()), span, **options)  # type: ignore[arg-type]
    columns = [series.at_us, *series.readings.values()]
    return [
        (
            int(device),
            [tuple(map(str, row)) for row in zip(*(one[first:last].tolist() for one in columns), strict=True)],
        )
        for device, first, last in zip(series.device_ids, series.offsets[:-1], series.offsets[1:], strict=True)
    ]


@pytest.mark.django_db
def test_a_sample_reads_the_same_hot_packed_by_hour_and_merged_by_day() -> None:
    _, ids = fleet()
    spans = [DAY, Span(at(3), at(4)), Span(at(3.25), at(3.5)), Span(at(20), at(28)), Span(at(40), at(41))]
    asked = [
        {"span": span, "columns": columns, "margin": timedelta(hours=hours)}
        for span in spans
        for columns in (("energy_millij",), ("energy_millij", "power_w"), READINGS)
        for hours in (0, 6)
    ]
    telemetry.write_telemetry(samples(), ids, hot_from_at=ALWAYS_HOT)
    hot = [read(ids, **one) for one in asked]  # type: ignore[arg-type]
    assert not chunks_of(ids).exists()

    moved = compact_hours(at(12))
    half = [read(ids, **one) for one in asked]  # type: ignore[arg-type]
    moved += compact_hours(at(31))
    by_hour = [read(ids, **one) for one in asked]  # type: ignore[arg-type]
    chunks = chunks_of(ids).count()
    merged = merge_days(at(25))
    by_day = [read(ids, **one) for one in asked]  # type: ignore[arg-type]

    assert moved == len(samples())
    assert (chunks, merged, chunks_of(ids).count()) == (3 * 30, 3, 3 + 3 * 6)
    assert [len(rows) for _, rows in hot[0]] == [1440, 1440, 1440]
    assert hot == half == by_hour == by_day


@pytest.mark.django_db
def test_the_edges_come_from_the_rows_of_chunks_and_reach_over_midnight() -> None:
    _, ids = fleet()
    power = World(devices=GPUS).power("gpu-a", watts=100, start=22, end=26).telemetry[0]
    telemetry.write_telemetry(power, ids, hot_from_at=NEVER_HOT)

    (_, rows), *others = read(ids, Span(at(24), at(25)), margin=timedelta(hours=6))
    series = read_series(list(ids.values()), Span(at(24), at(25)), margin=timedelta(hours=6))

    assert len(rows) == 1 + 60 + 1
    assert int(rows[0][0]) == at(24).timestamp() * 1e6 - 60e6
    assert rows[0][1] == str(119 * 60 * 100 * 1000.0)
    assert [rows for _, rows in others] == [[], []]
    assert series.not_spanning(Span(at(24), at(25))).tolist() == [ids["gpu-b"], ids["gpu-c"]]
    assert series.without_counter().tolist() == [ids["gpu-b"], ids["gpu-c"]]


@pytest.mark.django_db
def test_power_is_read_for_the_devices_that_need_it_and_put_in_place() -> None:
    _, ids = fleet()
    world = World(devices=GPUS)
    steady = world.power("gpu-a", watts=100, start=0, end=3).telemetry[0]
    no_counter = world.power("gpu-b", watts=50, start=0, end=3).telemetry[1].assign(energy_millij=np.nan)
    telemetry.write_telemetry(pd.concat([steady, no_counter]), ids, hot_from_at=at(2))
    span, order = Span(at(1), at(2)), [ids["gpu-c"], ids["gpu-b"], ids["gpu-a"]]

    counter = read_series(order, span, margin=timedelta(hours=1))
    both = with_power(counter, counter.without_counter(), span, margin=timedelta(hours=1))

    assert np.diff(counter.offsets).tolist() == [0, 60, 62]
    assert counter.steepest_w().tolist() == [0.0, 0.0, 100.0]
    assert counter.without_counter().tolist() == order[:2]
    assert both.power_w is not None
    assert np.diff(both.offsets).tolist() == [0, 62, 62]
    assert set(both.power_w[both.offsets[1] : both.offsets[2]]) == {50.0}
    assert np.isnan(both.power_w[both.offsets[2] :]).all()
    np.testing.assert_array_equal(both.energy_millij[both.offsets[2] :], counter.energy_millij[60:])
    assert with_power(counter, counter.device_ids[:0], span) is counter


@pytest.mark.django_db
def test_a_late_sample_of_a_packed_hour_is_packed_at_once_and_merged_with_its_day() -> None:
    _, ids = fleet()
    telemetry.write_telemetry(samples(end=24), ids, hot_from_at=ALWAYS_HOT)
    compact_hours(at(24))
    late = samples(start=5, end=6, seed=2).assign(at=lambda frame: frame["at"] + pd.Timedelta(milliseconds=500))

    telemetry.write_telemetry(late, ids, hot_from_at=telemetry.open_hour(at(24.5)))
    merged = merge_days(at(24))

    counts = [len(one.at_us) for one in readings(list(ids.values()), DAY).values()]
    assert counts == [1440 + 60] * 3
    assert merged == whole_days(ids) == chunks_of(ids).count() == 3


@pytest.mark.django_db
def test_of_two_samples_at_one_instant_the_one_that_came_first_is_kept_wherever_it_lies() -> None:
    _, ids = fleet()
    first, second = (
        samples(end=24).drop_duplicates(["device_uid", "at"]).assign(power_w=power) for power in (1.0, 2.0)
    )
    telemetry.write_telemetry(first, ids, hot_from_at=NEVER_HOT)
    telemetry.write_telemetry(second, ids, hot_from_at=ALWAYS_HOT)

    for step in (lambda: 0, lambda: compact_hours(at(24)), lambda: merge_days(at(24))):
        step()
        assert {power for one in readings(list(ids.values()), DAY).values() for power in one.power_w} == {1.0}


@pytest.mark.django_db
def test_compacting_again_changes_nothing_and_a_whole_chunk_is_left_alone() -> None:
    _, ids = fleet()
    telemetry.write_telemetry(samples(end=24), ids, hot_from_at=NEVER_HOT)
    before = set(chunks_of(ids).values_list("pk", flat=True))

    assert [merge_days(at(24)), merge_days(at(24)), compact_hours(at(24))] == [3, 0, 0]
    assert set(chunks_of(ids).filter(loose=False).values_list("pk", flat=True)) == before


@pytest.mark.django_db
def test_emptied_hours_are_dropped_a_day_later_and_filled_ones_stay() -> None:
    _, ids = fleet()
    telemetry.write_telemetry(samples(end=3), ids, hot_from_at=ALWAYS_HOT)
    compact_hours(at(2))

    assert drop_emptied(at(25.5)) == 1
    assert drop_emptied(at(100)) == 1
    assert sum(len(one.at_us) for one in readings(list(ids.values()), DAY).values()) == 3 * 180


@pytest.mark.django_db
def test_a_damaged_chunk_is_named_when_it_is_read() -> None:
    _, ids = fleet()
    telemetry.write_telemetry(samples(), ids, hot_from_at=NEVER_HOT)
    broken = TelemetryChunk.objects.filter(device_id=ids["gpu-b"]).earliest("pk")
    TelemetryChunk.objects.filter(pk=broken.pk).update(payload=bytes(broken.payload)[:100])

    with pytest.raises(CorruptChunk, match=f"telemetry chunk {broken.pk}: .* import its source again"):
        read(ids, DAY)


@pytest.fixture(scope="module", autouse=True)
def _nothing_is_emptied() -> Iterator[None]:
    """Keep Django from emptying all tables after a test whose rows last: the books refuse it."""
    with patch.object(TransactionTestCase, "_fixture_teardown"):
        yield


@pytest.fixture
def lasting(transactional_db: None) -> Iterator[dict[str, int]]:
    """Yield the GPUs of a lab that other processes can see, and remove it and nothing else."""
    organisation_id, ids = fleet()
    try:
        yield ids
    finally:
        with connection.cursor() as cursor:
            cursor.execute("DELETE FROM telemetry_sample WHERE device_id = ANY(%s)", [list(ids.values())])
        Organisation.objects.filter(pk=organisation_id).delete()


def url_of_test_database() -> str:
    known = connection.settings_dict
    return f"postgresql://{known['USER']}:{known['PASSWORD']}@{known['HOST']}:{known['PORT']}/{known['NAME']}"


COMPACTOR = """
import os, django
django.setup()
from tests.store.test_telemetry import at
from aiobserve.store.write.compact import compact_hours, merge_days
print("ready", flush=True)
while True:
    compact_hours(at(30)); merge_days(at(24))
"""


def compactor() -> "subprocess.Popen[bytes]":
    environ = {
        **os.environ, "DATABASE_URL": url_of_test_database(), "DJANGO_SETTINGS_MODULE": "aiobserve.settings",
    }  # fmt: skip
    found = subprocess.Popen(
        [sys.executable, "-c", COMPACTOR], env=environ, cwd=Path(__file__).parents[2], stdout=subprocess.PIPE
    )
    assert found.stdout is not None
    with found.stdout:
        assert found.stdout.readline() == b"ready\n"
    return found


def finished(condition: Callable[[], bool]) -> bool:
    give_up_at = time.monotonic() + 60
    while not condition():
        if time.monotonic() > give_up_at:
            return False
        time.sleep(0.02)
    return True


def test_a_compactor_killed_again_and_again_loses_and_doubles_nothing(lasting: dict[str, int]) -> None:
    telemetry.write_telemetry(samples(every_s=5), lasting, hot_from_at=ALWAYS_HOT)
    before = read(lasting, Span(at(0), at(30)), columns=READINGS)

    for wait_s in (0.0, 0.02, 0.06, 0.12):
        running = compactor()
        time.sleep(wait_s)
        running.send_signal(signal.SIGKILL)
        running.wait()
        assert read(lasting, Span(at(0), at(30)), columns=READINGS) == before
    # The last one's backend may still hold the turn for a moment.
    assert finished(lambda: compact_hours(at(30)) + merge_days(at(24)) == 0 and whole_days(lasting) == len(GPUS))

    assert read(lasting, Span(at(0), at(30)), columns=READINGS) == before


def test_two_compactors_and_a_writer_at_once_lose_and_double_nothing(lasting: dict[str, int]) -> None:
    whole = samples(every_s=20).drop_duplicates(["device_uid", "at"])
    parts = [whole.iloc[first : first + 400] for first in range(0, len(whole), 400)]
    both = [compactor(), compactor()]
    try:
        for part in parts:
            with transaction.atomic():
                telemetry.write_telemetry(part, lasting, hot_from_at=ALWAYS_HOT)
        assert finished(lambda: not TelemetrySample.objects.filter(device_id__in=lasting.values()).exists())
        assert all(one.poll() is None for one in both)
    finally:
        for one in both:
            one.kill()
            one.wait()

    found = readings(list(lasting.values()), Span(at(0), at(30)))

    assert {uid: len(found[lasting[uid]].at_us) for uid in GPUS} == whole.groupby("device_uid").size().to_dict()


def whole_days(ids: dict[str, int]) -> int:
    """Return how many merged chunks the GPUs have."""
    return chunks_of(ids).filter(loose=False).count()
