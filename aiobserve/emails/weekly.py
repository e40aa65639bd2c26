"""The weekly digest: what the week cost and emitted, what changed, what the plan moves."""

import textwrap
from dataclasses import dataclass, replace
from datetime import timedelta
from decimal import Decimal

from django.template.loader import render_to_string

from aiobserve.domain.account import Account
from aiobserve.domain.quality import Quality
from aiobserve.domain.units import kg_co2e, usd
from aiobserve.reports.amounts import Amounts, total
from aiobserve.reports.finance_words import digest_lines
from aiobserve.reports.schedule import PlanReport, PlanRow, plan_report
from aiobserve.reports.scope import Scope
from aiobserve.reports.sharing import in_words
from aiobserve.reports.spend import SpendRow, spend

DAYS = 7
EXAMPLES = 3
# The text part is read in terminals and quoted in replies.
WIDTH = 72
BAR_CELLS = 100
# Characters that change the direction of text around them have no business in a subject line.
BIDI = dict.fromkeys([*range(0x202A, 0x202F), *range(0x2066, 0x206A), 0x200E, 0x200F])


@dataclass(frozen=True)
class Digest:
    """A mail, ready to send."""

    subject: str
    text: str
    html: str


@dataclass(frozen=True)
class TeamLine:
    """One line of the table: what a team, or an account without one, came to."""

    name: str
    cost: str
    energy: str
    carbon: str
    change: str
    bar: int


def week_ending(scope: Scope) -> Scope:
    """Return the last seven days of a scope."""
    return replace(scope, first_day=scope.end_day - timedelta(days=DAYS))


def weekly_digest(scope: Scope) -> Digest:
    """Return the digest of the seven days that end with the scope."""
    week = week_ending(scope)
    before = replace(week, first_day=week.first_day - timedelta(days=DAYS), end_day=week.first_day)
    now, then = (spend(one, group_by=("account", "team")) for one in (week, before))
    context = {
        "organisation": scope.organisation.name,
        "simulated": scope.organisation.simulated,
        "first_day": week.first_day,
        "last_day": week.end_day - timedelta(days=1),
        "timezone": scope.timezone,
        "total": now.total,
        "sharing": in_words(scope.sharing),
        "numbers": _numbers(now.total, then.total, _idle(now.rows), _idle(then.rows)),
        "lines": _lines(now.rows, then.rows),
        "quality": [(quality.label, f"{now.total.quality_share(quality):.1%}") for quality in Quality],
        "finance": _wrapped(digest_lines(week)),
        **_plan(plan_report(scope.organisation.pk)),
    }
    return Digest(
        subject=_one_line(render_to_string("emails/weekly.subject.txt", context)),
        text=render_to_string("emails/weekly.text.txt", context),
        html=render_to_string("emails/weekly.html", context),
    )


def _numbers(now: Amounts, then: Amounts, idle: Amounts, idle_before: Amounts) -> list[tuple[str, str, str]]:
    """Return label, value and change of the four numbers that lead the mail."""
    return [
        ("Cost", f"${now.cost_usd:,}", change(now.cost_microusd, then.cost_microusd)),
        ("Energy", f"{now.energy_kwh:,} kWh", change(now.energy_millij, then.energy_millij)),
        ("Emissions", f"{now.carbon_kg:,} kgCO2e", change(now.carbon_microg, then.carbon_microg)),
        ("Idle", f"${idle.cost_usd:,}", change(idle.cost_microusd, idle_before.cost_microusd)),
    ]


def change(now: int, then: int) -> str:
    """Return the change against the week before in words and per cent."""
    if not then:
        return "no week before to compare with"
    share = (Decimal(now) - Decimal(then)) / abs(Decimal(then))
    word = "up" if share > 0 else "down" if share < 0 else "unchanged"
    return f"{word} {abs(share):.1%}" if share else word


def _idle(rows: tuple[SpendRow, ...]) -> Amounts:
    return total(row.amounts for row in rows if row.keys["account"] == Account.IDLE.label)


def _lines(now: tuple[SpendRow, ...], then: tuple[SpendRow, ...]) -> list[TeamLine]:
    before, after = _by_name(then), _by_name(now)
    most = max((amounts.cost_microusd for amounts in after.values()), default=0)
    return [
        TeamLine(
            name=name,
            cost=f"${amounts.cost_usd:,}",
            energy=f"{amounts.energy_kwh:,} kWh",
            carbon=f"{amounts.carbon_kg:,} kgCO2e",
            change=change(amounts.cost_microusd, before[name].cost_microusd if name in before else 0),
            bar=max(1, BAR_CELLS * amounts.cost_microusd // most) if most > 0 else 1,
        )
        for name, amounts in sorted(after.items(), key=lambda item: -item[1].cost_microusd)
    ]


def _by_name(rows: tuple[SpendRow, ...]) -> dict[str, Amounts]:
    """Return what each team bears, be it its own or shared out to it, and each account where no team bears it."""
    groups: dict[str, list[Amounts]] = {}
    for row in rows:
        groups.setdefault(row.keys["team"] or f"({row.keys['account']})", []).append(row.amounts)
    return {name: total(amounts) for name, amounts in groups.items()}


def _wrapped(lines: list[str]) -> list[dict[str, str]]:
    return [
        {"words": line, "wrapped": textwrap.fill(f"- {line}", WIDTH, subsequent_indent="  ", break_long_words=True)}
        for line in lines
    ]


def _plan(plan: PlanReport | None) -> dict[str, object]:
    if plan is None:
        return {"deferred": 0, "waiting": 0, "examples": [], "saving": ("$0.00", "0.000 kgCO2e")}
    moved = sorted((row for row in plan.rows if row.action == "deferred"), key=lambda row: -row.saving_microg)
    return {
        "deferred": plan.deferred,
        "waiting": len(plan.rows),
        "examples": [_example(row) for row in moved[:EXAMPLES]],
        "saving": (f"${usd(plan.saving_microusd):,}", f"{kg_co2e(plan.saving_microg):,} kgCO2e"),
    }


def _example(row: PlanRow) -> dict[str, str]:
    wrapped = textwrap.fill(f"- {row.job_name}: {row.reason}", WIDTH, subsequent_indent="  ", break_long_words=False)
    return {"name": row.job_name, "reason": row.reason, "wrapped": wrapped}


def _one_line(text: str) -> str:
    return " ".join(text.translate(BIDI).split())
