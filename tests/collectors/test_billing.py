"""Bills as providers send them: money to the microdollar, bad rows by position, nothing from a file that is cut off."""

import gzip
from decimal import Decimal
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from collectors.base import Batch, SourceGarbled, SourceUnavailable
from collectors.billing.collector import FocusBill
from collectors.billing.money import decimal, microusd
from collectors.billing.parse import REQUIRED
from collectors.billing.rules import COLUMNS as RULE_COLUMNS
from collectors.billing.rules import BillRules
from collectors.traces.detect import BILL_RULE_COLUMNS, FOCUS_COLUMNS, detect

DAY = {
    "ChargePeriodStart": "2026-03-02T00:00:00Z",
    "ChargePeriodEnd": "2026-03-03T00:00:00Z",
    "ChargeCategory": "Usage",
}


def row(billed: str, **more: str) -> dict[str, str]:
    return {"BilledCost": billed, "EffectiveCost": billed, "BillingCurrency": "USD", **DAY, **more}


def batches(folder: Path, *rows: dict[str, str], **options: Any) -> list[Batch]:
    path = folder / "bill.csv"
    pd.DataFrame(list(rows)).fillna("").to_csv(path, index=False)
    return list(FocusBill(path, **options).collect())


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("0.00000080000", "0.0000008"), ("8E-7", "0.0000008"), ("$10,000.00 ", "10000"), ("-2.61370000000", "-2.6137"),
        ("1,000", "1000"), (".5", "0.5"), ("+3", "3"),
    ],
)  # fmt: skip
def test_money_is_read_as_it_is_written(text: str, number: str) -> None:
    assert decimal(text) == Decimal(number)


@pytest.mark.parametrize("text", ["", "ten", "1,5", "NaN", "Infinity", "1e9999", "--1", "0x10", "1_000", "٣"])
def test_what_is_no_money_is_none(text: str) -> None:
    assert decimal(text) is None


@given(st.lists(st.decimals(min_value=-1000, max_value=1000, places=9, allow_nan=False), max_size=60))
def test_microdollars_sum_to_the_exact_sum_rounded_once(amounts: list[Decimal]) -> None:
    parts = microusd(amounts)

    assert abs(sum(parts) - sum(amounts, Decimal(0)) * 1_000_000) <= Decimal("0.5")
    assert all(abs(part - amount * 1_000_000) <= 1 for part, amount in zip(parts, amounts, strict=True))


@given(st.lists(st.integers(-(10**15), 10**15), max_size=30))
def test_whole_microdollars_are_never_changed(amounts: list[int]) -> None:
    assert microusd([Decimal(amount) / 1_000_000 for amount in amounts]) == amounts


def test_a_thousand_small_lines_are_not_nothing(tmp_path: Path) -> None:
    (batch,) = batches(tmp_path, *[row("0.0000004")] * 1000)

    assert batch.frames["bill_lines"]["billed_microusd"].sum() == 400


def test_bad_rows_are_refused_by_position_and_their_neighbours_go_in(tmp_path: Path) -> None:
    (batch,) = batches(
        tmp_path,
        row("1.10"),
        row("ten"),
        row("2", ChargePeriodStart="yesterday"),
        row("2", ChargePeriodStart="2026-03-04T00:00:00Z"),
        row("2", ChargeCategory="Gift"),
        row("2", BillingCurrency="EUR"),
        row("99999999999"),
        row("2", ServiceName="a\0b"),
        row("3.30"),
    )

    assert batch.frames["bill_lines"]["billed_microusd"].tolist() == [1_100_000, 3_300_000]
    assert [one.position for one in batch.rejections] == [2, 3, 4, 5, 6, 7, 8]
    assert [one.reason.split(" ")[0] for one in batch.rejections] == [
        "BilledCost", "ChargePeriodStart", "ChargePeriodEnd", "ChargeCategory", "billed", "BilledCost", "holds",
    ]  # fmt: skip
    assert "--usd-per-unit" in batch.rejections[4].reason


def test_a_currency_with_a_rate_is_turned_into_dollars(tmp_path: Path) -> None:
    (batch,) = batches(tmp_path, row("10", BillingCurrency="EUR"), usd_per_unit={"EUR": 1.18})

    line = batch.frames["bill_lines"].iloc[0]
    assert (line["billed_microusd"], line["currency"]) == (11_800_000, "EUR")
    assert "EUR=1.18" in batch.batch_id


def test_null_is_nothing_and_a_missing_list_cost_stays_missing(tmp_path: Path) -> None:
    (batch,) = batches(tmp_path, row("1", ListCost="NULL", ContractedCost="0.9", ResourceId="NULL", Tags="NULL"))

    line = batch.frames["bill_lines"].iloc[0]
    assert (line["resource"], line["tags"]) == ("", "{}")
    assert pd.isna(line["list_microusd"])
    assert line["contracted_microusd"] == 900_000


def test_instants_without_a_zone_are_utc_and_a_missing_billing_period_is_the_month(tmp_path: Path) -> None:
    (batch,) = batches(tmp_path, row("1", ChargePeriodStart="2026-03-02 00:00:00"))

    line = batch.frames["bill_lines"].iloc[0]
    assert line["start_at"] == pd.Timestamp("2026-03-02", tz="UTC")
    assert line["billing_end_at"] == pd.Timestamp("2026-04-01", tz="UTC")


def test_tags_that_are_no_json_are_kept_as_text_and_do_not_cost_the_row(tmp_path: Path) -> None:
    (batch,) = batches(tmp_path, row("1", Tags="team=nlp"), row("1", Tags='{"team": "nlp"}'))

    assert batch.frames["bill_lines"]["tags"].tolist() == ['{"x_unreadable": "team=nlp"}', '{"team": "nlp"}']


def test_parquet_and_csv_of_the_same_bill_are_the_same_lines(tmp_path: Path) -> None:
    rows = [row("1.10", ResourceId="node-1"), row("0.0000004")]
    (from_csv,) = batches(tmp_path, *rows)
    frame = pd.DataFrame(rows).fillna("").assign(BilledCost=[Decimal("1.10"), Decimal("0.0000004")])
    frame["ChargePeriodStart"] = pd.to_datetime(frame["ChargePeriodStart"])
    frame.to_parquet(tmp_path / "bill.parquet")

    (from_parquet,) = FocusBill(tmp_path / "bill.parquet").collect()

    unlike = ["document"]
    pd.testing.assert_frame_equal(
        from_csv.frames["bill_lines"].drop(columns=unlike), from_parquet.frames["bill_lines"].drop(columns=unlike)
    )


def test_a_bill_that_is_cut_off_gives_nothing(tmp_path: Path) -> None:
    text = pd.DataFrame([row(f"{n}.10") for n in range(5000)]).to_csv(index=False).encode()
    (tmp_path / "bill.csv.gz").write_bytes(gzip.compress(text)[:-500])
    taken = []

    with pytest.raises(SourceGarbled, match="cannot be read as CSV"):
        taken.extend(FocusBill(tmp_path / "bill.csv.gz").collect())

    assert taken == []


def test_a_file_that_is_no_bill_says_what_is_missing(tmp_path: Path) -> None:
    (tmp_path / "x.csv").write_text("a,b\n1,2\n")

    with pytest.raises(SourceGarbled, match="column BilledCost, EffectiveCost"):
        list(FocusBill(tmp_path / "x.csv").collect())
    with pytest.raises(SourceUnavailable, match="no such file"):
        list(FocusBill(tmp_path / "y.csv").collect())


def test_a_bill_and_its_rules_are_known_by_their_columns(tmp_path: Path) -> None:
    pd.DataFrame([row("1")]).to_csv(tmp_path / "x.csv", index=False)
    pd.DataFrame(columns=list(RULE_COLUMNS)).to_csv(tmp_path / "y.csv", index=False)

    assert detect(tmp_path / "x.csv") == "focus-bill"
    assert detect(tmp_path / "y.csv") == "bill-rules"
    assert (FOCUS_COLUMNS, BILL_RULE_COLUMNS) == (REQUIRED, RULE_COLUMNS)


def test_one_bad_rule_refuses_the_whole_map(tmp_path: Path) -> None:
    rules = pd.DataFrame([dict.fromkeys(RULE_COLUMNS, "") | {"provider": "C", "site": "lab", "part": "capacity"}] * 2)
    rules.loc[1, "part"] = "everything"
    rules.to_csv(tmp_path / "rules.csv", index=False)

    with pytest.raises(SourceGarbled, match="rule 2: part is none of capacity"):
        list(BillRules(tmp_path / "rules.csv").collect())


def test_the_public_sample_comes_to_what_decimals_come_to(traces: Path) -> None:
    path = traces / "open/billing/focus_sample_dev.csv.gz"
    raw = pd.read_csv(path, dtype=str, keep_default_na=False)

    (batch,) = FocusBill(path).collect()

    lines = batch.frames["bill_lines"]
    assert (len(lines), batch.rejections) == (741, ())
    for column, name in (("billed_microusd", "BilledCost"), ("effective_microusd", "EffectiveCost")):
        exact = sum(map(Decimal, raw[name]), Decimal(0)) * 1_000_000
        assert abs(int(lines[column].sum()) - exact) <= Decimal("0.5")
    assert sorted(lines["provider"].unique()) == ["AWS", "Microsoft", "Oracle"]


@pytest.mark.parametrize(
    ("name", "billed", "effective", "status"),
    [
        ("commitment_discount_scenarios__commitment_discount_usage_scenario_1.csv", 0, 1_000_000, "Used"),
        ("commitment_discount_scenarios__commitment_discount_usage_scenario_2.csv", 0, 1_000_000, "Unused"),
        ("saas_examples__simple_agreements__simple_saas_agreements_a1.csv", 10_000_000_000, 10_000_000_000, ""),
        ("saas_examples__virtual_currency_pricing_model_a1.csv", 200_000_000_000, 0, ""),
    ],
)
def test_the_vectors_of_the_specification_are_read(
    traces: Path, name: str, billed: int, effective: int, status: str
) -> None:
    (batch,) = FocusBill(traces / "formats/focus_v1_2" / name).collect()

    (line,) = batch.frames["bill_lines"].to_dict("records")
    assert (line["billed_microusd"], line["effective_microusd"], line["commitment_status"]) == (
        billed, effective, status,
    )  # fmt: skip
    assert line["start_at"] in (pd.Timestamp("2023-01-01", tz="UTC"), pd.Timestamp("2025-04-01", tz="UTC"))
