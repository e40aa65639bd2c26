"""Scale-out: thirty days of a thousand GPUs attributed again by Celery workers, two beside one.

Real worker processes on a real broker; a site-day is a partition. A sample a minute instead of one in 15 seconds, so
that an arm is done in minutes. The wall of a shared machine says little, so the ratio is also given by work: the CPU
that either arm used, workers and all of PostgreSQL, each worker taken to have a core for itself and its backend. That
holds as far as nobody waits for a lock, so the share of looks at which a backend did is given beside it.
"""

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from django.db import connection

from aiobserve.celery import app
from aiobserve.embedded.broker import EmbeddedBroker
from aiobserve.embedded.server import running
from aiobserve.store.read.fleet import due_days
from aiobserve.store.write.chunks import write_packed
from aiobserve.store.write.ingest import write_batch
from tests.benchmarks.cpu import TICKS_PER_S
from tests.benchmarks.fleet import DAY_AT, Fleet, fleet, noise, rates

ROOT = Path(__file__).parents[2]
SITES, GPUS_A_SITE, DAYS, EVERY_S, ALLOCATIONS_A_DAY = 4, 250, 30, 60, 2
POLL_S = 0.2
PATIENCE_S = 1800


@dataclass
class Arm:
    """What an arm took.

    Attributes:
        cpu_s: CPU seconds of the workers and of all of PostgreSQL.
        looks: how often the backends were looked at while it ran.
        waits: backends that were seen waiting for a lock, over all looks.
    """

    workers: int
    wall_s: float = 0.0
    cpu_s: float = 0.0
    looks: int = 0
    waits: int = 0


def measure(rounds: int = 1) -> dict[str, float]:
    """Return walls and speed-up of two workers over one, as they were and on free cores."""
    made = company()
    with tempfile.TemporaryDirectory() as folder, running(EmbeddedBroker(Path(folder))) as broker_url:
        app.conf.broker_url = broker_url
        # The first pass posts; those that are measured reverse and post anew, as after a change of price.
        attributed(made, 2, usd_per_gpu_hour=2.0, broker_url=broker_url)
        arms = [
            (attributed(made, 1, usd_per_gpu_hour=2.1 + i, broker_url=broker_url),
             attributed(made, 2, usd_per_gpu_hour=2.6 + i, broker_url=broker_url))
            for i in range(rounds)
        ]  # fmt: skip
        app.pool.force_close_all()
    one, two = (sorted(pair, key=lambda arm: arm.wall_s)[len(pair) // 2] for pair in zip(*arms, strict=True))
    return {
        "scale_out_samples_millions": SITES * GPUS_A_SITE * DAYS * 86_400 / EVERY_S / 1e6,
        "scale_out_one_worker_s": one.wall_s,
        "scale_out_two_workers_s": two.wall_s,
        "scale_out_ratio": one.wall_s / two.wall_s,
        "scale_out_one_worker_cores": one.cpu_s / one.wall_s,
        "scale_out_two_workers_cores": two.cpu_s / two.wall_s,
        "scale_out_ratio_by_cpu": 2 * one.cpu_s / two.cpu_s,
        "scale_out_lock_waits": two.waits / max(two.looks * two.workers, 1),
    }


def company() -> Fleet:
    """Put the sites and their thirty days of telemetry, in day chunks, into the store."""
    made = fleet(
        "bench-scale", sites=SITES, gpus=GPUS_A_SITE, start_at=DAY_AT, hours=24 * DAYS,
        allocations=ALLOCATIONS_A_DAY * DAYS,
    )  # fmt: skip
    for seed, devices in enumerate(made.devices):
        samples = noise(devices, DAY_AT, 24 * DAYS, every_s=EVERY_S, seed=seed)
        write_packed(samples.device_id, samples.at_us, samples.readings, loose=False)
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")
    return made


def attributed(made: Fleet, workers: int, *, usd_per_gpu_hour: float, broker_url: str) -> Arm:
    """Change the price, let so many workers attribute all days again, and return what it took."""
    frames = {"rates": rates(usd_per_gpu_hour)}
    batch = f"price {usd_per_gpu_hour}"
    write_batch(
        made.organisation_id, source="b", batch_id=batch, frames=frames, rejected=0, notices=(), hot_from_at=DAY_AT
    )
    until_at = DAY_AT + timedelta(days=DAYS)
    due = [(site, day) for site, day in due_days(made.organisation_id) if DAY_AT.date() <= day < until_at.date()]
    arm = Arm(workers)
    with worker_processes(workers, broker_url) as pids:
        started_s, used_s = time.monotonic(), cpu_s(pids)
        for site, day in due:
            app.send_task("aiobserve.attribute_day", kwargs={"site_id": site, "day": day.isoformat()})
        while left(made) > 0:
            if time.monotonic() - started_s > PATIENCE_S:
                raise TimeoutError(f"{left(made)} of {len(due)} site-days are not attributed after {PATIENCE_S} s")
            time.sleep(POLL_S)
            arm.looks, arm.waits = arm.looks + 1, arm.waits + waiting_backends()
        arm.wall_s, arm.cpu_s = time.monotonic() - started_s, cpu_s(pids) - used_s
    return arm


@contextmanager
def worker_processes(count: int, broker_url: str) -> Iterator[list[int]]:
    """Run so many workers of one process each, and stop them."""
    known = connection.settings_dict
    url = f"postgresql://{known['USER']}:{known['PASSWORD']}@{known['HOST']}:{known['PORT']}/{known['NAME']}"
    environ = {**os.environ, "DATABASE_URL": url, "BROKER_URL": broker_url, "C_FORCE_ROOT": "1"}
    options = ["--pool", "solo", "--loglevel", "ERROR", "--without-mingle", "--without-gossip"]
    names = [f"bench-{i}@local" for i in range(count)]
    command = [sys.executable, "-m", "celery", "-A", "aiobserve.celery", "worker", *options]
    workers = [
        subprocess.Popen([*command, "-n", name], env=environ, cwd=ROOT, stdin=subprocess.DEVNULL) for name in names
    ]
    try:
        give_up_at = time.monotonic() + 60
        while len(app.control.inspect(timeout=1).ping() or {}) < count:
            if time.monotonic() > give_up_at:
                raise TimeoutError(f"{count} Celery workers did not answer within 60 s")
        yield [worker.pid for worker in workers]
    finally:
        for worker in workers:
            worker.terminate()
        for worker in workers:
            worker.wait(60)


def left(made: Fleet) -> int:
    """Return the days within the thirty that are still due."""
    last = (DAY_AT + timedelta(days=DAYS)).date()
    return sum(DAY_AT.date() <= day < last for _, day in due_days(made.organisation_id))


def waiting_backends() -> int:
    """Return how many backends of our database wait for a lock now."""
    with connection.cursor() as cursor:
        cursor.execute(
            """SELECT count(*) FROM pg_stat_activity
               WHERE datname = current_database() AND wait_event_type IN ('Lock', 'LWLock')"""
        )
        return int((cursor.fetchone() or (0,))[0])


def cpu_s(pids: list[int]) -> float:
    """Return the CPU seconds so far of these processes and of PostgreSQL, backends that are gone included."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid()")
        (backend,) = cursor.fetchone() or (0,)
    postmaster = int(fields(backend)[1])
    everybody = {int(path.name): fields(int(path.name)) for path in Path("/proc").iterdir() if path.name.isdigit()}
    children = [pid for pid, found in everybody.items() if int(found[1]) == postmaster]
    gone = sum(int(value) for value in fields(postmaster)[13:15])
    ours = sum(int(value) for pid in [*pids, *children] for value in fields(pid)[11:13])
    return (gone + ours) / TICKS_PER_S


def fields(pid: int) -> list[str]:
    """Return the fields of /proc/PID/stat from the state on; zeros when the process is gone."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    except (FileNotFoundError, ProcessLookupError):
        return ["0"] * 50
