"""What a person asks of the rules (add, change, end, withdraw, restore), from texts to a proposal, or what is wrong by field."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from aiobserve.attribution.rules import CONDITIONS, FOREVER_S, Rule, conflicts
from aiobserve.domain.window import WINDOW_S

LONGEST = {"account": 200, "user": 200, "site": 100, "model": 200, "job_name": 300, "label": 200, "team": 200,
           "project": 200, "reason": 500}  # fmt: skip
LARGEST_PRIORITY = 1_000_000
FIRST_YEAR, LAST_YEAR = 1971, 2199
ACTIONS = {
    "add": "a new rule",
    "change": "another rule in the place of one that stands",
    "end": "the rule holds until an instant and no longer",
    "withdraw": "as if the rule had never been",
    "restore": "a withdrawn rule stands again, and what replaced it is withdrawn",
}
NEW = 0


class BadRule(ValueError):
    """What was asked cannot be done; `errors` says for each field what is wrong and what to do."""

    def __init__(self, errors: Mapping[str, str]) -> None:
        super().__init__("; ".join(f"{name}: {words}" for name, words in errors.items()))
        self.errors = dict(errors)


@dataclass(frozen=True)
class StoredRule:
    """A rule that is known: whether it stands, why it was made, and which one it replaced (0: none)."""

    rule: Rule
    stands: bool
    reason: str = ""
    replaces: int = NEW


@dataclass(frozen=True)
class Proposal:
    """What a change comes to: the rules that stand before and after, and what has to be written.

    Attributes:
        withdraw, restore: numbers of rules.
        add: the new rule, pk 0, or None; `replaces` is the one it stands in for, 0 for none.
    """

    before: tuple[Rule, ...]
    after: tuple[Rule, ...]
    withdraw: tuple[int, ...] = ()
    restore: tuple[int, ...] = ()
    add: Rule | None = None
    replaces: int = NEW
    reason: str = ""

    @property
    def changed(self) -> tuple[Rule, ...]:
        """Return the rules that stand before or after, not both."""
        return tuple(rule for rule in (*self.before, *self.after) if (rule in self.before) != (rule in self.after))


def proposal(known: Sequence[StoredRule], texts: Mapping[str, str]) -> Proposal:
    """Return what the texts ask for.

    Args:
        known: every rule of the organisation, withdrawn ones too.
        texts: action (one of `ACTIONS`), rule (a number, but for add), at (for end), tz (zone of instants without one; UTC
            by default), and for add and change the fields of a rule: priority, conditions, team, project, valid_from,
            valid_to, reason.

    Raises:
        BadRule: a field cannot be understood, or the rules would contradict each other.
    """
    action = texts.get("action") or "add"
    if action not in ACTIONS:
        raise BadRule({"action": f"{action[:40]!r} is not known; choose from {', '.join(ACTIONS)}"})
    standing = tuple(one.rule for one in known if one.stands)
    if action == "add":
        return _with(standing, (), _rule(texts), texts)
    chosen = _chosen(known, texts.get("rule", ""), stands=action != "restore")
    if action == "change":
        return _with(standing, (chosen.rule.pk,), _rule(texts), texts)
    if action == "end":
        return _with(standing, (chosen.rule.pk,), _ended(chosen.rule, texts), texts)
    if action == "withdraw":
        after = tuple(rule for rule in standing if rule.pk != chosen.rule.pk)
        return Proposal(standing, after, withdraw=(chosen.rule.pk,))
    return _restored(known, standing, chosen)


def _with(standing: tuple[Rule, ...], gone: tuple[int, ...], new: Rule, texts: Mapping[str, str]) -> Proposal:
    rest = tuple(rule for rule in standing if rule.pk not in gone)
    _refuse_conflicts(new, rest)
    return Proposal(
        standing,
        (*rest, new),
        withdraw=gone,
        add=new,
        replaces=gone[0] if gone else NEW,
        reason=_text(texts, "reason", {}),
    )


def _restored(known: Sequence[StoredRule], standing: tuple[Rule, ...], chosen: StoredRule) -> Proposal:
    heirs = {chosen.rule.pk}
    # A replacement is always newer than what it replaces.
    for one in sorted(known, key=lambda one: one.rule.pk):
        if one.replaces in heirs:
            heirs.add(one.rule.pk)
    gone = tuple(rule.pk for rule in standing if rule.pk in heirs)
    rest = tuple(rule for rule in standing if rule.pk not in heirs)
    _refuse_conflicts(chosen.rule, rest)
    return Proposal(standing, (*rest, chosen.rule), withdraw=gone, restore=(chosen.rule.pk,))


def _refuse_conflicts(new: Rule, others: Sequence[Rule]) -> None:
    found = conflicts(new, others)
    if found:
        other = found[0]
        raise BadRule(
            {
                "priority": f"rule {other.pk} ({other.in_words()} -> {other.team}) has the same priority {other.priority} and could "
                "meet the same job at the same time, so neither would count first; choose another priority, end that rule, "
                "or make the conditions exclude each other"
            }
        )


def _chosen(known: Sequence[StoredRule], text: str, *, stands: bool) -> StoredRule:
    found = next((one for one in known if text.isascii() and text.isdigit() and one.rule.pk == int(text[:18])), None)
    if found is None:
        raise BadRule({"rule": f"there is no rule {text[:40]!r}; the list has their numbers"})
    if found.stands != stands:
        words = "is withdrawn; restore it first" if stands else "stands; there is nothing to restore"
        raise BadRule({"rule": f"rule {found.rule.pk} {words}"})
    return found


def _ended(rule: Rule, texts: Mapping[str, str]) -> Rule:
    errors: dict[str, str] = {}
    at_s = _instant(texts, "at", errors)
    if at_s is None and not errors:
        errors["at"] = "say when the rule ends, as 2026-10-15 or 2026-10-15T06:00"
    if at_s is not None and not rule.valid_from_s < at_s < rule.valid_to_s:
        errors["at"] = "must lie within the rule's own span; to undo the whole rule, withdraw it"
    if errors:
        raise BadRule(errors)
    return replace(rule, pk=NEW, valid_to_s=at_s or FOREVER_S)


def _rule(texts: Mapping[str, str]) -> Rule:
    errors: dict[str, str] = {}
    conditions = {name: _text(texts, name, errors) for name in CONDITIONS}
    team, project = _text(texts, "team", errors), _text(texts, "project", errors)
    _text(texts, "reason", errors)
    if not any(conditions.values()) and not errors:
        errors["account"] = "a rule needs a condition: fill in an account, user, site, model, job name or label"
    for name, value in (("team", team), ("project", project)):
        if not value and name not in errors:
            errors[name] = f"name the {name} that matching jobs belong to"
    priority = _priority(texts.get("priority", ""), errors)
    from_s, to_s = _instant(texts, "valid_from", errors), _instant(texts, "valid_to", errors)
    if from_s is None and "valid_from" not in errors:
        errors["valid_from"] = "say from when the rule holds, as 2026-10-15 or 2026-10-15T06:00"
    if from_s is not None and to_s is not None and to_s <= from_s:
        errors["valid_to"] = "must lie after valid_from; leave it empty for a rule without end"
    if errors:
        raise BadRule(errors)
    return Rule(
        NEW, priority, **conditions, team=team, project=project, valid_from_s=from_s or 0, valid_to_s=to_s or FOREVER_S
    )


def _text(texts: Mapping[str, str], name: str, errors: dict[str, str]) -> str:
    value = texts.get(name, "").strip()
    if "\0" in value:
        errors[name] = "holds a NUL character, which no name has"
    elif len(value) > LONGEST[name]:
        errors[name] = f"is {len(value)} characters long; at most {LONGEST[name]} are kept"
    return value


def _priority(text: str, errors: dict[str, str]) -> int:
    digits = text.strip().removeprefix("-") or "100"
    if not digits.isascii() or not digits.isdigit() or len(digits) > 7 or int(digits) > LARGEST_PRIORITY:
        errors["priority"] = f"{text[:40]!r} is no whole number up to {LARGEST_PRIORITY}"
        return 0
    return -int(digits) if text.strip().startswith("-") else int(digits)


def _instant(texts: Mapping[str, str], name: str, errors: dict[str, str]) -> int | None:
    """Return epoch seconds of a date (midnight in the zone `tz`) or an instant; None where the text is empty or wrong."""
    text = texts.get(name, "").strip()
    if not text:
        return None
    try:
        zone = ZoneInfo(texts.get("tz") or "UTC")
        day = len(text) == len("2026-10-15")
        at = datetime.combine(date.fromisoformat(text), time()) if day else datetime.fromisoformat(text)
        at = at if at.tzinfo else at.replace(tzinfo=zone)
        if not FIRST_YEAR <= at.year <= LAST_YEAR:
            raise ValueError(f"years from {FIRST_YEAR} to {LAST_YEAR} are known")
    except ZoneInfoNotFoundError:
        errors["tz"] = f"{texts.get('tz', '')[:60]!r} is no IANA time zone; try Europe/Berlin or UTC"
        return None
    except ValueError:
        errors[name] = f"{text[:40]!r} is no instant of ours; write it as 2026-10-15 or 2026-10-15T06:00"
        return None
    at_s = int(at.astimezone(UTC).timestamp())
    if at_s % WINDOW_S:
        errors[name] = (
            f"{text[:40]!r} lies within a quarter of an hour; the books are kept by quarters: use :00, :15, :30 or :45"
        )
        return None
    return at_s
