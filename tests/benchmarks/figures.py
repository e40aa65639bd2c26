"""What each figure of `make bench` means, and the table that says so."""

from collections.abc import Mapping

from rich.table import Table

MEANINGS = {
    "server_side_copy_cpu_s_per_million": "CPU s of a server-side COPY of a million rows from a file: the floor of ingest",
    "ingest_cpu_s_per_million": "CPU s of our COPY of a million rows (client and backend)",
    "ingest_ratio": "CPU of our COPY / server-side COPY of the same rows (client and backend)",
    "exactly_once_ratio": "CPU of ingest with its batch-ledger row / without",
    "packed_bytes_per_sample": "bytes a sample of the chunk table in the database, TOAST and indices included (day chunks of noise)",
    "samples_millions": "millions of samples that attribution reads below",
    "floor_cpu_s": "CPU s of np.sum of the arrays of those samples: the floor of attribution",
    "attribution_cpu_s": "CPU s of attribution of those samples in memory",
    "attribution_ratio": "CPU of attribution in memory / np.sum of the arrays it reads",
    "packed_bytes_per_sample_by_hour": "the same of hour chunks, before they are merged",
    "packed_to_ledger_samples_per_cpu_s": "samples per CPU s, packed chunks to posted ledger (client and backend)",
    "rows_to_ledger_samples_per_cpu_s": "the same from hot rows, read as an ordinary program would",
    "packed_to_ledger_ratio": "the first / the second",
    "packed_to_ledger_postings": "postings that either way comes to: a day of 500 GPUs",
    "new_hour_cpu_s": "CPU s, one hour of 10,000 GPUs at 15 s from hour chunks to posted ledger (client and backend)",
    "new_hour_postings": "postings that it comes to",
    "scale_out_samples_millions": "millions of samples that each arm below attributes again",
    "scale_out_one_worker_s": "wall of one Celery worker",
    "scale_out_two_workers_s": "wall of two",
    "scale_out_one_worker_cores": "cores that the one worker and PostgreSQL got: CPU s / wall",
    "scale_out_two_workers_cores": "the same of two; as many as they could use only where they were free",
    "scale_out_ratio": "wall of one Celery worker / of two, 30 days of 1,000 GPUs (a sample a minute)",
    "scale_out_ratio_by_cpu": "the same by CPU used, each worker and its backend with a core for themselves",
    "scale_out_lock_waits": "share of looks at which a backend of the two waited for a lock",
    "posting_tuples_cpu_s_per_million": "CPU s to COPY a million postings as rows of Python values (for comparison)",
    "posting_binary_cpu_s_per_million": "the same as rows that numpy builds",
    "posting_digests_cpu_s_per_million": "CPU s for the digests by window of a million postings",
    "posting_posted_cpu_s_per_million": "CPU s to post a million: digests, COPY with every index, seal",
    "attribution_charges_millions": "millions of charges that it comes to",
    "attribution_peak_memory_ratio": "peak memory of it, its input included / its input",
    "plan_cpu_s_at_0.6": "CPU s to plan 10,000 jobs, a week of hours, utilisation 0.6 (worst of 3 seeds)",
    "plan_gap_percent_at_0.6": "proven gap of that plan, % (worst of 3 seeds)",
    "plan_cpu_s_at_0.85": "the same at utilisation 0.85",
    "plan_gap_percent_at_0.85": "proven gap of that plan, % (worst of 3 seeds)",
}


class NoMeaning(KeyError):
    """A figure is printed that nobody says the meaning of; add it to MEANINGS."""


def table(figures: Mapping[str, float]) -> Table:
    """Return the figures with their meanings, names and values whole at any width.

    Raises:
        NoMeaning: the meaning of a figure is not known here.
    """
    missing = [name for name in figures if name not in MEANINGS]
    if missing:
        raise NoMeaning(f"say in tests/benchmarks/figures.py what is meant by {', '.join(missing)}")
    made = Table()
    made.add_column("figure", no_wrap=True, min_width=max(map(len, figures), default=0))
    made.add_column("value", no_wrap=True, justify="right", min_width=9)
    made.add_column("meaning", overflow="fold")
    for name, value in figures.items():
        made.add_row(name, f"{value:.3f}", MEANINGS[name])
    return made
