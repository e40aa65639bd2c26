"""What runs cost, attempt by attempt: completed work, work that a checkpoint saved, and work that was lost.

A run is every attempt of one piece of work. Its parts sum to what the ledger has of its jobs in the scope, to the unit.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import pandas as pd

from aiobserve.attribution.runs import WASTED, lineage, split_at_checkpoint
from aiobserve.domain.account import MEASURES
from aiobserve.domain.frames import WORKLOAD_TYPES
from aiobserve.domain.quality import Quality
from aiobserve.reports.amounts import Amounts, total
from aiobserve.reports.scope import BadScope, Scope
from aiobserve.store.columns import FAR_FUTURE_S
from aiobserve.store.read.attempts import attempts, job_amounts, teams_of, window_amounts

TRAINING = ("training", "fine_tuning")


@dataclass(frozen=True)
class Attempt:
    """One attempt: what it came to in the scope, and of it what was kept by a checkpoint and what was lost.

    Of a completed or running attempt both are zero. `assumed` says that no checkpoint is known: then all is lost at most.
    """

    key: str
    attempt: int
    state: str
    started_at: datetime
    ended_at: datetime | None
    checkpoint_at: datetime | None
    amounts: Amounts
    kept: Amounts
    lost: Amounts
    assumed: bool

    @property
    def is_waste(self) -> bool:
        """Return whether the attempt did not bring its work to an end."""
        return self.state in WASTED


@dataclass(frozen=True)
class Run:
    """All attempts of one piece of work, in order."""

    name: str
    account: str
    workload_type: str
    model: str
    teams: tuple[str, ...]
    state: str
    attempts: tuple[Attempt, ...]
    amounts: Amounts
    waste: Amounts
    lost: Amounts
    assumed: bool


@dataclass(frozen=True)
class Runs:
    """Runs of a scope, dearest first, with their sums; `waste` is every attempt that did not complete, `lost` a part of it."""

    scope: Scope
    rows: tuple[Run, ...]
    total: Amounts
    waste: Amounts
    kept: Amounts
    lost: Amounts
    lost_assumed: Amounts


def runs(scope: Scope, *, workload_types: Sequence[str] = TRAINING) -> Runs:
    """Return the runs that have postings in a scope.

    Args:
        workload_types: of `domain.frames.WORKLOAD_TYPES`; empty for all.

    Raises:
        BadScope: a workload type is not known.
    """
    unknown = [name for name in workload_types if name not in WORKLOAD_TYPES]
    if unknown:
        raise BadScope(f"workload_type={unknown[0]!r} is not known; choose from {', '.join(WORKLOAD_TYPES)}")
    organisation_id = scope.organisation.pk
    sums = job_amounts(organisation_id, scope.span, workload_types or None)
    if sums.empty:
        return Runs(scope, (), *(Amounts() for _ in range(5)))
    of_job = {int(str(job_id)): _with_quality(rows) for job_id, rows in sums.groupby("job_id")}
    known = attempts(of_job)
    wasted = known[known["state"].isin(WASTED)]
    split = split_at_checkpoint(window_amounts(organisation_id, scope.span, wasted.index), wasted, amounts=MEASURES)
    teams = teams_of(organisation_id, scope.span, of_job)
    made = {int(row.Index): _attempt(row, of_job[int(row.Index)], split.kept, split.lost) for row in known.itertuples()}
    rows = [_run(part, made, teams) for _, part in known.groupby(lineage(known))]
    ordered = sorted(rows, key=lambda run: (-run.amounts.cost_microusd, run.name))
    every = list(made.values())
    return Runs(
        scope,
        tuple(ordered),
        total=total(one.amounts for one in every),
        waste=total(one.amounts for one in every if one.is_waste),
        kept=total(one.kept for one in every),
        lost=total(one.lost for one in every),
        lost_assumed=total(one.lost for one in every if one.assumed),
    )


def _attempt(row: Any, amounts: Amounts, kept: pd.DataFrame, lost: pd.DataFrame) -> Attempt:
    pk, waste = int(row.Index), row.state in WASTED
    return Attempt(
        key=row.key,
        attempt=int(row.attempt),
        state=row.state,
        started_at=_at(int(row.start_s)),
        ended_at=None if row.end_s >= FAR_FUTURE_S else _at(int(row.end_s)),
        checkpoint_at=_at(int(row.checkpoint_s)) if row.has_checkpoint else None,
        amounts=amounts,
        kept=_plain(kept, pk) if waste else Amounts(),
        lost=_plain(lost, pk) if waste else Amounts(),
        assumed=waste and not row.has_checkpoint,
    )


def _run(part: pd.DataFrame, made: dict[int, Attempt], teams: dict[int, tuple[str, ...]]) -> Run:
    ordered = part.sort_values(["submitted_s", "attempt"])
    own = tuple(made[int(pk)] for pk in ordered.index)
    last = ordered.iloc[-1]
    return Run(
        name=last["name"],
        account=last["account"],
        workload_type=last["workload_type"],
        model=last["model"],
        teams=tuple(sorted({name for pk in ordered.index for name in teams.get(int(pk), ())})),
        state=last["state"],
        attempts=own,
        amounts=total(one.amounts for one in own),
        waste=total(one.amounts for one in own if one.is_waste),
        lost=total(one.lost for one in own),
        assumed=any(one.assumed for one in own),
    )


def _with_quality(rows: pd.DataFrame) -> Amounts:
    by_quality = rows.groupby("energy_quality")["energy_millij"].sum()
    sums: dict[str, Any] = {name: int(rows[name].sum()) for name in MEASURES}
    measured, estimated, assumed = (int(by_quality.get(int(quality), 0)) for quality in Quality)
    return Amounts(**sums, energy_quality=(measured, estimated, assumed))


def _plain(frame: pd.DataFrame, pk: int) -> Amounts:
    sums: dict[str, Any] = {name: int(frame.loc[pk, name]) for name in MEASURES}
    return Amounts(**sums)


def _at(epoch_s: int) -> datetime:
    return datetime.fromtimestamp(epoch_s, UTC)
