"""Checks the ledger: does every window balance on every measure, to the unit, and is every batch what was posted."""

from typing import Any

from aiobserve.domain.account import MEASURES
from aiobserve.store.read import ledger
from aiobserve.store.read.fleet import organisation, organisations


def check_all(slug: str | None = None) -> dict[str, Any]:
    """Check one organisation's ledger, or all; returns plain values.

    `balanced` is True only when every window of every site sums to zero on each of the measures and every batch
    has the postings it was sealed with; otherwise `unbalanced_windows` and `altered_batches` say where not.

    Raises:
        NoSuchOrganisation: there is none of that name.
    """
    chosen = [organisation(slug)] if slug else organisations()
    found = [ledger.check(one.pk) for one in chosen]
    unbalanced = [
        {"site": site, "window_start_at": at.isoformat(), "differences": differences}
        for one in found
        for site, at, differences in one.unbalanced
    ]
    altered = [{"site": site, "day": day.isoformat(), "what": what} for one in found for site, day, what in one.altered]
    report: dict[str, Any] = {
        "balanced": not unbalanced and not altered,
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
    if unbalanced:
        report["unbalanced_windows"] = unbalanced
    if altered:
        report["altered_batches"] = altered
    return report
