import pytest

from aiobserve.pipeline.collect import collect
from aiobserve.pipeline.plan import UnknownPolicy, make_plan
from aiobserve.reports.schedule import plan_report
from aiobserve.store.models import Plan
from aiobserve.store.write.organisation import ensure_organisation
from tests.worlds import World, at

pytestmark = pytest.mark.django_db


def company_with_a_queue() -> int:
    organisation_id = ensure_organisation("world", name="World")
    world = (
        World().job("holds-one", start=23, end=26).waiting("batch", deadline_at=at(40)).waiting("urgent", tier="urgent")
    )
    collect(organisation_id, world, now_at=at(24))
    return organisation_id


def test_without_a_forecast_everything_runs_now_and_says_why() -> None:
    organisation_id = company_with_a_queue()

    make_plan(organisation_id, now_at=at(24))

    report = plan_report(organisation_id)
    assert report is not None
    reasons = {row.job_name: (row.action, row.reason) for row in report.rows}
    assert reasons["batch"][0] == "run_now"
    assert "there is no electricity price forecast" in reasons["batch"][1]


def test_a_held_gpu_is_not_free() -> None:
    organisation_id = company_with_a_queue()

    make_plan(organisation_id, now_at=at(24))

    report = plan_report(organisation_id)
    assert report is not None
    assert sorted((row.start_at - at(24)).total_seconds() / 3600 for row in report.rows) == [0, 1]


def test_plans_of_long_ago_are_forgotten() -> None:
    organisation_id = company_with_a_queue()
    make_plan(organisation_id, now_at=at(24))

    make_plan(organisation_id, now_at=at(24 + 31 * 24))

    assert Plan.objects.filter(organisation_id=organisation_id).count() == 1


def test_an_unknown_policy_is_refused_by_name() -> None:
    with pytest.raises(UnknownPolicy, match="choose from run_now, cheapest_window"):
        make_plan(company_with_a_queue(), now_at=at(24), policy="best")
