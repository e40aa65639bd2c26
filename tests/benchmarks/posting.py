"""Posting a million rows: our binary COPY beside rows of Python values, digests by window, and the whole of a site-day."""

from collections.abc import Callable
from datetime import UTC, date, datetime

import numpy as np
import pandas as pd
from django.db import connection, transaction

from aiobserve.domain.account import MEASURES, Account
from aiobserve.domain.window import utc_day
from aiobserve.ledger.digest import window_digests
from aiobserve.pipeline.post import post_windows
from aiobserve.store.models import Organisation, Site
from aiobserve.store.write.copy import _python_values, copy_frame, copy_rows
from aiobserve.store.write.ledger import POSTING_COLUMNS, Books
from tests.benchmarks.cpu import interleaved

ROWS = 960_000
WINDOWS = 96
DAY = date(2026, 3, 2)


def measure() -> dict[str, float]:
    """Return CPU seconds a million postings of each arm, client and backend together."""
    organisation = Organisation.objects.create(slug="posting-bench", name="bench")
    site = Site.objects.create(organisation=organisation, name="bench", grid_zone="Z", timezone="UTC")
    frame = synthetic()
    rows = frame.assign(
        batch_id=1, organisation_id=organisation.pk, site_id=site.pk, corrects_window_start_at=pd.NaT,
        window_start_at=pd.to_datetime(frame["window_start_s"], unit="s", utc=True),
    )  # fmt: skip
    books = Books(organisation.pk, site.pk, DAY, "bench", 1)
    with connection.cursor() as cursor:
        cursor.execute("CREATE UNLOGGED TABLE posting_bench (LIKE posting INCLUDING DEFAULTS INCLUDING GENERATED)")
        cursor.execute("ALTER TABLE posting_bench ALTER id DROP NOT NULL")
    medians = interleaved(
        {
            "tuples": lambda: undone(lambda: copy_rows("posting_bench", POSTING_COLUMNS, tuples(rows))),
            "binary": lambda: undone(lambda: copy_frame("posting_bench", POSTING_COLUMNS, rows)),
            "digests": lambda: window_digests(frame),
            "posted": lambda: undone(lambda: post_windows(books, utc_day(DAY), frame, present_at=datetime(2026, 3, 3, tzinfo=UTC))),
        },
        with_backend=True,
    )  # fmt: skip
    with connection.cursor() as cursor:
        cursor.execute("DROP TABLE posting_bench")
    return {f"posting_{name}_cpu_s_per_million": taken * 1_000_000 / ROWS for name, taken in medians.items()}


def undone(act: Callable[[], object]) -> None:
    """Do something in a transaction and undo it, after what the database puts off until the end of one."""
    with transaction.atomic():
        act()
        with connection.cursor() as cursor:
            cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        transaction.set_rollback(True)


def tuples(rows: pd.DataFrame) -> list[tuple[object, ...]]:
    lists = [_python_values(rows[name], pg_type) for name, pg_type in POSTING_COLUMNS.items()]
    return list(zip(*lists, strict=True))


def synthetic() -> pd.DataFrame:
    """Return the postings of a large site-day: 96 windows of 10,000 jobs, a fifth of the rows without one."""
    rng = np.random.default_rng(5)
    start_s = int(utc_day(DAY).start_at.timestamp())
    window = np.repeat(np.arange(WINDOWS), ROWS // WINDOWS)
    job = pd.Series(rng.integers(1, 60_000, ROWS)).astype("Int64")
    nobody = rng.random(ROWS) < 0.2
    keys = {
        "window_start_s": start_s + 900 * window,
        "account": np.where(nobody, int(Account.IDLE), int(Account.JOB)),
        "component": 1,
        "pool_id": pd.Series(pd.NA, index=range(ROWS), dtype="Int64"),
        **{
            name: (job % modulo).mask(nobody)
            for name, modulo in (("team_id", 40), ("project_id", 90), ("model_id", 25))
        },
        "job_id": job.mask(nobody),
        "energy_quality": 1,
        "carbon_quality": 1,
        "cost_quality": 2,
    }
    return pd.DataFrame({**keys, **{name: rng.integers(0, 10**9, ROWS) for name in MEASURES}})
