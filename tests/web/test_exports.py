import pytest
from hypothesis import given
from hypothesis import strategies as st

from aiobserve.exports.cells import FORMULA_STARTS, text_cell
from aiobserve.exports.files import write_csv
from aiobserve.exports.focus import COLUMNS


@given(st.text())
def test_no_text_becomes_a_formula(text: str) -> None:
    cell = text_cell(text)

    assert not cell.lstrip(" ").startswith(FORMULA_STARTS)
    assert "\0" not in cell


@pytest.mark.parametrize("text", ["nlp", "team 7", "a=b", "x-1"])
def test_an_ordinary_name_is_left_as_it_is(text: str) -> None:
    assert text_cell(text) == text


def test_an_export_that_fails_half_way_leaves_nothing(tmp_path) -> None:  # type: ignore[no-untyped-def]
    def rows():  # type: ignore[no-untyped-def]
        yield [1]
        raise RuntimeError("the database went away")

    with pytest.raises(RuntimeError):
        write_csv(tmp_path / "out.csv", ["n"], rows())

    assert list(tmp_path.iterdir()) == []


def test_the_mandatory_columns_of_focus_are_there() -> None:
    mandatory = {
        "BilledCost", "BillingAccountId", "BillingAccountName", "BillingCurrency", "BillingPeriodEnd", "BillingPeriodStart",
        "ChargeCategory", "ChargeClass", "ChargeDescription", "ChargePeriodEnd", "ChargePeriodStart", "ContractedCost",
        "EffectiveCost", "InvoiceIssuerName", "ListCost", "PricingQuantity", "PricingUnit", "ProviderName", "PublisherName",
        "ServiceCategory", "ServiceName",
    }  # fmt: skip

    assert mandatory <= set(COLUMNS)
    assert len(COLUMNS) == len(set(COLUMNS))
