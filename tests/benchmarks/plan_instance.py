"""A synthetic week of deferrable jobs for the planner's benchmark."""

from datetime import UTC, datetime, timedelta

import numpy as np

from scheduler.job import Job
from scheduler.slots import Forecast, Pool, Slots

START_AT = datetime(2026, 3, 2, tzinfo=UTC)


def synthetic_instance(n_jobs: int, *, utilisation: float, seed: int) -> tuple[list[Job], dict[str, Pool], Slots]:
    """Return jobs, one pool and a week of hourly slots whose capacity the jobs fill to `utilisation`.

    Jobs are released all through the week; slack is 6 to 72 h; durations are log-normal with
    a median of 3 h; sizes 1, 2, 4, 8 and 16 GPUs; six kinds of power per GPU.
    """
    rng = np.random.default_rng(seed)
    slots = Slots(START_AT, 3600, 168)
    hours = np.arange(168)
    price = 60 + 25 * np.sin((hours - 9) / 24 * 2 * np.pi) + rng.normal(0, 6, 168)
    carbon = 350 + 120 * np.sin((hours - 3) / 24 * 2 * np.pi) + rng.normal(0, 15, 168)
    runtime_h = np.clip(np.exp(rng.normal(np.log(3), 0.8, n_jobs)), 0.3, 30)
    gpus = rng.choice([1, 2, 4, 8, 16], n_jobs, p=[0.5, 0.2, 0.15, 0.12, 0.03])
    watts = rng.choice([200, 250, 300, 350, 450, 600], n_jobs)
    slack_h = rng.uniform(6, 72, n_jobs)
    release_h = rng.uniform(0, 168 - np.ceil(runtime_h) - 1)
    capacity = int(np.ceil((gpus * np.ceil(runtime_h)).sum() / utilisation / 168))
    jobs = [
        Job(
            key=f"job-{i}", pool="p", gpus=int(gpus[i]), runtime_s=float(runtime_h[i] * 3600),
            power_w=float(watts[i] * gpus[i]), submitted_at=START_AT + timedelta(hours=float(release_h[i])),
            release_at=START_AT + timedelta(hours=float(release_h[i])),
            deadline_at=START_AT + timedelta(hours=float(np.ceil(release_h[i]) + np.ceil(runtime_h[i]) + slack_h[i])),
        )
        for i in range(n_jobs)
    ]  # fmt: skip
    pool = Pool("p", np.full(168, capacity), Forecast(price, START_AT), Forecast(carbon, START_AT))
    return jobs, {"p": pool}, slots
