"""Whole companies through the real pipeline, against ledgers that were worked out by hand."""

import pytest

from aiobserve.domain.account import MEASURES
from aiobserve.domain.quality import Quality
from aiobserve.pipeline.check import check_all
from aiobserve.pipeline.collect import collect
from aiobserve.pipeline.sweep import attribute_due
from aiobserve.store.read import ledger
from aiobserve.store.write.organisation import ensure_organisation
from tests.companies import Company, companies

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize("company", companies(), ids=lambda company: company.name)
def test_the_ledger_is_what_somebody_reckoned_by_hand(company: Company) -> None:
    organisation_id = ensure_organisation(company.name, name=company.told["title"])

    collect(organisation_id, company, now_at=company.span.end_at)
    swept = attribute_due(organisation_id, now_at=company.span.end_at)

    assert not swept.blocked
    found = ledger.sums(organisation_id, company.span, group_by=company.by)
    assert {row.keys: row.sums for row in found} == company.lines
    assert {row.keys: qualities(row) for row in found if qualities(row)} == company.qualities
    assert [row.sums for row in ledger.sums(organisation_id, company.span, group_by=())] == [company.total]
    assert check_all(company.name)["balanced"]


def qualities(row: ledger.SumRow) -> list[Quality]:
    """Return the qualities of which some of a line's energy is."""
    return [quality for quality, amount in row.by_quality["energy_millij"].items() if amount]


@pytest.mark.parametrize("company", companies(), ids=lambda company: company.name)
def test_the_lines_sum_to_the_total_in_the_file_itself(company: Company) -> None:
    sums = {name: sum(line[name] for line in company.lines.values()) for name in MEASURES}

    assert sums == company.total
    assert len(company.lines) == len(company.told["ledger"])
