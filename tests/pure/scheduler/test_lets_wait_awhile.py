from datetime import UTC, datetime

import numpy as np
import pytest

from scheduler.replay.issued import issued_cells
from scheduler.replay.lets_wait_awhile import NoWholeYear, honest_cells, paper_cells, project
from scheduler.replay.ml_project import finish_by, ml_project

YEAR_AT = datetime(2020, 1, 1, tzinfo=UTC)
HALF_HOUR_S = 1800
# 2020-01-01 is a Wednesday.
DAY = 48
FRIDAY, SATURDAY, SUNDAY, MONDAY, THURSDAY = 2 * DAY, 3 * DAY, 4 * DAY, 5 * DAY, 8 * DAY
NINE, SIX_PM = 18, 36


def until(done: int, rule: str, *, calendar: bool = True) -> int:
    return finish_by(done, year_at=YEAR_AT, slot_s=HALF_HOUR_S, rule=rule, calendar=calendar)


def test_the_year_has_the_published_jobs() -> None:
    jobs = ml_project(np.random.default_rng(0), year_at=YEAR_AT, slot_s=HALF_HOUR_S)

    assert len(jobs.arrival) == 3387
    assert jobs.length.sum() / 2 == 155_626
    assert (np.diff(jobs.arrival) >= 0).all()


def test_the_next_workday() -> None:
    assert until(FRIDAY + NINE + 4, "next_workday") == FRIDAY + NINE + 4
    assert until(FRIDAY + 2, "next_workday") == FRIDAY + NINE
    assert until(SATURDAY + 2, "next_workday") == MONDAY + NINE
    assert until(SUNDAY + 2, "next_workday") == MONDAY + NINE


def test_friday_evening_is_before_monday_and_not_before_saturday() -> None:
    assert until(FRIDAY + SIX_PM, "next_workday") == MONDAY + NINE
    assert until(FRIDAY + SIX_PM, "next_workday", calendar=False) == SATURDAY + NINE


def test_the_half_week_ends_on_monday_or_thursday_at_nine() -> None:
    assert until(FRIDAY, "semi_weekly") == MONDAY + NINE
    assert until(MONDAY + NINE, "semi_weekly") == MONDAY + NINE
    assert until(MONDAY + NINE + 1, "semi_weekly") == THURSDAY + NINE


def year(hours_clean: int) -> np.ndarray:
    """A year and ten days of half hours: clean in the first hours of each day."""
    day = np.where(np.arange(DAY) < 2 * hours_clean, 100.0, 500.0)
    return np.tile(day, 376)


def test_without_noise_and_costs_the_plan_is_the_optimum() -> None:
    args = {"year_at": YEAR_AT, "slot_s": HALF_HOUR_S, "error": 0.0, "seeds": [0]}

    for cell in paper_cells(year(6), **args):  # type: ignore[arg-type]
        assert cell.saving_percent == pytest.approx(cell.optimum_percent)
    contiguous = next(iter(honest_cells(year(6), **args, seats=10_000, resume_s=0)))  # type: ignore[arg-type]
    assert contiguous.saving_percent == pytest.approx(contiguous.optimum_percent)
    assert contiguous.missed_deadlines == 0


def test_a_signal_that_ends_too_early_is_refused() -> None:
    with pytest.raises(NoWholeYear, match="run .* days past the end of the signal"):
        project(np.ones(366 * DAY), year_at=YEAR_AT, slot_s=HALF_HOUR_S, rule="semi_weekly", calendar=True)


def test_perfect_issues_save_what_perfect_knowledge_does() -> None:
    hourly = np.tile(np.where(np.arange(24) < 6, 100.0, 500.0), 376 + 60)
    first = 60 * 24
    project_ = project(hourly[first:], year_at=YEAR_AT, slot_s=3600, rule="semi_weekly", calendar=True)
    issued = {hour: hourly[hour : hour + 96] for hour in range(0, len(hourly) - 96, 24)}

    cells = {
        cell.row: cell
        for cell in issued_cells({"semi_weekly": project_}, hourly, issued, first=first, resume_slots=0.0)
    }

    daily = cells["semi_weekly_interruptible_issued_daily"]
    assert daily.saving_percent == pytest.approx(daily.optimum_percent)
    assert all(cell.missed_deadlines == 0 for cell in cells.values())
