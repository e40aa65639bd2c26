"""Rules that say which team and project a job belongs to, compiled to the dated map that `claimants` cuts by.

A rule looks at facts of a job (account, user, site, model, name, label) and names a bearer. Facts of a job do not depend
on bearers, so rules cannot go round in circles; what they can do is contradict each other, which `conflicts` finds.
"""

import re
from collections.abc import Hashable, Iterable, Sequence
from dataclasses import dataclass
from fnmatch import translate

import numpy as np
import numpy.typing as npt
import pandas as pd

FOREVER_S = 2**40
# The conditions that hold when they are equal to the job's own; `job_name` is a pattern, `label` one of several.
EXACT = ("account", "user", "site", "model")
CONDITIONS = (*EXACT, "job_name", "label")
MAP_COLUMNS = ["account", "team_id", "project_id", "valid_from_s", "valid_to_s"]


@dataclass(frozen=True)
class Rule:
    """Jobs that meet every condition that is not empty belong to a team and project, from one instant until another.

    Attributes:
        pk: its number; the higher priority counts, and of equal ones the lower number.
        job_name: a pattern in which * is any text and ? any character.
        team, project: what the map holds of them, ids or names.
    """

    pk: int
    priority: int
    account: str
    user: str
    site: str
    model: str
    job_name: str
    label: str
    team: Hashable
    project: Hashable
    valid_from_s: int
    valid_to_s: int

    def in_words(self) -> str:
        """Return the conditions as a person would say them."""
        return " and ".join(
            f"{name.replace('_', ' ')} {getattr(self, name)}" for name in CONDITIONS if getattr(self, name)
        )


@dataclass(frozen=True)
class EffectiveMap:
    """A key for each job, shape (n,), and the dated map of those keys: account (the key), team_id, project_id, span."""

    key: "pd.Series[str]"
    dated: pd.DataFrame


def effective_map(jobs: pd.DataFrame, rules: Sequence[Rule], account_map: pd.DataFrame) -> EffectiveMap:
    """Resolve each job to a key that stands for its account and the rules it meets, and date every key.

    Args:
        jobs: account, user, site, model, name (text, "" where there is none), labels (frozenset of text).
        rules: the rules that stand.
        account_map: account, team_id, project_id, valid_from_s, valid_to_s: what counts where no rule does.

    Returns:
        The key of each row of `jobs` (same index), and a map in which spans of one key do not overlap.
    """
    ordered = sorted(rules, key=lambda rule: (-rule.priority, rule.pk))
    met = (
        np.column_stack([matches(rule, jobs) for rule in ordered])
        if ordered and len(jobs)
        else np.zeros((len(jobs), 0), bool)
    )
    pattern, kind = np.unique(met, axis=0, return_inverse=True) if met.size else (met[:1], np.zeros(len(jobs), int))
    suffix = ["".join(f"\0{ordered[i].pk}" for i in np.flatnonzero(row)) for row in pattern] or [""]
    key = pd.Series(
        [f"{account}{suffix[k]}" for account, k in zip(jobs["account"], kind, strict=True)], jobs.index, dtype="str"
    )
    rows: list[tuple[object, ...]] = []
    pairs = pd.DataFrame({"key": key, "account": jobs["account"], "kind": kind}).drop_duplicates("key")
    of_account = {str(account): group for account, group in account_map.groupby("account")}
    for one in pairs.itertuples():
        own = of_account.get(str(one.account), account_map[:0])
        mine = [ordered[i] for i in np.flatnonzero(pattern[one.kind])] if met.size else []
        rows += [(one.key, *row) for row in _timeline(mine, own)]
    return EffectiveMap(key, pd.DataFrame(rows, columns=MAP_COLUMNS))


def _timeline(rules: Sequence[Rule], own: pd.DataFrame) -> list[tuple[object, object, int, int]]:
    """Return (team, project, from, to) of one key: the first rule that is valid, else the account's own row."""
    edges = {rule.valid_from_s for rule in rules} | {rule.valid_to_s for rule in rules}
    edges |= {int(at) for name in ("valid_from_s", "valid_to_s") for at in own[name]}
    cuts = sorted(edges)
    rows: list[tuple[object, object, int, int]] = []
    for start_s, end_s in zip(cuts, cuts[1:], strict=False):
        rule = next((one for one in rules if one.valid_from_s <= start_s < one.valid_to_s), None)
        mapped = own[(own["valid_from_s"] <= start_s) & (own["valid_to_s"] > start_s)]
        if rule is not None:
            bearer = (rule.team, rule.project)
        elif len(mapped):
            bearer = (mapped["team_id"].iloc[-1], mapped["project_id"].iloc[-1])
        else:
            continue
        if rows and rows[-1][:2] == bearer and rows[-1][3] == start_s:
            rows[-1] = (*bearer, rows[-1][2], end_s)
        else:
            rows.append((*bearer, start_s, end_s))
    return rows


def matches(rule: Rule, jobs: pd.DataFrame) -> npt.NDArray[np.bool_]:
    """Return which jobs meet every condition of the rule, shape (n,)."""
    met = np.ones(len(jobs), dtype=bool)
    for name in EXACT:
        if getattr(rule, name):
            met &= (jobs[name] == getattr(rule, name)).to_numpy(dtype=bool)
    if rule.job_name:
        pattern = re.compile(_regex(rule.job_name))
        met &= np.fromiter((pattern.match(name) is not None for name in jobs["name"]), bool, len(jobs))
    if rule.label:
        met &= np.fromiter((rule.label in labels for labels in jobs["labels"]), bool, len(jobs))
    return met


def _regex(pattern: str) -> str:
    # fnmatch's brackets are not ours: a [ in a job's name is a [.
    return translate(pattern.replace("[", "[[]"))


def conflicts(rule: Rule, others: Iterable[Rule]) -> list[Rule]:
    """Return the rules of the same priority that could meet the same job at the same time, so that neither would count first."""
    return [
        other
        for other in others
        if other.priority == rule.priority
        and other.valid_from_s < rule.valid_to_s
        and rule.valid_from_s < other.valid_to_s
        and all(getattr(rule, name) in ("", getattr(other, name)) or not getattr(other, name) for name in EXACT)
        and _could_both_match(rule.job_name or "*", other.job_name or "*")
    ]


def _could_both_match(left: str, right: str) -> bool:
    """Return whether some text matches both patterns."""
    # reach[j]: the pattern so far and right[:j] match a common text.
    reach = _stars([True] + [False] * len(right), right)
    for sign in left:
        if sign == "*":
            # Any text: whatever right[:j] was reached, every longer one is too.
            after, seen = [], False
            for reached in reach:
                seen = seen or reached
                after.append(seen)
        else:
            after = [False] * len(reach)
            for j, reached in enumerate(reach):
                if not reached:
                    continue
                if j < len(right) and (right[j] in ("?", sign) or (sign == "?" and right[j] != "*")):
                    after[j + 1] = True
                if j and right[j - 1] == "*":
                    after[j] = True
        reach = _stars(after, right)
    return reach[-1]


def _stars(reach: list[bool], right: str) -> list[bool]:
    """A star of the other pattern may stand for nothing."""
    for j, sign in enumerate(right):
        if sign == "*" and reach[j]:
            reach[j + 1] = True
    return reach
