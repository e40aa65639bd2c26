"""Runs and what was lost of them: attempts belong together, and kept + lost is what was posted."""

import pandas as pd
from hypothesis import given
from hypothesis import strategies as st

from aiobserve.attribution.runs import lineage, split_at_checkpoint


def attempts(*rows: tuple[str, str, int, int]) -> pd.DataFrame:
    return pd.DataFrame(rows, columns=["name", "account", "attempt", "submitted_s"])


def test_attempts_that_count_on_are_one_run_and_a_new_first_attempt_is_another() -> None:
    runs = lineage(
        attempts(
            ("nightly", "nlp", 1, 0), ("nightly", "nlp", 2, 10), ("nightly", "nlp", 1, 90), ("nightly", "cv", 2, 20)
        )
    )

    assert runs[0] == runs[1]
    assert runs.nunique() == 3


def facts(*, start_s: int = 0, end_s: int = 3600, checkpoint_s: int | None = None) -> pd.DataFrame:
    saved = start_s if checkpoint_s is None else checkpoint_s
    row = {"start_s": start_s, "end_s": end_s, "checkpoint_s": saved, "has_checkpoint": checkpoint_s is not None}
    return pd.DataFrame(row, index=pd.Index([7], name="job_id"))


def windows(*cents: int) -> pd.DataFrame:
    return pd.DataFrame({"job_id": 7, "window_start_s": [900 * n for n in range(len(cents))], "cents": list(cents)})


def test_what_ran_before_the_checkpoint_is_kept() -> None:
    # A checkpoint at 40 minutes of an hour: two windows and ten minutes of the third are safe.
    split = split_at_checkpoint(windows(90, 90, 90, 90), facts(checkpoint_s=2400), amounts=["cents"])

    assert (split.kept.loc[7, "cents"], split.lost.loc[7, "cents"]) == (90 + 90 + 60, 30 + 90)
    assert not split.assumed[7]


def test_without_a_checkpoint_all_is_lost_at_most_and_marked() -> None:
    split = split_at_checkpoint(windows(90, 90), facts(end_s=1500), amounts=["cents"])

    assert (split.kept.loc[7, "cents"], split.lost.loc[7, "cents"]) == (0, 180)
    assert split.assumed[7]


@given(
    amounts=st.lists(st.integers(-(10**6), 10**12), min_size=1, max_size=8),
    start_s=st.integers(0, 4000), length_s=st.integers(0, 4000), saved_s=st.none() | st.integers(0, 8000),
)  # fmt: skip
def test_kept_and_lost_are_what_was_posted(
    amounts: list[int], start_s: int, length_s: int, saved_s: int | None
) -> None:
    checkpoint_s = None if saved_s is None else min(max(saved_s, start_s), start_s + length_s)

    split = split_at_checkpoint(
        windows(*amounts),
        facts(start_s=start_s, end_s=start_s + length_s, checkpoint_s=checkpoint_s),
        amounts=["cents"],
    )

    assert split.kept.loc[7, "cents"] + split.lost.loc[7, "cents"] == sum(amounts)
