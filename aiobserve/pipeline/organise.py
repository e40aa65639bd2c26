"""Changes the rules of the organisation map: all of a change or nothing, and the days that it touches become due."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

from django.db import transaction

from aiobserve.attribution.rule_forms import NEW, Proposal, StoredRule, proposal
from aiobserve.attribution.rules import CONDITIONS, FOREVER_S
from aiobserve.inputs.bearers import rule_of
from aiobserve.store.read.fleet import due_days
from aiobserve.store.read.rules import rules
from aiobserve.store.write.rules import add_rule, lock_rules, set_standing, want_ruled_days


@dataclass(frozen=True)
class Applied:
    """What became of a change: the number of the new rule (0: none was made), what was withdrawn and restored, days due."""

    rule: int
    withdrawn: tuple[int, ...]
    restored: tuple[int, ...]
    days_due: int


def known_rules(organisation_id: int) -> list[StoredRule]:
    """Return every rule, withdrawn ones too, with names of teams and projects."""
    return [
        StoredRule(rule_of(row, named=True), row.withdrawn_at is None, row.reason, row.replaces or NEW)
        for row in rules(organisation_id)
    ]


def apply_change(organisation_id: int, texts: Mapping[str, str], *, clock_at: datetime) -> Applied:
    """Carry a change out in one transaction; undo it with `restore` or `withdraw`.

    Args:
        texts: as `attribution.rule_forms.proposal` takes them.

    Raises:
        BadRule: nothing was written.
    """
    with transaction.atomic():
        lock_rules(organisation_id)
        asked = proposal(known_rules(organisation_id), texts)
        set_standing(organisation_id, withdraw=asked.withdraw, restore=asked.restore, at=clock_at)
        made = _add(organisation_id, asked)
        want_ruled_days(
            organisation_id, [(rule.site, *_span(rule.valid_from_s, rule.valid_to_s)) for rule in asked.changed]
        )
        return Applied(made, asked.withdraw, asked.restore, len(due_days(organisation_id)))


def _add(organisation_id: int, asked: Proposal) -> int:
    rule = asked.add
    if rule is None:
        return NEW
    first_at, last_at = _span(rule.valid_from_s, rule.valid_to_s)
    return add_rule(
        organisation_id,
        team=str(rule.team),
        project=str(rule.project),
        priority=rule.priority,
        **{name: getattr(rule, name) for name in CONDITIONS},
        valid_from_at=first_at,
        valid_to_at=last_at,
        reason=asked.reason,
        replaces_id=asked.replaces or None,
    )


def _span(first_s: int, last_s: int) -> tuple[datetime, datetime | None]:
    return datetime.fromtimestamp(first_s, UTC), None if last_s >= FOREVER_S else datetime.fromtimestamp(last_s, UTC)
