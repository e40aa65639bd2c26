"""From frames to a balanced ledger, in a real PostgreSQL."""

from datetime import UTC, datetime, timedelta
from io import StringIO

import pytest
from django.core.management import call_command
from django.db import connection
from django.db.models import QuerySet

from aiobserve.attribution.engine import METHOD_VERSION
from aiobserve.domain.account import Account
from aiobserve.domain.window import Span
from aiobserve.pipeline.check import check_all
from aiobserve.pipeline.collect import Collected, collect
from aiobserve.pipeline.sweep import Swept, attribute_due, keep_house
from aiobserve.store.models import AccountMapping, LedgerBatch, Posting, Team
from aiobserve.store.read import fleet, ledger
from aiobserve.store.write.organisation import ensure_organisation
from aiobserve.store.write.watermark import want_again
from collectors.base import Rejection
from tests.worlds import World, at, by_hand

pytestmark = pytest.mark.django_db

LATER_AT = at(100)


def company() -> int:
    return ensure_organisation("world", name="World")


def busy_hour() -> World:
    """One GPU of two is busy at 100 W from one to two o'clock; everything else idles at 20 W."""
    return (
        World()
        .job("train", start=1, end=2)
        .power("busy_gpu", watts=20, start=0, end=1)
        .power("busy_gpu", watts=100, start=1, end=2)
        .power("busy_gpu", watts=20, start=2, end=25)
        .power("idle_gpu", watts=20, start=0, end=25)
    )


def run(world: World, organisation_id: int, until_at: datetime = LATER_AT) -> tuple[Collected, Swept]:
    return collect(organisation_id, world, now_at=LATER_AT), attribute_due(organisation_id, now_at=until_at)


def charged(
    organisation_id: int, *by: str, hours: tuple[float, float] = (0, 24)
) -> dict[tuple[object, ...], dict[str, int]]:
    rows = ledger.sums(organisation_id, Span(at(hours[0]), at(hours[1])), group_by=by)
    return {row.keys: row.sums for row in rows}


def posted(organisation_id: int) -> "QuerySet[Posting]":
    """Return the postings of the company; other tests leave theirs in the same tables."""
    return Posting.objects.filter(organisation_id=organisation_id)


def test_a_busy_hour_costs_what_one_reckons_in_the_head() -> None:
    organisation_id = company()
    run(busy_hour(), organisation_id)

    amounts = charged(organisation_id, "account", "team", "project", "model", "job")

    assert {
        name: amount for name, amount in amounts[(Account.JOB, "NLP", "chat", "llm-7b", "train")].items() if amount
    } == {
        "gpu_millis": 3_600_000,  # one GPU for an hour
        "energy_millij": 360_000_000,  # 100 W for an hour
        "energy_error_millij": 18_000_000,  # 5 % of it
        "carbon_microg": 50_000_000,  # 0.1 kWh at 500 g
        "carbon_market_microg": 50_000_000,  # no contract: the grid's
        "capacity_microusd": 2_000_000,  # two dollars
        "electricity_microusd": 10_000,  # 0.1 kWh at ten cents
        "list_microusd": 2_010_000,  # nothing was rebated
    }
    assert charged(organisation_id, "account")[(Account.OVERHEAD,)]["energy_millij"] == (47 * 20 + 100) * 3_600_000 // 5


def test_every_window_balances_and_all_windows_are_there() -> None:
    organisation_id = company()
    run(busy_hour(), organisation_id)

    checked = check_all("world")

    assert checked["balanced"]
    assert checked["windows"] == 2 * 96


def test_running_twice_changes_nothing() -> None:
    organisation_id = company()
    run(busy_hour(), organisation_id)
    before = posted(organisation_id).count()

    collected, swept = run(busy_hour(), organisation_id)

    assert (collected.new_batches, collected.rows, swept.days) == (0, 0, 0)
    assert posted(organisation_id).count() == before


def test_attributing_the_same_inputs_again_posts_nothing() -> None:
    organisation_id = company()
    run(busy_hour(), organisation_id)
    want_again([site.pk for site in fleet.sites(organisation_id)], at(0), None)

    swept = attribute_due(organisation_id, now_at=LATER_AT)

    assert (swept.days, swept.posted, swept.reversed) == (2, 0, 0)


def test_a_restated_price_is_reversed_and_posted_anew() -> None:
    organisation_id = company()
    run(busy_hour(), organisation_id)
    old = posted(organisation_id).count()

    run(World(name="restated", usd_per_mwh=200.0), organisation_id)

    assert charged(organisation_id, "account")[(Account.JOB,)]["electricity_microusd"] == 20_000
    assert posted(organisation_id).count() == 3 * old
    reversals = LedgerBatch.objects.filter(organisation_id=organisation_id, kind=LedgerBatch.Kind.REVERSAL)
    assert reversals.count() == 2
    assert check_all("world")["balanced"]


def test_late_telemetry_reopens_only_its_days() -> None:
    organisation_id = company()
    run(busy_hour(), organisation_id)
    late = World(name="late").power("idle_gpu", watts=20, start=30, end=31)

    collect(organisation_id, late, now_at=LATER_AT)

    assert {str(day) for _, day in fleet.due_days(organisation_id)} == {"2026-03-02", "2026-03-03"}


def test_a_reorganisation_moves_only_what_came_after() -> None:
    organisation_id = company()
    world = World(
        accounts=[
            {"account": "nlp", "team": "NLP", "project": "chat", "valid_from_at": at(-1000), "valid_to_at": at(1.5)},
            {"account": "nlp", "team": "Search", "project": "chat", "valid_from_at": at(1.5)},
        ]
    )
    run(world.job("train", start=1, end=2).power("busy_gpu", watts=100, start=0, end=25), organisation_id)

    by_team = charged(organisation_id, "account", "team")

    assert by_team[(Account.JOB, "NLP")]["gpu_millis"] == by_team[(Account.JOB, "Search")]["gpu_millis"] == 1_800_000


def test_a_job_that_no_team_answers_for_is_unattributed_not_lost() -> None:
    organisation_id = company()
    run(World().job("stray", start=1, end=2, account="strangers"), organisation_id)

    assert charged(organisation_id, "account", "job")[(Account.UNATTRIBUTED, "stray")]["gpu_millis"] == 3_600_000


def test_a_finished_job_is_still_charged_when_its_account_is_mapped_later() -> None:
    organisation_id = company()
    run(World().job("stray", start=1, end=2, account="strangers"), organisation_id)
    later = [{"account": "strangers", "team": "Found", "project": "x", "valid_from_at": at(-1000)}]

    run(World(name="mapped", accounts=later), organisation_id)

    assert charged(organisation_id, "account", "team")[(Account.JOB, "Found")]["gpu_millis"] == 3_600_000


def test_a_posting_altered_by_hand_is_found_and_its_window_named() -> None:
    organisation_id = company()
    run(busy_hour(), organisation_id)
    with by_hand(), connection.cursor() as cursor:
        cursor.execute(
            """UPDATE posting SET energy_millij = energy_millij + 1
               WHERE organisation_id = %s AND account = 1 AND window_start_at = %s""",
            [organisation_id, at(1)],
        )

    checked = check_all("world")

    assert not checked["balanced"]
    assert [one["window_start_at"] for one in checked["unbalanced_windows"]] == [at(1).isoformat()]


def test_an_alteration_that_balances_is_found_by_the_seal() -> None:
    organisation_id = company()
    run(busy_hour(), organisation_id)
    other = Team.objects.create(organisation_id=organisation_id, name="Somebody else")
    with by_hand():
        posted(organisation_id).filter(account=Account.JOB).update(team=other)

    checked = check_all("world")

    assert not checked["balanced"]
    assert [one["day"] for one in checked["altered_batches"]] == ["2026-03-02"]


def test_a_removed_posting_is_found() -> None:
    organisation_id = company()
    run(busy_hour(), organisation_id)
    with by_hand():
        posted(organisation_id).filter(account=Account.JOB).delete()

    assert not check_all("world")["balanced"]


def test_a_day_without_a_price_waits_and_says_why() -> None:
    organisation_id = company()
    world = busy_hour()
    batch = next(world.collect())
    batch.frames.pop("rates")

    class WithoutRates:
        name = "without rates"

        def collect(self, span: Span | None = None):  # type: ignore[no-untyped-def]
            yield batch

    collect(organisation_id, WithoutRates(), now_at=LATER_AT)
    swept = attribute_due(organisation_id, now_at=LATER_AT)

    assert "no price per GPU-hour for A100 at lab from 2026-03-02T00:00" in swept.blocked[0].blocked_reason
    assert not posted(organisation_id).exists()
    run(World(name="with rates"), organisation_id)
    assert not fleet.blocked_days(organisation_id)
    assert posted(organisation_id).exists()


def test_windows_that_have_not_ended_are_left_for_later() -> None:
    organisation_id = company()
    run(busy_hour(), organisation_id, until_at=at(2.1))

    assert check_all("world")["windows"] == 8


def test_rejected_records_are_kept_with_their_position() -> None:
    organisation_id = company()
    world = busy_hour()
    world.rejections = (Rejection(7, "negative duration", "duration=-1\0"),)

    collected, _ = run(world, organisation_id)

    assert collected.rejected == 1
    with connection.cursor() as cursor:
        cursor.execute(
            """SELECT position, reason, excerpt FROM ingest_rejection AS refused
               JOIN ingest_batch AS batch ON batch.id = refused.batch_id WHERE organisation_id = %s""",
            [organisation_id],
        )
        assert cursor.fetchall() == [(7, "negative duration", "duration=-1\\0")]


def test_recent_telemetry_is_hot_and_packed_later_without_changing_a_figure() -> None:
    organisation_id = company()
    collect(organisation_id, busy_hour(), now_at=at(2))
    attribute_due(organisation_id, now_at=LATER_AT)
    before = charged(organisation_id, "account", "job")

    packed = keep_house(LATER_AT)
    want_again([site.pk for site in fleet.sites(organisation_id)], at(0), None)
    swept = attribute_due(organisation_id, now_at=LATER_AT)

    assert packed > 2_000
    assert (swept.posted, swept.reversed) == (0, 0)
    assert charged(organisation_id, "account", "job") == before


def test_the_method_version_stands_on_every_batch() -> None:
    organisation_id = company()
    run(busy_hour(), organisation_id)

    batches = LedgerBatch.objects.filter(organisation_id=organisation_id)
    assert set(batches.values_list("method_version", flat=True)) == {METHOD_VERSION}


def test_the_account_map_keeps_its_dates() -> None:
    organisation_id = company()
    run(busy_hour(), organisation_id)

    mapped = AccountMapping.objects.get(organisation_id=organisation_id)
    assert mapped.valid_from_at == datetime(2026, 3, 2, tzinfo=UTC) - timedelta(hours=1000)


def test_the_models_and_the_migrations_agree() -> None:
    call_command("makemigrations", check=True, dry_run=True, verbosity=0, stdout=StringIO())
