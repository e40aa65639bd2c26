"""The formula of one window of a figure: lines that sum to what was posted, each gap between them named."""

from collections.abc import Mapping, Sequence
from datetime import datetime

from aiobserve.attribution.price import RateMissing
from aiobserve.attribution.token_prices import TokenPriceMissing
from aiobserve.domain.signal import SignalMissing
from aiobserve.reports.explain_bought import bought_lines
from aiobserve.reports.explain_formula import Line, formula_lines, move_lines
from aiobserve.reports.reckoning import reckon, within
from aiobserve.reports.scope import Scope
from aiobserve.store.read import fleet
from aiobserve.store.read.trail import Cell, posted_again

Words = Mapping[str, Sequence[str]]


def window_lines(
    scope: Scope,
    filters: Words,
    cell: Cell,
    chosen: tuple[datetime, str, int],
    measures: Sequence[str],
    *,
    first: int,
) -> tuple[list[Line], tuple[int, int] | None]:
    """Return the lines of a window, whose amounts sum to what was posted, and what it comes to and came to.

    The latter is None where there is nothing to work out: then all of it stands in a line that says why.
    """
    window_at, site_name, posted = chosen
    unit = measures[0].rsplit("_", 1)[1]
    site = next(one for one in fleet.sites(scope.organisation.pk) if one.name == site_name)
    corrected = posted_again(cell, measures, window_at, site_name)
    corrections = (
        [Line(f"corrections of a closed month, posted here = {corrected:,} {unit}", corrected)] if corrected else []
    )
    left = posted - corrected
    try:
        worked = [] if list(filters.get("is_correction", ())) == ["true"] else _worked(
            scope, site, window_at, filters, measures, first=first
        )  # fmt: skip
    except (RateMissing, SignalMissing, TokenPriceMissing) as error:
        why = f"cannot be worked out again: {error}; as it was posted = {left:,} {unit}"
        return [*corrections, Line(why, left)], None
    again = sum(line.amount for line in worked)
    if corrected and not left:
        # What the window used itself is not posted, or comes to nothing.
        return corrections, None
    if not worked:
        why = "comes neither from a device nor from tokens that are known now: an imported charge, or inputs changed since"
        return [*corrections, Line(f"{why} = {left:,} {unit}", left)], None
    lines = [*worked, *corrections]
    said = "the same, to the unit"
    if again != left:
        lines.append(Line(f"remainder, as inputs changed since it was posted = {left - again:,} {unit}", left - again))
        said = "inputs changed since; the remainder stands above"
    if corrected:
        said += f"; with corrections {posted:,}"
    lines.append(Line(f"worked out again: {again:,}; posted: {left:,} ({said})"))
    return lines, (again, left)


def _worked(
    scope: Scope, site: fleet.SiteRow, window_at: datetime, filters: Words, measures: Sequence[str], *, first: int
) -> list[Line]:
    """Return the lines of devices, overhead, tenants of model servers and bought tokens."""
    lines: list[Line] = []
    found = reckon(site, window_at, reserver_named=scope.sharing.idle == "reserver")
    if found is not None:
        rows, overhead = found.matching(filters)
        lines += formula_lines(rows, overhead, measures, first=first)
        lines += move_lines(within(found.moves, filters), measures, first=first)
    return lines + bought_lines(site, window_at, filters, measures, first=first)
