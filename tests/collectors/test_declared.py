"""A declared file goes in as it was written, and every fault in it is named."""

from datetime import UTC, datetime
from pathlib import Path

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from collectors.base import Rejection, SourceGarbled, SourceUnavailable
from collectors.declared import DeclaredFile
from collectors.declared.parse import parse
from collectors.declared.tables import TABLES
from collectors.traces.detect import detect

ROOT = Path(__file__).resolve().parents[2]
EXAMPLE = ROOT / "docs" / "examples" / "company.toml"
SITE = '[[site]]\nname = "fra"\ngrid_zone = "DE"\n'


def frames(text: str) -> dict[str, pd.DataFrame]:
    found, rejections = parse(SITE + text, file="c.toml")
    assert rejections == []
    return found


def fault(text: str) -> Rejection:
    """The one fault of a text whose site is good."""
    found, rejections = parse(SITE + text, file="c.toml")
    assert list(found) == ["sites"]
    assert len(rejections) == 1
    return rejections[0]


def test_the_example_has_every_table_and_no_fault() -> None:
    text = EXAMPLE.read_text()
    found, rejections = parse(text, file="company.toml")

    assert rejections == []
    assert [name for name in TABLES if f"[[{name}]]" not in text] == []
    assert {name: len(frame) for name, frame in found.items()} == {
        "sites": 2, "devices": 21, "accounts": 3, "rates": 5, "commitments": 1, "pools": 2, "energy_contracts": 1,
        "embodied": 1, "dedications": 9, "signals": 5, "token_prices": 3,
    }  # fmt: skip


def test_a_declaration_is_known_by_its_first_table_or_its_ending(tmp_path: Path) -> None:
    assert detect(EXAMPLE) == "declared"
    path = tmp_path / "broken.toml"
    path.write_text("usd_per_gpu_hour: 1")
    assert detect(path) == "declared"
    (batch,) = DeclaredFile(EXAMPLE).collect()
    assert batch.source == "declared"


def test_what_is_owned_costs_its_depreciation_and_its_upkeep() -> None:
    # (30,000 - 6,000) / 5 + 1,200 = 6,000 a year; / 8,760 h = 0.684932; / 0.75 = 0.913242.
    rate = frames(
        '[[owned]]\nsku = "X"\ncapex_usd = 30_000\nresidual_usd = 6000\nrunning_usd_per_year = 1200\nutilisation_floor = 0.75\n'
    )["rates"].iloc[0]

    assert (rate["usd_per_gpu_hour"], rate["list_usd_per_gpu_hour"]) == (0.684932, 0.913242)
    assert (rate["purchase"], bool(rate["includes_electricity"])) == ("owned", False)
    assert "capex_usd 30000" in rate["source"]


def test_terms_of_ownership_that_give_no_price_are_named() -> None:
    assert "residual of 9.0 USD of 5.0 USD" in fault('[[owned]]\nsku = "X"\ncapex_usd = 5\nresidual_usd = 9\n').reason


def test_tokens_are_priced_by_kind_less_what_was_agreed() -> None:
    prices = frames(
        '[[token_price]]\nprovider = "acme"\nmodel = "big"\ninput_usd_per_million = 4\noutput_usd_per_million = 20\n'
        "discount_ratio = 0.25\n"
    )["token_prices"]

    assert prices[["kind", "usd_per_million", "list_usd_per_million"]].to_numpy().tolist() == [
        ["input", 3.0, 4.0],
        ["output", 15.0, 20.0],
    ]


def test_tokens_without_a_price_are_refused_with_the_keys_that_give_one() -> None:
    assert "input_usd_per_million" in fault('[[token_price]]\nprovider = "acme"\nmodel = "big"\n').reason


def test_a_spot_price_holds_from_change_to_change() -> None:
    rates = frames(
        '[[rate]]\nsku = "X"\npurchase = "spot"\nvalid_to = 2026-11-01\nchanges = [\n'
        "{ from = 2026-10-01T08:10:30Z, usd_per_gpu_hour = 0.1 },\n"
        "{ from = 2026-10-01T12:00:00+02:00, usd_per_gpu_hour = 0.3 } ]\n"
    )["rates"]

    ten = pd.Timestamp("2026-10-01T10:00:00Z")
    assert rates["valid_from_at"].tolist() == [pd.Timestamp("2026-10-01T08:10:30Z"), ten]
    assert rates["valid_to_at"].tolist() == [ten, pd.Timestamp("2026-11-01T00:00:00Z")]
    assert rates["usd_per_gpu_hour"].tolist() == [0.1, 0.3]


def test_a_month_is_a_twelfth_of_a_year_and_a_price_is_whole_microdollars() -> None:
    pools = frames(
        '[[pool]]\nname = "a"\nsite = "fra"\nusd_per_month = 730\n[[pool]]\nname = "b"\nsite = "fra"\nusd_per_month = 1000\n'
    )["pools"]

    assert pools["usd_per_hour"].tolist() == [1.0, 1.369863]


def test_a_hosts_watts_are_shared_by_its_gpus() -> None:
    devices = frames(
        '[[host]]\nsite = "fra"\nnode = "n"\ntdp_w = 1600\nidle_w = 400\nactive_w = 800\n'
        '[[device]]\nsite = "fra"\nnode = "n"\nsku = "X"\ngpus = 4\ntdp_w = 300\n'
    )["devices"]

    host = devices[devices["kind"] == "host"].iloc[0]
    assert (host["capacity_millis"], host["tdp_w"], host["idle_w"], host["active_w"]) == (4000, 400.0, 100.0, 200.0)
    gpu = devices[devices["kind"] == "gpu"].iloc[0]
    assert (len(devices), gpu["capacity_millis"], gpu["idle_w"], gpu["active_w"]) == (5, 1000, 30.0, 225.0)


def test_a_dedicated_node_is_all_of_its_devices() -> None:
    kept = frames(
        '[[dedication]]\nsite = "fra"\nnode = "n"\naccount = "nlp"\n'
        '[[device]]\nsite = "fra"\nnode = "n"\nsku = "X"\nuids = ["GPU-1", "GPU-2"]\ntdp_w = 300\n'
        '[[host]]\nsite = "fra"\nnode = "n"\ntdp_w = 900\n'
    )["dedications"]

    assert kept["device_uid"].tolist() == ["GPU-1", "GPU-2", "fra/n/host"]


def test_an_open_end_is_closed_where_the_next_begins() -> None:
    accounts = frames(
        '[[account]]\naccount = "a"\nteam = "Old"\n[[account]]\naccount = "a"\nteam = "New"\nvalid_from = 2026-10-15\n'
    )["accounts"]

    assert accounts["valid_to_at"].iloc[0] == pd.Timestamp("2026-10-15T00:00:00Z")
    assert pd.isna(accounts["valid_to_at"].iloc[1])


def test_a_constant_becomes_a_signal_of_site_or_zone() -> None:
    signals = frames('[[pue]]\nsite = "fra"\nratio = 1.25\n[[tariff]]\nsite = "fra"\nusd_per_kwh = 0.14\n')["signals"]

    assert signals[["kind", "scope", "value"]].to_numpy().tolist() == [
        ["pue_ratio", "fra", 1.25],
        ["electricity_usd_per_mwh", "DE", 140.0],
    ]
    assert (signals["end_at"] == pd.Timestamp(datetime(2100, 1, 1, tzinfo=UTC))).all()


RATE = '[[rate]]\nsku = "X"\n'


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (RATE + "usd_per_gpu_houre = 1", "unknown key usd_per_gpu_houre = 1: did you mean usd_per_gpu_hour?"),
        ("[[rate]]\nusd_per_gpu_hour = 1", "sku is missing"),
        (RATE + "usd_per_gpu_hour = -1", "usd_per_gpu_hour = -1: give a number from 0 to 1000"),
        (RATE + "usd_per_gpu_hour = nan", "usd_per_gpu_hour = NaN: give a number from 0"),
        (RATE + 'usd_per_gpu_hour = "1.20"', "usd_per_gpu_hour = '1.20': write a number without quotes"),
        (RATE + "usd_per_gpu_hour = true", "usd_per_gpu_hour = True: write a number"),
        (RATE + "usd_per_gpu_hour = 1\nchanges = []", "changes = []: write a list, e.g."),
        (RATE, "give either usd_per_gpu_hour = ... or changes"),
        (RATE + "changes = [{ from = 2026-01-02, usd_per_gpu_hour = 1 }, { from = 2026-01-01, usd_per_gpu_hour = 1 }]",
         "change 2: from = 2026-01-01T00:00:00+00:00 must be later"),
        (RATE + "changes = [{ from = 2026-01-02 }]", "change 1: usd_per_gpu_hour is missing"),
        (RATE + "usd_per_gpu_hour = 1\nvalid_from = 2026-01-01T00:00:00", "valid_from = 2026-01-01T00:00:00: the time has no offset"),
        (RATE + "usd_per_gpu_hour = 1\nvalid_from = 2026-02-01\nvalid_to = 2026-02-01", "it must be later than valid_from"),
        (RATE + 'usd_per_gpu_hour = 1\npurchase = "gift"', "purchase = 'gift': choose from on_demand, spot"),
        (RATE + 'usd_per_gpu_hour = 1\nsite = "nowhere"', "site = 'nowhere': no [[site]] of this file has that name (fra)"),
        ('[[site]]\nname = "ber"\ngrid_zone = "DE"\ntimezone = "Europe/Belin"', "timezone = 'Europe/Belin': no such time zone"),
        ('[[site]]\nname = "fra"\ngrid_zone = "FR"', "says again what [[site]] entry 1 says"),
        ('[[account]]\naccount = "a\\u0000b"\nteam = "t"', "control character"),
        ('[[account]]\naccount = ""\nteam = "t"', "write text in quotes"),
        ('[[pool]]\nname = "p"\nsite = "fra"', "costs nothing and draws nothing"),
        ('[[pool]]\nname = "p"\nsite = "fra"\nusd_per_hour = 1\nshared_by = "label"', "needs a label"),
        ('[[pool]]\nname = "p"\nsite = "fra"\nusd_per_hour = 1\nlabel = "Vision"', "team=NAME"),
        ('[[energy_contract]]\nname = "p"\nsite = "fra"\nkind = "ppa"\ng_per_kwh = 0', "give one of kwh_per_hour"),
        ('[[embodied]]\nsku = "X"\nkg_co2e = 100', "source is missing"),
        ('[[host]]\nsite = "fra"\nnode = "n"\ntdp_w = 500', "no [[device]] of it is declared"),
        ('[[dedication]]\naccount = "a"\ndevices = ["GPU-9"]', "'GPU-9' is no [[device]] of this file"),
        ('[[device]]\nsite = "fra"\nnode = "n"\nsku = "X"\ntdp_w = 300', "give uids = [...]"),
        ('[[device]]\nsite = "fra"\nnode = "n"\nsku = "X"\ntdp_w = 300\nidle_w = 400\ngpus = 1', "must not fall in this order"),
        ('[[device]]\nsite = "fra"\nnode = "n"\nsku = "X"\ntdp_w = 300\nuids = ["a", "a"]', "names the same thing twice"),
        ("[[tarif]]\nusd = 1", "no such table"),
        ("[rate]\nsku = 1", "write it as a list of tables: [[rate]]"),
    ],
)  # fmt: skip
def test_a_fault_is_named_with_what_to_do(text: str, words: str) -> None:
    one = fault(text)

    assert words in one.reason
    assert one.reason.startswith("c.toml: [")
    assert one.position == 4
    assert "line 4" in one.reason


def test_the_neighbours_of_a_bad_entry_go_in() -> None:
    good = '[[account]]\naccount = "a"\nteam = "T"\n'
    found, rejections = parse(SITE + good + "[[account]]\nteam = 1\n" + good.replace('"a"', '"b"'), file="c.toml")

    assert found["accounts"]["account"].tolist() == ["a", "b"]
    assert [(one.position, "[[account]] entry 2, line 7: account is missing" in one.reason) for one in rejections] == [
        (7, True)
    ]


def test_two_owners_at_one_time_are_refused() -> None:
    entry = '[[account]]\naccount = "a"\nteam = "T"\n'
    found, rejections = parse(entry + "valid_to = 2026-06-01\n" + entry + "valid_from = 2026-05-01\n", file="c.toml")

    assert len(found["accounts"]) == 1
    assert "two values from 2026-05-01" in rejections[0].reason


def test_what_is_no_toml_is_refused_with_its_line(tmp_path: Path) -> None:
    path = tmp_path / "c.toml"
    path.write_text("[[site]]\nname = fra\n")
    with pytest.raises(SourceGarbled, match=r"c.toml: no TOML: .*line 2"):
        list(DeclaredFile(path).collect())

    path.write_bytes(b"\xff\xfe")
    with pytest.raises(SourceGarbled, match="byte 0 is no UTF-8"):
        list(DeclaredFile(path).collect())

    with pytest.raises(SourceUnavailable, match="No such file"):
        list(DeclaredFile(tmp_path / "none.toml").collect())


ODD = (
    "true", "-1", "0", "1", "0.5", "3", "nan", "inf", "1e400", "99999999999999999999", "2026-01-01", "0001-01-01",
    "0001-01-01T00:00:00+23:59", "9999-12-31T23:59:59-23:59", "2026-01-01T00:00:00Z", "07:32:00", "[]", "{}", "[[]]", "[{}]",
    '[1, "a"]', '""', '"x"', '"fra"', '"=1+1"', '"<b>"', r'"\u0000"', r'"\u202e"', '"even"', '"ppa"', '"team="',
    "[{ from = 2026-01-01, usd_per_gpu_hour = 1 }]",
)  # fmt: skip


@given(
    table=st.sampled_from(sorted(TABLES)),
    values=st.lists(st.sampled_from(ODD), min_size=14, max_size=14),
    missing=st.integers(0, 2**14 - 1),
)
def test_no_entry_whatever_it_holds_stops_the_rest(table: str, values: list[str], missing: int) -> None:
    keys = [key for place, key in enumerate(TABLES[table].fields) if not missing >> place & 1]
    lines = [f"{key} = {value}" for key, value in zip(keys, values, strict=False)]

    found, rejections = parse("\n".join([SITE, f"[[{table}]]", *lines]), file="c.toml")

    taken = sum(len(frame) for frame in found.values()) - 1
    assert "fra" in found["sites"]["site"].tolist()
    assert (taken > 0) != (len(rejections) == 1)
