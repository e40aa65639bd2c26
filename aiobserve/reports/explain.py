"""Leads from any figure down to where it came from: postings, inputs, prices and factors, formula, samples.

A figure is a cell of a report: an organisation and days, a measure, and values of dimensions. Command, API and page print
the text that is made here, so that they explain alike.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime

from aiobserve.domain.account import COST_MEASURES, MEASURES, Account, Component
from aiobserve.domain.quality import Quality
from aiobserve.domain.units import gpu_hours, kg_co2e, kwh, usd
from aiobserve.domain.window import WINDOW_S
from aiobserve.reports.amounts import Amounts
from aiobserve.reports.explain_formula import sample_lines
from aiobserve.reports.explain_inputs import input_lines, price_lines
from aiobserve.reports.explain_job import job_lines
from aiobserve.reports.explain_window import window_lines
from aiobserve.reports.names import check_filters
from aiobserve.reports.scope import BadScope, Scope
from aiobserve.reports.sharing import in_words
from aiobserve.reports.spend import DIMENSIONS, UnknownDimension, spend, stored
from aiobserve.store.read.jobs import JobFacts, job_facts
from aiobserve.store.read.trail import Cell, Trail, by_window, trail

# What can be asked about, and the columns of the ledger that sum to it.
FIGURES: dict[str, tuple[str, ...]] = {
    "cost": COST_MEASURES,
    "capacity": ("capacity_microusd",),
    "electricity": ("electricity_microusd",),
    "api": ("api_microusd",),
    "list": ("list_microusd",),
    "energy": ("energy_millij",),
    "energy_error": ("energy_error_millij",),
    "carbon": ("carbon_microg",),
    "carbon_market": ("carbon_market_microg",),
    "embodied": ("embodied_microg",),
    "water": ("water_microl",),
    "gpu_hours": ("gpu_millis",),
}
FIRST = 10


@dataclass(frozen=True)
class Question:
    """A figure, and how deep to go.

    Attributes:
        filters: values by dimension, as `spend` takes them.
        figure: one of `FIGURES`.
        window_at: the quarter of an hour whose formula is filled in; the one with the largest part by default, corrections aside.
        device: uid of the device whose samples are listed, empty for none.
        first: how many postings, devices and batches are listed.
    """

    scope: Scope
    filters: Mapping[str, Sequence[str]] = field(default_factory=dict)
    figure: str = "cost"
    window_at: datetime | None = None
    device: str = ""
    first: int = FIRST


@dataclass(frozen=True)
class Section:
    """A heading and its lines."""

    title: str
    lines: tuple[str, ...]


@dataclass(frozen=True)
class Explanation:
    """A figure and what is behind it.

    Attributes:
        exact: the amount in the ledger's unit; `posted` is what the postings listed sum to, which is the same unless idle
            or overhead is shared out.
        reckoned: what the chosen window comes to when it is worked out again, and what was posted for it; None where there
            is nothing to work out.
    """

    question: Question
    title: str
    exact: int
    posted: int
    amounts: Amounts
    sections: tuple[Section, ...]
    postings: int
    batches: tuple[int, ...]
    window_at: datetime | None
    reckoned: tuple[int, int] | None

    @property
    def lines(self) -> tuple[str, ...]:
        """Return everything as lines of text."""
        return (
            self.title,
            *(line for one in self.sections for line in ("", one.title, *(f"  {text}" for text in one.lines))),
        )


def explain(question: Question) -> Explanation:
    """Return the explanation of a figure.

    Raises:
        BadScope: the figure, a name, a window or a device is not known; the message says which and what to do.
        UnknownDimension: a filter is no dimension of the ledger.
    """
    if question.figure not in FIGURES:
        raise BadScope(f"figure={question.figure!r} is not known; choose from {', '.join(FIGURES)}")
    if question.window_at is not None and (
        question.window_at.timestamp() % WINDOW_S or question.window_at.tzinfo is None
    ):
        raise BadScope("window must be the start of a quarter of an hour with its zone, as 2026-10-15T06:00Z")
    scope, measures = question.scope, FIGURES[question.figure]
    job = _job(question)
    check_filters(scope.organisation.pk, question.filters)
    amounts = spend(scope, group_by=(), filters=question.filters).total
    cell = Cell(
        scope.organisation.pk, scope.span, scope.timezone, stored(question.filters), scope.sharing.idle == "reserver"
    )
    found = trail(cell, measures, first=question.first)
    exact, posted = (
        sum(sums[name] for name in measures) for sums in ({n: getattr(amounts, n) for n in MEASURES}, found.sums)
    )
    sections = [Section("The figure", tuple(_figure_lines(question, amounts, exact, posted)))]
    if job is not None:
        sections.insert(0, Section("The job", tuple(job_lines(scope.organisation.pk, job))))
    sections.append(Section("Postings", tuple(_posting_lines(question, found, posted))))
    chosen, reckoned = None, None
    if found.postings:
        sections += [
            Section("Inputs", tuple(input_lines(scope, found, first=question.first))),
            Section("Prices and factors", tuple(price_lines(scope, found))),
        ]
        chosen = _window(question, cell, measures)
        if chosen is not None:
            lines, reckoned = window_lines(scope, question.filters, cell, chosen, measures, first=question.first)
            sections.append(
                Section(f"Formula, {chosen[0]:%Y-%m-%d %H:%M}Z at {chosen[1]}", tuple(line.text for line in lines))
            )
    if question.device:
        at = question.window_at or (chosen[0] if chosen else None)
        sections.append(Section(f"Samples of {question.device}", tuple(sample_lines(scope, question.device, at))))
    return Explanation(
        question, _title(question, exact), exact, posted, amounts, tuple(sections), found.postings,
        tuple(batch.pk for batch in found.batches), chosen[0] if chosen else None, reckoned,
    )  # fmt: skip


def written(figure: str, exact: int) -> str:
    """Return an amount of a figure with its unit, and exactly."""
    column = FIGURES[figure][0]
    unit = column.rsplit("_", 1)[1]
    text = {
        "microusd": f"{usd(exact):,} USD", "millij": f"{kwh(exact):,} kWh", "microg": f"{kg_co2e(exact):,} kgCO2e",
        "microl": f"{exact / 1e6:,.1f} l", "millis": f"{gpu_hours(exact):,} GPU-hours",
    }[unit]  # fmt: skip
    return f"{text} ({exact:,} {'GPU-ms' if unit == 'millis' else unit})"


def _title(question: Question, exact: int) -> str:
    scope = question.scope
    of = ", ".join(
        f"{name} {' or '.join(value or '(none)' for value in values)}" for name, values in question.filters.items()
    )
    return (
        f"{question.figure.replace('_', ' ')} of {of or 'everything'}, {scope.organisation.name}, {scope.first_day} to "
        f"{scope.end_day} ({scope.timezone}): {written(question.figure, exact)}"
    )


def _figure_lines(question: Question, amounts: Amounts, exact: int, posted: int) -> list[str]:
    lines = [f"exactly {exact:,}; the sum of {' + '.join(FIGURES[question.figure])} over the postings below"]
    if question.figure == "cost":
        parts = (
            ("capacity", amounts.capacity_microusd),
            ("electricity", amounts.electricity_microusd),
            ("tokens bought", amounts.api_microusd),
        )
        lines.append(" + ".join(f"{name} {usd(part):,} USD" for name, part in parts))
    lines.append(
        "energy is " + ", ".join(f"{quality.label} {amounts.quality_share(quality):.1%}" for quality in Quality)
    )
    if amounts.energy_error_millij:
        lines.append(f"the energy may be off by {kwh(amounts.energy_error_millij):,} kWh either way")
    sharing = question.scope.sharing
    if sharing.shares:
        lines.append(in_words(sharing))
        by_account = spend(question.scope, group_by=("account",), filters=question.filters).rows
        for row in by_account:
            part = sum(getattr(row.amounts, name) for name in FIGURES[question.figure])
            lines.append(f"of it from {row.keys['account']}: {written(question.figure, part)}")
    if posted != exact:
        lines.append(
            f"{written(question.figure, posted)} of it is posted under these very names; the rest is idle and overhead shared "
            "out by the report, window by window"
        )
    return lines


def _posting_lines(question: Question, found: Trail, posted: int) -> list[str]:
    if not found.postings:
        return ["the ledger has no posting for it: it waits, its days are not attributed, or nothing was used"]
    versions = sorted({batch.method_version for batch in found.batches})
    lines = [
        f"{found.postings:,} postings in {found.windows:,} windows and {len(found.batches):,} ledger batches, method version "
        f"{', '.join(map(str, versions))}; they sum to {posted:,}",
    ]
    for row in found.first:
        owner = " / ".join(filter(None, (row.team, row.job))) or "nobody"
        lines.append(
            f"{row.window_start_at:%Y-%m-%d %H:%M}Z {row.site} {_account(row.account)} {_component(row.component)} {owner}: "
            f"{row.amount:,} (postings {_few(row.postings)}; batch {_few(row.batches)})"
        )
    if len(found.first) == question.first:
        rest = posted - sum(row.amount for row in found.first)
        lines.append(f"... the first {len(found.first)} by window; the others sum to {rest:,}")
    for batch in found.batches[: question.first]:
        lines.append(
            f"batch {batch.pk}: {batch.site} {batch.day}, method {batch.method_version}, {batch.postings:,} postings in all, "
            f"posted {batch.posted_at:%Y-%m-%d %H:%M}Z"
        )
    if len(found.batches) > question.first:
        lines.append(f"... {len(found.batches) - question.first} batches more")
    return lines


def _window(question: Question, cell: Cell, measures: Sequence[str]) -> tuple[datetime, str, int] | None:
    found = by_window(cell, measures)
    if question.window_at is None:
        # A correction is not worked out from the window it is posted in: a window of its own use says more.
        own = by_window(replace(cell, filters={"is_correction": ("false",), **cell.filters}), measures)
        places = {(at, site) for at, site, _ in own[:1]}
        return next((one for one in found if one[:2] in places), found[0] if found else None)
    chosen = [one for one in found if one[0] == question.window_at]
    if not chosen:
        raise BadScope(
            f"nothing was posted for this figure in the window of {question.window_at.astimezone(UTC):%Y-%m-%d %H:%M}Z; "
            "leave the window out for the one with the largest part"
        )
    return chosen[0]


def _job(question: Question) -> JobFacts | None:
    keys = question.filters.get("job", ())
    if len(keys) != 1 or not keys[0]:
        return None
    job = job_facts(question.scope.organisation.pk, keys[0])
    if job is None:
        raise BadScope(f"no job {keys[0]!r}; `aiobserve export csv --group-by job` lists the keys")
    return job


def _few(numbers: Sequence[int]) -> str:
    shown = ", ".join(map(str, numbers[:4]))
    return f"{shown} and {len(numbers) - 4} more" if len(numbers) > 4 else shown


def _account(number: int) -> str:
    return Account(number).label


def _component(number: int) -> str:
    return Component(number).label


def question_of(
    scope: Scope,
    filters: Mapping[str, Sequence[str]],
    *,
    figure: str | None = None,
    window: str | None = None,
    device: str | None = None,
) -> Question:
    """Return the question that texts from a query string or command line ask.

    Raises:
        BadScope: a text cannot be understood.
        UnknownDimension: a filter is no dimension.
    """
    for name in filters:
        if name not in DIMENSIONS:
            raise UnknownDimension(f"cannot filter by {name!r}; choose from {', '.join(DIMENSIONS)}")
    if any("\0" in text for text in (device or "", *(value for values in filters.values() for value in values))):
        raise BadScope("a value holds a NUL character, which no name has")
    window_at = None
    if window:
        try:
            window_at = datetime.fromisoformat(window)
        except ValueError as error:
            raise BadScope(f"window={window[:40]!r} is no instant; write it as 2026-10-15T06:00Z") from error
        if window_at.tzinfo is None:
            window_at = window_at.replace(tzinfo=UTC)
    return Question(scope, filters, figure or "cost", window_at, device or "")
