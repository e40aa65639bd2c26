"""Reads the rules of the organisation map, the facts of jobs they look at, and what the ledger says of those jobs."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

import pandas as pd
from django.db import connection
from psycopg import sql

from aiobserve.domain.account import MEASURES, Account
from aiobserve.domain.window import Span
from aiobserve.store.columns import FAR_FUTURE_S, FAR_PAST_S, read_rows
from aiobserve.store.models import AccountMapping, Job, Label
from aiobserve.store.read.fleet import epoch_s


@dataclass(frozen=True)
class RuleRow:
    """One rule as it is kept; `withdrawn_at` is empty while it stands."""

    pk: int
    priority: int
    account: str
    user: str
    site: str
    model: str
    job_name: str
    label: str
    team: str
    project: str
    valid_from_at: datetime
    valid_to_at: datetime | None
    reason: str
    replaces: int | None
    made_at: datetime
    withdrawn_at: datetime | None
    team_id: int
    project_id: int


def rules(organisation_id: int, *, standing: bool = False) -> list[RuleRow]:
    """Return the rules by priority, highest first, then by number; with `standing` only those that stand."""
    rows = read_rows(
        """SELECT rule.id, priority, account, rule."user", site, model, job_name, label, team.name, project.name, valid_from_at,
                  valid_to_at, reason, replaces_id, made_at, withdrawn_at, rule.team_id, rule.project_id
           FROM organisation_rule AS rule JOIN team ON team.id = rule.team_id JOIN project ON project.id = rule.project_id
           WHERE rule.organisation_id = %s AND (withdrawn_at IS NULL OR NOT %s) ORDER BY priority DESC, rule.id""",
        [organisation_id, standing],
    )
    return [RuleRow(*row) for row in rows]


def facts_of_jobs(job_ids: Iterable[int]) -> pd.DataFrame:
    """Return what rules look at, by job: index job_id; account, user, site, model, name ("" for none), labels."""
    columns = ("pk", "key", "account", "user", "site__name", "model__name", "name", "organisation_id")
    rows = list(Job.objects.filter(pk__in=list(job_ids)).values_list(*columns))
    labels: dict[str, set[str]] = {}
    if rows:
        carried = Label.objects.filter(organisation_id=rows[0][-1], kind="job", name__in=[row[1] for row in rows])
        for key, label in carried.values_list("name", "label"):
            labels.setdefault(key, set()).add(label)
    frame = pd.DataFrame(
        [(*row[:1], *row[2:5], row[5] or "", row[6], frozenset(labels.get(row[1], ()))) for row in rows],
        columns=["job_id", "account", "user", "site", "model", "name", "labels"],
    )
    return frame.set_index("job_id")


def named_account_map(organisation_id: int) -> pd.DataFrame:
    """Return the dated map of accounts as `workloads.account_map` does, with names in team_id and project_id."""
    columns = ["account", "team__name", "project__name", "valid_from_at", "valid_to_at"]
    rows = AccountMapping.objects.filter(organisation_id=organisation_id).order_by("account", "valid_from_at")
    frame = pd.DataFrame(list(rows.values_list(*columns)), columns=columns)
    frame["valid_from_s"] = epoch_s(frame.pop("valid_from_at"), missing=FAR_PAST_S)
    frame["valid_to_s"] = epoch_s(frame.pop("valid_to_at"), missing=FAR_FUTURE_S)
    return frame.rename(columns={"team__name": "team_id", "project__name": "project_id"})


def job_sums(organisation_id: int, span: Span, cuts: Sequence[datetime]) -> pd.DataFrame:
    """Return what jobs came to in a span, by who bears it and by the stretch between cuts.

    Args:
        cuts: instants within the span, ascending; stretch 0 lies before the first.

    Returns:
        job_id, account, team, project ("" for none), stretch, then the measures.
    """
    statement = sql.SQL(
        "SELECT posting.job_id, posting.account, coalesce(team.name, ''), coalesce(project.name, ''),"
        " width_bucket(posting.window_start_at, %s::timestamptz[]), {sums} FROM posting"
        " LEFT JOIN team ON team.id = posting.team_id LEFT JOIN project ON project.id = posting.project_id"
        " WHERE posting.organisation_id = %s AND posting.account = ANY(%s) AND posting.job_id IS NOT NULL"
        " AND posting.window_start_at >= %s AND posting.window_start_at < %s GROUP BY 1, 2, 3, 4, 5 ORDER BY 1, 2, 3, 4, 5"
    ).format(
        sums=sql.SQL(", ").join(sql.SQL("sum(posting.{})::bigint").format(sql.Identifier(name)) for name in MEASURES)
    )
    bearing = [int(Account.JOB), int(Account.UNATTRIBUTED)]
    with connection.cursor() as cursor:
        cursor.execute(statement, [list(cuts), organisation_id, bearing, span.start_at, span.end_at])
        rows = pd.DataFrame(cursor.fetchall(), columns=["job_id", "account", "team", "project", "stretch", *MEASURES])
    return rows.astype({"stretch": "int64", **dict.fromkeys(MEASURES, "int64")})
