"""The planner: CPU seconds and proven gap for 10,000 jobs over a week of hours, on seeds that nothing was tuned on."""

import time

from scheduler.plan import plan
from scheduler.policy import POLICIES
from tests.benchmarks.plan_instance import synthetic_instance

JOBS = 10_000
SEEDS = (11, 12, 13)


def measure() -> dict[str, float]:
    """Return the worst CPU seconds and the worst proven gap over the seeds, at two utilisations."""
    result = {}
    for utilisation in (0.6, 0.85):
        taken, gaps = [], []
        for seed in SEEDS:
            jobs, pools, slots = synthetic_instance(JOBS, utilisation=utilisation, seed=seed)
            started_s = time.process_time()
            made = plan(jobs, pools, slots, policy=POLICIES["blended"])
            taken.append(time.process_time() - started_s)
            gaps.append(made.gap_ratio)
        result[f"plan_cpu_s_at_{utilisation}"] = max(taken)
        result[f"plan_gap_percent_at_{utilisation}"] = 100 * max(gaps)
    return result
