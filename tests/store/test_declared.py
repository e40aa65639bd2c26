"""What a person declares reaches the ledger: imported, attributed, and reckoned in the head."""

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pandas as pd
import pytest

from aiobserve.domain.account import Account, Component
from aiobserve.domain.frames import INTERVALS, JOBS
from aiobserve.domain.window import Span, utc_day
from aiobserve.pipeline.check import check_all
from aiobserve.pipeline.collect import collect
from aiobserve.pipeline.sweep import attribute_due
from aiobserve.store.models import IngestBatch, IngestRejection
from aiobserve.store.read import ledger
from aiobserve.store.write.organisation import ensure_organisation
from collectors.base import Batch
from collectors.declared import DeclaredFile

pytestmark = pytest.mark.django_db

EXAMPLE = Path(__file__).resolve().parents[2] / "docs" / "examples" / "company.toml"
DAY = utc_day(datetime(2026, 10, 5, tzinfo=UTC).date())
LATER_AT = datetime(2026, 10, 7, tzinfo=UTC)


class OneJob:
    """A job that holds four of the eight owned GPUs for half a day; nothing is metered."""

    name = "scheduler"

    def collect(self, span: Span | None = None) -> Iterator[Batch]:
        noon_at = datetime(2026, 10, 5, 12, tzinfo=UTC)
        job = {
            "job_key": "train", "site": "cologne", "name": "train", "account": "vision", "workload_type": "training",
            "tier": "deferrable", "state": "completed", "attempt": 1, "gpus": 4, "submitted_at": DAY.start_at,
            "started_at": DAY.start_at, "ended_at": noon_at,
        }  # fmt: skip
        absent = dict.fromkeys(("user", "model", "sku", "runtime_s", "max_wait_s"))
        held = {"job_key": "train", "start_at": DAY.start_at, "end_at": noon_at, "share_millis": 1000}
        frames = {
            "jobs": JOBS.check(pd.DataFrame([{**job, **absent, "deadline_at": pd.NaT}])),
            "intervals": INTERVALS.check(pd.DataFrame([{**held, "device_uid": f"GPU-1{one}"} for one in (1, 2, 3, 4)])),
        }
        yield Batch(self.name, "one job", frames)


@pytest.fixture
def charged() -> dict[tuple[object, ...], dict[str, int]]:
    organisation_id = ensure_organisation("declared", name="Declared")
    for collector in (DeclaredFile(EXAMPLE), OneJob()):
        collect(organisation_id, collector, now_at=LATER_AT)
    swept = attribute_due(organisation_id, now_at=LATER_AT)
    assert swept.blocked == ()
    return {row.keys: row.sums for row in ledger.sums(organisation_id, DAY, group_by=("account", "component", "team"))}


def test_every_declared_thing_is_in_the_books(charged: dict[tuple[object, ...], dict[str, int]]) -> None:
    job = charged[Account.JOB, Component.GPU, "Vision"]
    kept = charged[Account.IDLE, Component.GPU, "Language"]
    network = charged[Account.OVERHEAD, Component.NETWORK, None]
    storage = charged[Account.OVERHEAD, Component.STORAGE, None]

    # 48 of 192 GPU-hours at 0.684932 USD, in quarters of an hour; listed at 0.913242.
    assert job["capacity_microusd"] == 4 * 48 * 171_233
    assert kept["capacity_microusd"] == (8 * 96 - 4 * 48) * 171_233
    # Four GPUs, modelled at 560 W for 12 h: 26.88 kWh at 0.14 USD.
    assert job["energy_millij"] == 4 * 560 * 12 * 3_600_000
    assert job["electricity_microusd"] == pytest.approx(3_763_200, abs=4 * 48)
    assert job["list_microusd"] - job["electricity_microusd"] == pytest.approx(48 * 913_242, abs=4 * 48)
    # 3 USD and 0.75 USD an hour for a day; the fabric draws 900 W.
    assert network["capacity_microusd"] == 72_000_000
    assert network["energy_millij"] == 900 * 86_400 * 1000
    assert storage["capacity_microusd"] == 18_000_000


def test_a_dedicated_node_idles_for_its_team_hosts_included(charged: dict[tuple[object, ...], dict[str, int]]) -> None:
    assert [keys for keys in charged if keys[0] == Account.IDLE and keys[2] != "Language"] == []
    # The host idles at 500 W for 24 h, half of its GPUs held for half of them.
    idle_host = charged[Account.IDLE, Component.HOST, "Language"]
    assert idle_host["energy_millij"] == 500 * 86_400 * 1000 * 3 // 4


def test_wind_goes_first_and_the_rest_is_at_the_residual_mix(charged: dict[tuple[object, ...], dict[str, int]]) -> None:
    location = sum(one["carbon_microg"] for one in charged.values())
    market = sum(one["carbon_market_microg"] for one in charged.values())
    drawn_kwh = sum(one["energy_millij"] for one in charged.values()) / 3.6e9

    assert location == pytest.approx(drawn_kwh * 360 * 1e6, rel=1e-6)
    # The site draws 5.275 kW in the morning, 2.5 of them wind, and 2.45 kW in the afternoon, all of them wind.
    assert drawn_kwh == pytest.approx(12 * (5.275 + 2.45))
    assert market == pytest.approx(12 * (5.275 - 2.5) * 700 * 1e6, rel=1e-6)
    assert sum(one["water_microl"] for one in charged.values()) == pytest.approx(drawn_kwh * 0.4 * 1e6, rel=1e-6)
    assert check_all("declared")["balanced"]


def test_a_file_that_is_restored_word_for_word_counts_again_and_one_that_counts_changes_nothing(tmp_path: Path) -> None:
    organisation_id = ensure_organisation("declared", name="Declared")
    path = tmp_path / "company.toml"

    def charged_after(text: str) -> tuple[int, int, dict[str, int]]:
        path.write_text(text)
        taken = collect(organisation_id, DeclaredFile(path), now_at=LATER_AT)
        collect(organisation_id, OneJob(), now_at=LATER_AT)
        swept = attribute_due(organisation_id, now_at=LATER_AT)
        return taken.new_batches, swept.windows, ledger.sums(organisation_id, DAY, group_by=())[0].sums

    text = EXAMPLE.read_text()
    # A price, a signal, an account's team and a pool.
    for old, new in (("usd_per_kwh = 0.14", "usd_per_kwh = 0.28"), ("usd_per_hour = 0.75", "usd_per_hour = 7.5")):
        assert old in text
        changed = text.replace(old, new)
        first, other, restored, again = (charged_after(one) for one in (text, changed, text, text))

        assert other[2]["electricity_microusd"] + other[2]["capacity_microusd"] > sum(
            first[2][name] for name in ("electricity_microusd", "capacity_microusd")
        )
        assert (restored[0], restored[2]) == (1, first[2])
        assert restored[1] == other[1] > 0
        assert again == (0, 0, first[2])
    takes = IngestBatch.objects.filter(organisation_id=organisation_id, source="declared").order_by("pk")
    assert list(takes.values_list("take", flat=True)) == [1, 1, 2, 1, 3]


def test_a_bad_entry_is_counted_and_its_neighbours_go_in(tmp_path: Path) -> None:
    organisation_id = ensure_organisation("faulty", name="Faulty")
    path = tmp_path / "company.toml"
    path.write_text('[[site]]\nname = "fra"\ngrid_zone = "DE"\n[[rate]]\nsku = "X"\nusd_per_gpu_hour = "cheap"\n')

    done = collect(organisation_id, DeclaredFile(path), now_at=LATER_AT)

    assert (done.new_batches, done.rows, done.rejected) == (1, 1, 1)
    kept = IngestRejection.objects.get(batch__organisation_id=organisation_id)
    assert kept.position == 4
    assert kept.reason == (
        "company.toml: [[rate]] entry 1, line 4: usd_per_gpu_hour = 'cheap': write a number without quotes and without "
        "a currency"
    )
