"""Reads who answers for jobs: the map of accounts, and the organisation's rules where there are any."""

from collections.abc import Iterable
from dataclasses import dataclass

import pandas as pd

from aiobserve.attribution.rules import FOREVER_S, Rule, effective_map
from aiobserve.store.columns import Columns
from aiobserve.store.read import workloads
from aiobserve.store.read.rules import RuleRow, facts_of_jobs, rules


@dataclass(frozen=True)
class Bearers:
    """The dated map to claim by, and each job's key in it; without rules a job's key is its account.

    Attributes:
        accounts: the map of accounts alone.
    """

    dated: pd.DataFrame
    accounts: pd.DataFrame
    key: "pd.Series[str] | None" = None

    def keyed(self, rows: Columns) -> Columns:
        """Return rows of jobs with the key in the place of the account."""
        if self.key is None:
            return rows
        return {**rows, "account": self.key.loc[rows["job_id"]].to_numpy(dtype=object)}


def bearers(organisation_id: int, job_ids: Iterable[int]) -> Bearers:
    """Return who answers for some jobs, by the rules that stand."""
    accounts = workloads.account_map(organisation_id)
    standing = [rule_of(row, named=False) for row in rules(organisation_id, standing=True)]
    if not standing:
        return Bearers(accounts, accounts)
    mapped = effective_map(facts_of_jobs(job_ids), standing, accounts)
    return Bearers(mapped.dated, accounts, mapped.key)


def rule_of(row: RuleRow, *, named: bool) -> Rule:
    """Return a kept rule as the pure core takes it, with names or ids of team and project."""
    return Rule(
        row.pk, row.priority, row.account, row.user, row.site, row.model, row.job_name, row.label,
        team=row.team if named else row.team_id,
        project=row.project if named else row.project_id,
        valid_from_s=int(row.valid_from_at.timestamp()),
        valid_to_s=int(row.valid_to_at.timestamp()) if row.valid_to_at else FOREVER_S,
    )  # fmt: skip
