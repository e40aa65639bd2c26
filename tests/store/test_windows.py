"""Late data re-opens only its windows, and whatever the order of arrival, the same stands in the end."""

from collections.abc import Iterator
from contextlib import contextmanager

import pandas as pd
import pytest
from django.db import transaction
from hypothesis import given, settings
from hypothesis import strategies as st

from aiobserve.domain.reason import Reason
from aiobserve.domain.window import Span
from aiobserve.pipeline.check import check_all
from aiobserve.pipeline.sweep import attribute_due
from aiobserve.store.models import LedgerBatch, LedgerWindow, Watermark
from aiobserve.store.read import fleet
from aiobserve.store.write.organisation import ensure_organisation
from aiobserve.store.write.watermark import claim_day, finish_day, want_again, want_days, want_spans
from tests.examples import examples
from tests.store.ledgers import LATER_AT, Piece, collected, holding, incurred, price, run, telemetry, without
from tests.worlds import DAY_AT, World, at

pytestmark = pytest.mark.django_db


@contextmanager
def undone() -> Iterator[None]:
    """Leave nothing behind, so that each example of a property begins with empty books."""
    with transaction.atomic():
        yield
        transaction.set_rollback(True)


def quiet_day() -> World:
    return World().power("busy_gpu", watts=100, start=0, end=24).power("idle_gpu", watts=20, start=0, end=24)


def first_due(slug: str = "one") -> Watermark:
    return Watermark.objects.filter(site__organisation__slug=slug).earliest("day")


def test_a_late_job_of_one_hour_reposts_its_four_windows_only() -> None:
    run("one", quiet_day())

    swept = run("one", holding("late", start=9, end=10))

    assert (swept.windows, swept.windows_reversed) == (4, 4)
    assert check_all("one")["balanced"]


def test_late_samples_within_a_window_repost_that_window_only() -> None:
    world = quiet_day()
    samples = pd.concat(world.telemetry)
    late = (samples["device_uid"] == "busy_gpu") & samples["at"].between(at(9.05), at(9.2))
    run("one", without(world), telemetry("most", samples[~late]))

    swept = run("one", telemetry("late", samples[late]))

    # At constant power the energy is what it was, but no longer bridged: it is measured now.
    assert (swept.windows, swept.windows_reversed) == (1, 1)


def test_the_present_day_grows_by_its_new_windows() -> None:
    world = quiet_day()
    samples = pd.concat(world.telemetry)
    run("one", without(world), telemetry("morning", samples[samples["at"] <= at(9)]), now_at=at(9))

    swept = run("one", telemetry("hour", samples[samples["at"].between(at(9), at(10))]), now_at=at(10))

    assert (swept.windows, swept.windows_reversed) == (4, 0)
    assert set(LedgerBatch.objects.filter(organisation__slug="one").values_list("kind", flat=True)) == {
        LedgerBatch.Kind.FIRST
    }


def test_windows_that_ended_meanwhile_are_posted_whatever_woke_the_day() -> None:
    world = quiet_day()
    samples = pd.concat(world.telemetry)
    run("one", without(world), telemetry("day", samples), now_at=at(6))

    swept = run("one", holding("early", start=1, end=2), now_at=at(12))

    assert (swept.windows, swept.windows_reversed) == (4 + 24, 4)


def test_a_sample_that_ends_a_silence_reopens_the_whole_silence() -> None:
    world = quiet_day()
    samples = pd.concat(world.telemetry)
    busy = samples["device_uid"] == "busy_gpu"
    late = busy & samples["at"].between(at(9.01), at(24))
    run("one", without(world), telemetry("most", samples[~late]))

    # The next sample is three hours later: what was modelled until then is metered now, and spread evenly.
    swept = run("one", telemetry("end of the silence", samples[busy & (samples["at"] == at(12))]))

    assert swept.windows == 12
    assert incurred("one") == fresh(
        "two", without(world), telemetry("all", samples[~late | (busy & (samples["at"] == at(12)))])
    )


def test_a_silence_over_midnight_is_reopened_on_both_days() -> None:
    world = World().power("busy_gpu", watts=100, start=0, end=22).power("idle_gpu", watts=20, start=0, end=48)
    run("one", world)
    late = World().power("busy_gpu", watts=100, start=0, end=22).power("busy_gpu", watts=50, start=22, end=30)
    samples = late.telemetry[1]
    tail = samples[samples["at"] >= at(26)]

    run("one", telemetry("tail", tail))
    run("one")

    assert incurred("one") == fresh("two", world, telemetry("tail", tail))


def test_a_job_that_ends_earlier_than_was_thought_gives_back_the_rest() -> None:
    world = quiet_day()
    run("one", world, holding("train", start=1, end=20))

    swept = run("one", Piece("ended", holding("train", start=1, end=5).contents))

    assert swept.windows == 15 * 4
    assert incurred("one") == fresh("two", world, holding("train", start=1, end=5))


def test_a_price_that_fills_a_hole_reopens_what_had_assumed_it() -> None:
    base = without(quiet_day(), signals=("electricity_usd_per_mwh",))
    run("one", base, price("old", 50, start=-72, end=-48))

    run("one", price("new", 100, start=12, end=13))

    assert incurred("one") == fresh(
        "two", base, price("old", 50, start=-72, end=-48), price("new", 100, start=12, end=13)
    )


def test_the_same_again_posts_nothing() -> None:
    run("one", quiet_day(), holding("train", start=1, end=5))
    organisation_id = ensure_organisation("one", name="one")
    want_again([site.pk for site in fleet.sites(organisation_id)], at(0), None)

    swept = attribute_due(organisation_id, now_at=LATER_AT)

    assert (swept.posted, swept.reversed, swept.windows) == (0, 0, 0)


def test_one_version_of_a_window_stands() -> None:
    run("one", quiet_day())
    run("one", holding("late", start=9, end=10))

    versions = LedgerWindow.objects.filter(site__organisation__slug="one")
    assert versions.filter(reversed_by__isnull=True).count() == 96
    assert versions.filter(reversed_by__isnull=False).count() == 4


def test_a_watermark_grows_over_what_changed_and_is_clean_when_it_is_done() -> None:
    run("one", quiet_day())
    site_id = first_due().site_id
    want_spans(site_id, [Span(at(3), at(4))], reason=Reason.TELEMETRY)
    want_spans(site_id, [Span(at(8), at(9))], reason=Reason.RATE)

    due = claim_day(site_id, DAY_AT.date())

    assert due is not None
    assert due.dirty == Span(at(3), at(9))
    assert due.reasons == {"late telemetry", "rate"}
    finish_day(due, until_at=at(24))
    assert claim_day(site_id, DAY_AT.date()) is None
    want_spans(site_id, [Span(at(1), at(2))], reason=Reason.RATE)
    again = claim_day(site_id, DAY_AT.date())
    assert again is not None
    assert again.dirty == Span(at(1), at(2))


def test_a_day_that_is_due_whole_stays_due_whole() -> None:
    run("one", quiet_day())
    site_id = first_due().site_id
    want_days(site_id, [DAY_AT.date()])
    want_spans(site_id, [Span(at(8), at(9))], reason=Reason.RATE)

    due = claim_day(site_id, DAY_AT.date())

    assert due is not None
    assert due.dirty == Span(at(0), at(24))


def pieces() -> list[Piece]:
    """Late batches in no order: telemetry in slices of three hours with one missing, jobs, a job that shrinks, prices."""
    world = World()
    for hour in range(0, 36, 3):
        world.power("busy_gpu", watts=60 + hour, start=hour, end=hour + 3)
        world.power("idle_gpu", watts=20, start=hour, end=hour + 3)
    slices = [
        telemetry(f"{samples['device_uid'].iloc[0]} {n}", samples)
        for n, samples in enumerate(world.telemetry)
        if n not in (5, 8)
    ]
    return [
        *slices,
        holding("over midnight", start=22, end=27),
        holding("short", start=4.1, end=4.2, device="idle_gpu"),
        price("morning", 50, start=0, end=9),
        price("evening", 150, start=15, end=30),
    ]


BASE = without(World(), signals=("electricity_usd_per_mwh",))


def fresh(slug: str, *inputs: World | Piece) -> dict[tuple[object, ...], tuple[int, ...]]:
    """Return what all inputs come to when they are there before anything is attributed."""
    run(slug, *inputs)
    return incurred(slug)


@settings(max_examples=examples(4), deadline=None)
@given(st.data())
def test_any_order_of_arrival_gives_the_same_standing_ledger(data: st.DataObject) -> None:
    late = data.draw(st.permutations(pieces()))
    stops = data.draw(st.sets(st.integers(1, len(late) - 1), max_size=4))
    with undone():
        collected("one", BASE)
        for n, piece in enumerate(late):
            collected("one", piece)
            if n in stops:
                run("one")
        run("one")

        assert incurred("one") == fresh("two", BASE, *late)
        assert check_all("one")["balanced"]
        again = run("one")
        assert (again.posted, again.reversed) == (0, 0)
