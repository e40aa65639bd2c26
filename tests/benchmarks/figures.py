"""What each figure of `make bench` means, and the table that says so."""

from collections.abc import Mapping

from rich.table import Table

MEANINGS = {
    "server_side_copy_cpu_s_per_million": "CPU s of a server-side COPY of a million rows from a file: the floor of ingest",
    "ingest_cpu_s_per_million": "CPU s of our COPY of a million rows (client and backend)",
    "ingest_ratio": "CPU of our COPY / server-side COPY of the same rows (client and backend)",
    "exactly_once_ratio": "CPU of ingest with its batch-ledger row / without",
    "packed_bytes_per_sample": "bytes of a packed sample (noise power, 15 s, five columns)",
    "samples_millions": "millions of samples that attribution reads below",
    "floor_cpu_s": "CPU s of np.sum of the arrays of those samples: the floor of attribution",
    "attribution_cpu_s": "CPU s of attribution of those samples in memory",
    "attribution_ratio": "CPU of attribution in memory / np.sum of the arrays it reads",
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
