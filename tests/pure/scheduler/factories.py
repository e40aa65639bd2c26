"""Small queues, pools and forecasts. Not a test."""

from datetime import UTC, datetime, timedelta

import numpy as np

from scheduler.job import Job
from scheduler.slots import Forecast, Pool, Slots

NOW_AT = datetime(2026, 3, 2, tzinfo=UTC)
HOUR = timedelta(hours=1)


def slots(n: int = 6) -> Slots:
    return Slots(NOW_AT, 3600, n)


def pool(
    price: list[float], carbon: list[float] | None = None, *, gpus: int = 1, issued_at: datetime | None = NOW_AT
) -> dict[str, Pool]:
    carbon_values = np.array(carbon or [400.0] * len(price))
    return {
        "p": Pool(
            "p", np.full(len(price), gpus), Forecast(np.array(price), issued_at), Forecast(carbon_values, issued_at)
        )
    }


def job(
    key: str, *, hours: float = 1, gpus: int = 1, deadline_h: float | None = None, minute: int = 0, **more: object
) -> Job:
    return Job(
        key=key, pool="p", gpus=gpus, runtime_s=hours * 3600, power_w=1000.0 * gpus,
        submitted_at=NOW_AT - timedelta(minutes=60 - minute),
        deadline_at=None if deadline_h is None else NOW_AT + deadline_h * HOUR, **more,
    )  # type: ignore[arg-type]  # fmt: skip
