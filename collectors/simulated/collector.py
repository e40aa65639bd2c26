"""The simulated company as a source: catalogue, jobs by week, telemetry by day."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pandas as pd

from aiobserve.domain.frames import ACCOUNTS, DEVICES, INTERVALS, JOBS, RATES, SIGNALS, SITES
from aiobserve.domain.window import Span
from collectors.base import Batch
from collectors.simulated import company, terms
from collectors.simulated.activity import activity
from collectors.simulated.checkpoints import checkpoints
from collectors.simulated.grid import actual_signals, forecast_signals
from collectors.simulated.hosts import host_samples, hosts
from collectors.simulated.jobs import Run, is_open, runs, waiting
from collectors.simulated.power import gpu_samples, idle_w, telemetry
from collectors.simulated.serving import token_prices, tokens_of_week

# Raised whenever the same seed gives other figures.
VERSION = 2


class SimulatedFleet:
    """A company of 40 GPUs that needs no hardware, the same for the same seed."""

    name = "simulated"

    def __init__(self, *, seed: int = company.SEED, span: Span = company.SPAN) -> None:
        self.seed = seed
        self.span = span

    def collect(self, span: Span | None = None) -> Iterator[Batch]:
        """Yield the catalogue, then jobs by week and telemetry by day, as far as they touch the span."""
        wanted = span or self.span
        yield self._batch("catalogue", self._catalogue())
        yield self._batch("token prices", {"token_prices": token_prices()})
        week_at = company.SPAN.start_at
        while week_at < company.SPAN.end_at:
            week = Span(week_at, min(week_at + timedelta(days=7), company.SPAN.end_at))
            if week.start_at < wanted.end_at and week.end_at > wanted.start_at:
                frames = self._jobs(week)
                if frames:
                    yield self._batch(f"jobs {week_at:%Y-%m-%d}", frames)
                    yield self._batch(f"tokens {week_at:%Y-%m-%d}", tokens_of_week(week, self.seed))
            week_at = week.end_at
        if wanted.end_at >= company.NOW_AT:
            yield self._batch("queue", {"jobs": self._queue()})
        for day in wanted.days():
            start_at = datetime(day.year, day.month, day.day, tzinfo=UTC)
            within = Span(start_at, start_at + timedelta(days=1))
            found = telemetry([gpu_samples(within, self.seed), host_samples(within, self.seed)])
            if len(found):
                yield self._batch(f"telemetry {day}", {"telemetry": found})

    def _batch(self, what: str, frames: dict[str, pd.DataFrame]) -> Batch:
        return Batch(self.name, f"v{VERSION} seed {self.seed} {what}", frames)

    def _catalogue(self) -> dict[str, pd.DataFrame]:
        signals = [actual_signals(self.seed), forecast_signals(self.seed), terms.constants()]
        return {
            "sites": SITES.check(
                pd.DataFrame(
                    [{"site": s.name, "grid_zone": s.grid_zone, "timezone": s.timezone} for s in company.SITES]
                )
            ),
            "devices": DEVICES.check(pd.DataFrame([*(_device(gpu) for gpu in company.GPUS.values()), *hosts()])),
            "accounts": ACCOUNTS.check(pd.DataFrame(_accounts())),
            "rates": RATES.check(pd.DataFrame(terms.rates(self.seed))),
            "signals": SIGNALS.check(pd.concat(signals, ignore_index=True)),
            **terms.declared(),
        }

    def _jobs(self, week: Span) -> dict[str, pd.DataFrame]:
        """Return the jobs that were submitted in a week (the first week takes those from before it), and what they held."""
        first_s, last_s = week.start_at.timestamp(), week.end_at.timestamp()
        if week.start_at == company.SPAN.start_at:
            first_s = float("-inf")
        chosen = [run for run in runs(self.seed) if first_s <= run.submitted_s < last_s]
        if not chosen:
            return {}
        return {
            "jobs": JOBS.check(pd.DataFrame([_job(run) for run in chosen])),
            "intervals": INTERVALS.check(pd.DataFrame([row for run in chosen for row in _held(run)])),
            "activity": activity(chosen),
            "checkpoints": checkpoints(chosen),
        }

    def _queue(self) -> pd.DataFrame:
        return JOBS.check(
            pd.DataFrame(
                [
                    {
                        **_who(
                            one.key, one.name, one.lane.node, one.work.account, one.work.model, one.work.workload_type
                        ),
                        "tier": "urgent" if one.urgent else "deferrable",
                        "state": "pending",
                        "attempt": 1,
                        "gpus": one.gpus,
                        "submitted_at": _at(one.submitted_s),
                        "started_at": pd.NaT,
                        "ended_at": pd.NaT,
                        "runtime_s": one.runtime_s,
                        "max_wait_s": one.max_wait_s,
                        "deadline_at": pd.NaT if one.deadline_s is None else _at(one.deadline_s),
                    }
                    for one in waiting(self.seed)
                ]
            )
        )


def _device(gpu: company.Gpu) -> dict[str, object]:
    idle = idle_w(gpu)
    return {
        "device_uid": gpu.uid, "site": gpu.site.name, "node": gpu.node, "kind": "gpu", "sku": gpu.sku.name,
        "contract": company.CONTRACTS.get(gpu.node), "capacity_millis": 1000,
        "tdp_w": gpu.sku.tdp_w, "idle_w": idle, "active_w": round(0.75 * gpu.sku.tdp_w, 1),
        "valid_from_at": company.SPAN.start_at, "valid_to_at": pd.NaT,
    }  # fmt: skip


def _accounts() -> list[dict[str, object]]:
    rows: list[dict[str, object]] = []
    for account, (team, project) in company.ACCOUNTS.items():
        moves = account == company.MOVED_ACCOUNT
        row = {"account": account, "team": team, "project": project, "valid_from_at": terms.LONG_AGO_AT}
        rows.append({**row, "valid_to_at": company.REORGANISATION_AT if moves else pd.NaT})
        if moves:
            later = {"team": company.MOVED_TO_TEAM, "valid_from_at": company.REORGANISATION_AT, "valid_to_at": pd.NaT}
            rows.append({**row, **later})
    return rows


def _job(run: Run) -> dict[str, object]:
    interactive = run.work.workload_type == "interactive"
    return {
        **_who(run.key, run.name, run.lane.node, run.work.account, run.work.model, run.work.workload_type),
        "tier": "interactive" if interactive else "deferrable",
        "state": run.state,
        "attempt": run.attempt,
        "gpus": len(run.lane.gpus),
        "submitted_at": _at(run.submitted_s),
        "started_at": _at(run.start_s),
        "ended_at": pd.NaT if is_open(run) else _at(run.end_s),
        "runtime_s": float(run.end_s - run.start_s),
        "max_wait_s": None,
        "deadline_at": pd.NaT,
    }


def _held(run: Run) -> list[dict[str, object]]:
    return [
        {
            "job_key": run.key,
            "device_uid": company.GPUS[run.lane.node, index].uid,
            "start_at": _at(run.start_s),
            "end_at": pd.NaT if is_open(run) else _at(run.end_s),
            "share_millis": run.lane.share_millis,
        }
        for index in run.lane.gpus
    ]


def _who(key: str, name: str, node: str, account: str, model: str, workload_type: str) -> dict[str, object]:
    gpu = company.GPUS[node, 0]
    return {
        "job_key": key, "site": gpu.site.name, "name": name, "account": account, "user": f"{account}-user",
        "model": model or None, "workload_type": workload_type, "sku": gpu.sku.name,
    }  # fmt: skip


def _at(epoch_s: int) -> datetime:
    return datetime.fromtimestamp(epoch_s, UTC)
