"""The forecast of the month: what it expects, how wide it is, and what it was worth against the run rate."""

from datetime import date, timedelta
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from aiobserve.ledger.forecast import LEAST_DAYS, expected_days, forecast, half_width, past_errors, run_rate
from collectors.simulated.company import ACCOUNTS, GPUS, SEED, SPAN
from collectors.simulated.jobs import runs

MONDAY = 0
WORK_WEEK = [100, 100, 100, 100, 100, 30, 30]
SECONDS_PER_DAY = 86_400


def test_a_constant_stays_and_is_known_exactly() -> None:
    found = forecast([100] * 60, first_weekday=MONDAY, ahead=10)

    assert found.days == (100,) * 10
    assert [(one.low, one.high) for one in found.intervals] == [(1000, 1000), (1000, 1000)]
    assert found.is_short is False


def test_weekends_are_expected_to_be_weekends() -> None:
    found = forecast(WORK_WEEK * 10, first_weekday=MONDAY, ahead=7)

    assert found.total == pytest.approx(560, rel=0.02)
    assert max(found.days[5:]) < 45
    assert min(found.days[:5]) > 90


def test_a_rise_that_stands_out_goes_on_for_a_while_and_a_chance_one_does_not() -> None:
    rising = expected_days(np.arange(100.0, 160.0), first_weekday=MONDAY, ahead=10)
    noise = np.random.default_rng(1).normal(100, 20, 60)

    level_alone = expected_days(np.arange(100.0, 160.0)[-27:], first_weekday=MONDAY, ahead=10)

    assert rising[-1] > rising[0]
    assert rising[-1] > level_alone.max()
    assert np.ptp(expected_days(noise, first_weekday=MONDAY, ahead=7)) < 20


def test_nothing_ahead_is_nothing() -> None:
    found = forecast([5] * 30, first_weekday=MONDAY, ahead=0)

    assert (found.total, found.days, [(one.low, one.high) for one in found.intervals]) == (0, (), [(0, 0), (0, 0)])


@pytest.mark.parametrize("days", [0, 1, 5, LEAST_DAYS, 20])
def test_a_short_history_says_so_and_is_wide(days: int) -> None:
    found = forecast([100] * days, first_weekday=MONDAY, ahead=10)

    assert found.is_short is True
    assert found.total == (1000 if days else 0)
    assert found.intervals[-1].high - found.intervals[-1].low >= found.total


def test_the_half_width_is_the_kth_smallest_error() -> None:
    errors = np.array([float(n) for n in range(1, 20)])  # 19 errors: ceil(20 x 0.95) is the largest of them

    assert half_width(errors, coverage=0.80, expected=0) == (16.0, False)
    assert half_width(errors, coverage=0.95, expected=0) == (19.0, False)
    assert half_width(errors[:-1], coverage=0.95, expected=7) == (36.0, True)


@given(st.lists(st.integers(0, 10**12), max_size=80), st.integers(0, 6), st.integers(0, 31))
def test_the_wider_interval_holds_the_narrower_and_both_hold_what_is_expected(
    history: list[int], weekday: int, ahead: int
) -> None:
    found = forecast(history, first_weekday=weekday, ahead=ahead)
    narrow, wide = found.intervals

    assert 0 <= wide.low <= narrow.low <= found.total + ahead
    assert found.total - ahead <= narrow.high <= wide.high
    assert len(found.days) == len(found.cumulative) == ahead
    assert found.total == sum(found.days)


def test_errors_are_those_of_the_same_method_at_days_that_are_past() -> None:
    history = np.random.default_rng(2).normal(100, 10, 40)

    errors = past_errors(history, first_weekday=MONDAY, ahead=5)

    last = expected_days(history[:35], first_weekday=MONDAY, ahead=5)
    assert errors.shape == (40 - 5 - LEAST_DAYS + 1, 5)
    assert errors[-1, -1] == pytest.approx(history[35:].sum() - last.sum())


def back_test(
    series: np.ndarray, *, first: date, aheads: tuple[int, ...], start: int
) -> tuple[float, float, list[float], int]:
    """Return mean error, that of the run rate (both in parts of the mean), coverage of both intervals, and the number of tries."""
    ours, naive, inside = [], [], []
    for ahead in aheads:
        for cut in range(start, len(series) - ahead + 1, 2):
            really, size = series[cut : cut + ahead].sum(), series.mean() * ahead
            found = forecast([round(day) for day in series[:cut]], first_weekday=first.weekday(), ahead=ahead)
            rate = run_rate(series[:cut], elapsed=max(30 - ahead, 1), ahead=ahead).sum()
            ours.append(abs(found.total - really) / size)
            naive.append(abs(rate - really) / size)
            inside.append([one.low <= really <= one.high for one in found.intervals])
    return float(np.mean(ours)), float(np.mean(naive)), np.mean(inside, axis=0).tolist(), len(ours)


def test_back_test_on_the_simulated_company() -> None:
    """GPU-hours of each team by day, from the jobs of the simulated company: 90 days, a month's end 5 to 20 days ahead."""
    hours = {team: np.zeros(len(list(SPAN.days()))) for team, _ in ACCOUNTS.values()}
    for run in runs(SEED):
        if run.work.account not in ACCOUNTS:
            continue
        assert (run.lane.node, run.lane.gpus[0]) in GPUS
        team = ACCOUNTS[run.work.account][0]
        first_s, last_s = run.start_s - SPAN.start_at.timestamp(), run.end_s - SPAN.start_at.timestamp()
        share = len(run.lane.gpus) * run.lane.share_millis * 1000
        for day in range(max(int(first_s // SECONDS_PER_DAY), 0), min(int((last_s - 1) // SECONDS_PER_DAY), 89) + 1):
            held_s = min(last_s, (day + 1) * SECONDS_PER_DAY) - max(first_s, day * SECONDS_PER_DAY)
            hours[team][day] += held_s * share

    found = [back_test(one, first=SPAN.start_at.date(), aheads=(5, 10, 20), start=49) for one in hours.values()]

    error, naive = (float(np.mean([one[place] for one in found])) for place in (0, 1))
    covered = np.mean([one[2] for one in found], axis=0)
    print(
        f"simulated: error {error:.3f}, run rate {naive:.3f}, coverage {covered.round(2)}, tries {sum(o[3] for o in found)}"
    )
    assert error < naive
    assert covered[0] > 0.6 and covered[1] > 0.75


def test_back_test_on_the_real_story(traces: Path) -> None:
    """GPU-hours of ten clusters by day, 58 days, reckoned with pandas from the jobs."""
    jobs = pd.read_parquet(traces / "open/jobs/itp_raw_jobs.parquet")
    start, end = jobs.submission_time.to_numpy(), (jobs.submission_time + jobs.duration).to_numpy()
    first, last = start // SECONDS_PER_DAY, (end - 1) // SECONDS_PER_DAY
    row = np.repeat(np.arange(len(jobs)), last - first + 1)
    day = np.concatenate([np.arange(a, b + 1) for a, b in zip(first, last, strict=True)])
    held = np.minimum(end[row], (day + 1) * SECONDS_PER_DAY) - np.maximum(start[row], day * SECONDS_PER_DAY)
    table = pd.DataFrame(
        {"day": day, "cluster": jobs.cluster.to_numpy()[row], "gpu_s": held * jobs.num_gpu.to_numpy()[row]}
    )
    # The trace's last two days only hold what was submitted before them.
    by_day = table.groupby(["day", "cluster"])["gpu_s"].sum().unstack().fillna(0).iloc[:58]
    day_one = date(2021, 3, 4)

    whole = back_test(by_day.sum(axis=1).to_numpy(), first=day_one, aheads=(3, 5, 7, 10), start=28)
    each = [back_test(by_day[name].to_numpy(), first=day_one, aheads=(3, 5, 7, 10), start=28) for name in by_day]

    error, naive = (float(np.mean([one[place] for one in each])) for place in (0, 1))
    covered = np.mean([one[2] for one in each], axis=0)
    print(
        f"real, whole: error {whole[0]:.3f}, run rate {whole[1]:.3f}, coverage {np.round(whole[2], 2)}, tries {whole[3]}"
    )
    print(f"real, by cluster: error {error:.3f}, run rate {naive:.3f}, coverage {covered.round(2)}, days {len(by_day)}")
    assert whole[2][0] > 0.6 and whole[2][1] > 0.75
    assert error < naive
    assert day_one + timedelta(days=58) == date(2021, 5, 1)
