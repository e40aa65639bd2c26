"""CPU time of this process and of the database's backend, and medians of interleaved runs."""

import os
import statistics
import time
from collections.abc import Callable, Mapping
from pathlib import Path

from django.db import connection

REPEATS = 5
TICKS_PER_S = os.sysconf("SC_CLK_TCK")


def backend_cpu_s() -> float:
    """Return the CPU seconds that our database backend has used (in steps of 10 ms)."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid()")
        (pid,) = cursor.fetchone() or (0,)
    fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / TICKS_PER_S


def interleaved(arms: Mapping[str, Callable[[], object]], *, with_backend: bool = False) -> dict[str, float]:
    """Run every arm in turn, five times over, and return the median CPU seconds of each."""
    if with_backend:
        # Workers that help a backend would escape the count.
        with connection.cursor() as cursor:
            cursor.execute("SET max_parallel_workers_per_gather = 0")
    taken: dict[str, list[float]] = {name: [] for name in arms}
    for _ in range(REPEATS):
        for name, arm in arms.items():
            backend_s = backend_cpu_s() if with_backend else 0.0
            started_s = time.process_time()
            arm()
            spent_s = time.process_time() - started_s
            taken[name].append(spent_s + (backend_cpu_s() - backend_s if with_backend else 0.0))
    return {name: statistics.median(values) for name, values in taken.items()}
