"""Which part of the ledger a bill's line stands for: rules first, dated, then names that agree, never a guess."""

from datetime import UTC, datetime

import pytest

from aiobserve.domain.bill import Charge, Machine, Rule, Target
from aiobserve.ledger.bill_map import quantity_per_unit, target_of

AT = datetime(2026, 3, 2, tzinfo=UTC)
MARCH, APRIL = datetime(2026, 3, 1, tzinfo=UTC), datetime(2026, 4, 1, tzinfo=UTC)
FLEET = (
    Machine("lab", "node-1", "A100", 8_000, frozenset({"GPU-1", "GPU-2"})),
    Machine("lab", "node-2", "L40S", 4_000, frozenset({"GPU-3"})),
)


def charge(**more: str) -> Charge:
    plain = dict.fromkeys(("service", "resource", "sku", "sub_account", "sub_account_name", "region"), "")
    return Charge(**{"provider": "Cloud", "unit": "GPU-Hours", "category": "Usage", **plain, **more}, start_at=AT)


def rule(target: Target, *, until: datetime | None = None, **patterns: str) -> Rule:
    plain = dict.fromkeys(("provider", "service", "resource", "sku", "sub_account", "region"), "")
    return Rule(**{**plain, **patterns}, target=target, valid_from_at=MARCH, valid_to_at=until)


@pytest.mark.parametrize(
    ("line", "target"),
    [
        (charge(resource="node-1"), Target("lab", "node-1", "", "capacity")),
        (charge(resource="GPU-3", unit="Hours"), Target("lab", "node-2", "", "capacity")),
        (charge(region="lab", sku="A100"), Target("lab", "", "A100", "capacity")),
        (charge(sub_account_name="lab", sku="L40S"), Target("lab", "", "L40S", "capacity")),
        (charge(region="lab", sku="A100", unit="Hours"), None),  # an hour of how many GPUs?
        (charge(region="lab", sku="H100"), None),
        (charge(region="elsewhere", sku="A100"), None),
        (charge(resource="node-1", unit="Incidents"), None),
        (charge(resource="node-1", category="Tax"), None),
        (charge(), None),
    ],
)
def test_without_a_rule_names_that_agree_decide(line: Charge, target: Target | None) -> None:
    assert target_of(line, (), FLEET) == target


def test_the_first_rule_that_fits_counts_and_patterns_are_those_of_a_shell() -> None:
    first, second = Target("lab", "", "A100", "capacity"), Target("lab", "", "", "capacity")
    rules = (rule(first, service="GPU*", sub_account="prod-?"), rule(second, provider="Cloud"))

    assert target_of(charge(service="GPU Instances", sub_account_name="prod-1"), rules, FLEET) == first
    assert target_of(charge(service="gpu instances", sub_account_name="prod-1"), rules, FLEET) == second
    assert target_of(charge(provider="Other"), rules, FLEET) is None


def test_a_rule_holds_while_it_is_valid() -> None:
    target = Target("lab", "", "", "electricity")
    ended = (rule(target, provider="Cloud", until=AT),)

    assert target_of(charge(), ended, FLEET) is None
    assert target_of(charge(), (rule(target, provider="Cloud", until=APRIL),), FLEET) == target


def test_a_rule_can_say_that_a_line_is_no_matter_of_the_ledger() -> None:
    rules = (rule(Target("", "", "", "none"), resource="node-*"),)

    assert target_of(charge(resource="node-1"), rules, FLEET) is None


@pytest.mark.parametrize(
    ("unit", "target", "resource", "amount"),
    [
        ("GPU-Hours", Target("lab", "", "", "capacity"), "", 3_600_000),
        ("Hours", Target("lab", "node-1", "", "capacity"), "node-1", 8 * 3_600_000),
        ("Hours", Target("lab", "node-1", "", "capacity"), "GPU-1", 3_600_000),
        ("Seconds", Target("lab", "", "L40S", "capacity"), "", 4_000),
        ("Hours", Target("lab", "", "", "capacity"), "", None),  # machines of two sizes
        ("kWh", Target("lab", "", "", "electricity"), "", 3_600_000_000),
        ("GPU-Hours", Target("lab", "", "", "electricity"), "", None),
        ("Tokens", Target("", "", "", "api"), "", None),
    ],
)
def test_a_unit_is_known_or_it_is_not(unit: str, target: Target, resource: str, amount: int | None) -> None:
    assert quantity_per_unit(charge(unit=unit, resource=resource), target, FLEET) == amount
