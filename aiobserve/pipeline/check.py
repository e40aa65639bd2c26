"""Checks the ledger: does every window balance, to the unit, and is every batch, division over tokens and closed month as sealed."""

from typing import Any

from aiobserve.domain.account import MEASURES
from aiobserve.pipeline.close import altered_periods
from aiobserve.store.read.check import check
from aiobserve.store.read.fleet import organisation, organisations


def check_all(slug: str | None = None) -> dict[str, Any]:
    """Check one organisation's ledger, or all; returns plain values.

    `balanced` is True only when every window of every site sums to zero on each of the measures, every batch has the
    postings it was sealed with, what was reversed cancels out, the postings of every site-day divide over tokens as
    was sealed, and every closed month has the hash it was closed with; otherwise `unbalanced_windows`,
    `altered_batches`, `windows_not_standing`, `orphans`, `altered_shares` and `altered_periods` say where not.

    Raises:
        NoSuchOrganisation: there is none of that name.
    """
    chosen = [organisation(slug)] if slug else organisations()
    found = [check(one.pk) for one in chosen]
    unbalanced = [
        {"site": site, "window_start_at": at.isoformat(), "differences": differences}
        for one in found
        for site, at, differences in one.unbalanced
    ]
    altered = [{"site": site, "day": day.isoformat(), "what": what} for one in found for site, day, what in one.altered]
    wrong: dict[str, Any] = {
        "unbalanced_windows": unbalanced,
        "altered_batches": altered,
        "windows_not_standing": [
            {"site": site, "window_start_at": at.isoformat()} for one in found for site, at in one.not_standing
        ],
        "orphans": sum(one.orphans for one in found),
        "altered_shares": [
            {"site": site, "day": day.isoformat(), "what": what}
            for one in found
            for site, day, what in one.altered_shares
        ],
        "altered_periods": [
            {"organisation": one.slug, "month": f"{period.month:%Y-%m}", "sealed": period.sealed, "found": period.found}
            for one in chosen
            for period in altered_periods(one.pk)
        ],
    }
    report: dict[str, Any] = {
        "balanced": not any(wrong.values()),
        "windows": sum(one.windows for one in found),
        "measures": {
            name: {
                "charged": sum(one.charged[name] for one in found),
                "metered": sum(one.metered[name] for one in found),
                "difference": sum(one.charged[name] - one.metered[name] for one in found),
            }
            for name in MEASURES
        },
    }
    return report | {name: what for name, what in wrong.items() if what}
