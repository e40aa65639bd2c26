"""The organisation map: its rules, and what a change of them would move. Computes everything and writes nothing."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import pandas as pd

from aiobserve.attribution.rule_forms import ACTIONS, NEW, BadRule, Proposal, StoredRule, proposal
from aiobserve.attribution.rules import Rule, effective_map
from aiobserve.domain.account import MEASURES
from aiobserve.inputs.bearers import rule_of
from aiobserve.reports.amounts import Amounts, total
from aiobserve.reports.scope import Scope
from aiobserve.store.read.fleet import due_days
from aiobserve.store.read.rules import RuleRow, facts_of_jobs, job_sums, named_account_map, rules

__all__ = ["ACTIONS", "BadRule", "Move", "Preview", "RuleRow", "all_rules", "mapped_accounts", "preview"]

NOBODY = ""


@dataclass(frozen=True)
class Move:
    """What would go from one bearer to another; a bearer is (team, project), both empty for nobody."""

    before: tuple[str, str]
    after: tuple[str, str]
    jobs: int
    amounts: Amounts


@dataclass(frozen=True)
class Preview:
    """What a change would move over a scope.

    Attributes:
        moves: by what moves, dearest first.
        teams: team ("" for nobody), what it bears before and after; the sums before and after are equal.
        due: days that wait to be attributed anyway; what they come to is not foreseen here.
    """

    proposal: Proposal
    moves: tuple[Move, ...]
    teams: tuple[tuple[str, Amounts, Amounts], ...]
    before: Amounts
    after: Amounts
    moved: Amounts
    due: int


def all_rules(organisation_id: int) -> list[RuleRow]:
    """Return every rule, those that stand first, by priority."""
    return sorted(rules(organisation_id), key=lambda row: row.withdrawn_at is not None)


def mapped_accounts(organisation_id: int) -> list[tuple[str, str, str, datetime | None, datetime | None]]:
    """Return the map of accounts that sources brought, which counts where no rule does: account, team, project, span."""
    frame = named_account_map(organisation_id)
    return [
        (row.account, row.team_id, row.project_id, _at(int(row.valid_from_s)), _at(int(row.valid_to_s)))
        for row in frame.itertuples()
    ]


def preview(scope: Scope, texts: Mapping[str, str]) -> Preview:
    """Return what a change would move over the days of a scope, from what stands in the ledger.

    Args:
        texts: as `attribution.rule_forms.proposal` takes them.

    Raises:
        BadRule: the change cannot be made; says why by field.
    """
    organisation_id = scope.organisation.pk
    known = [
        StoredRule(rule_of(row, named=True), row.withdrawn_at is None, row.reason, row.replaces or NEW)
        for row in rules(organisation_id)
    ]
    asked = proposal(known, texts)
    accounts = named_account_map(organisation_id)
    cuts = _cuts(scope, asked, accounts)
    posted = job_sums(organisation_id, scope.span, [_instant(cut) for cut in cuts])
    starts = [int(scope.span.start_at.timestamp()), *cuts]
    return _compared(asked, _borne_after(posted, asked, accounts, starts), due=len(due_days(organisation_id)))


def _cuts(scope: Scope, asked: Proposal, accounts: pd.DataFrame) -> list[int]:
    """Return the instants within the scope at which a bearer may change, before or after."""
    first_s, last_s = (int(at.timestamp()) for at in (scope.span.start_at, scope.span.end_at))
    known = [at for rule in {*asked.before, *asked.after} for at in (rule.valid_from_s, rule.valid_to_s)]
    known += [int(at) for name in ("valid_from_s", "valid_to_s") for at in accounts[name]]
    return sorted({at for at in known if first_s < at < last_s})


def _borne_after(posted: pd.DataFrame, asked: Proposal, accounts: pd.DataFrame, starts: list[int]) -> pd.DataFrame:
    """Return the posted sums with team_after and project_after: another's where the change says so, else as posted."""
    jobs = facts_of_jobs(int(pk) for pk in posted["job_id"].unique())
    pairs = posted[["job_id", "stretch"]].drop_duplicates()
    before, after = (_bearers(pairs, jobs, list(each), accounts, starts) for each in (asked.before, asked.after))
    moved = {pair: after[pair] for pair in before if before[pair] != after[pair]}
    keys = list(zip(posted["job_id"], posted["stretch"], strict=True))
    # What stands under another name was not given by this map (tenants of a server, a day that is due): it stays.
    bearers = [
        moved.get(key, own) if own == before.get(key) else own
        for key, own in zip(keys, zip(posted["team"], posted["project"], strict=True), strict=True)
    ]
    return posted.assign(team_after=[one[0] for one in bearers], project_after=[one[1] for one in bearers])


def _bearers(
    pairs: pd.DataFrame, jobs: pd.DataFrame, standing: list[Rule], accounts: pd.DataFrame, starts: list[int]
) -> dict[tuple[int, int], tuple[str, str]]:
    """Return (team, project) of each job and stretch under a set of rules."""
    mapped = effective_map(jobs, standing, accounts)
    of_key = {str(key): rows for key, rows in mapped.dated.groupby("account")}
    known: dict[tuple[str, int], tuple[str, str]] = {}
    found = {}
    for job_id, stretch in pairs.itertuples(index=False):
        key = str(mapped.key[job_id])
        if (key, stretch) not in known:
            known[key, stretch] = _bearer(of_key.get(key), starts[stretch])
        found[int(job_id), int(stretch)] = known[key, stretch]
    return found


def _bearer(dated: pd.DataFrame | None, at_s: int) -> tuple[str, str]:
    if dated is None:
        return (NOBODY, NOBODY)
    held = dated[(dated["valid_from_s"] <= at_s) & (dated["valid_to_s"] > at_s)]
    return (str(held["team_id"].iloc[0]), str(held["project_id"].iloc[0])) if len(held) else (NOBODY, NOBODY)


def _compared(asked: Proposal, rows: pd.DataFrame, *, due: int) -> Preview:
    moves = rows[(rows["team"] != rows["team_after"]) | (rows["project"] != rows["project_after"])]
    grouped = [
        Move((keys[0], keys[1]), (keys[2], keys[3]), part["job_id"].nunique(), _amounts(part))
        for keys, part in moves.groupby(["team", "project", "team_after", "project_after"])
    ]
    names = sorted(set(rows["team"]) | set(rows["team_after"]), key=lambda name: (name == NOBODY, name))
    teams = tuple(
        (name, _amounts(rows[rows["team"] == name]), _amounts(rows[rows["team_after"] == name])) for name in names
    )
    return Preview(
        proposal=asked,
        moves=tuple(sorted(grouped, key=lambda move: -move.amounts.cost_microusd)),
        teams=teams,
        before=total(before for _, before, _ in teams),
        after=total(after for _, _, after in teams),
        moved=total(move.amounts for move in grouped),
        due=due,
    )


def _amounts(rows: pd.DataFrame) -> Amounts:
    sums: dict[str, Any] = {name: int(rows[name].sum()) for name in MEASURES}
    return Amounts(**sums)


def _instant(at_s: int) -> datetime:
    return datetime.fromtimestamp(at_s, UTC)


def _at(at_s: int) -> datetime | None:
    return _instant(at_s) if abs(at_s) < 2**38 else None
