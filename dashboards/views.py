"""The doors of the pages: read the query, ask for the page, render it."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from aiobserve.reports.scope import BadScope, Scope, organisations, resolve
from dashboards import finance as finance_page
from dashboards.overview import page


@require_safe
def overview(request: HttpRequest) -> HttpResponse:
    """Show what was spent, what it emitted, what is planned."""
    clock_at = datetime.now(UTC)
    return _shown(request, "dashboards/overview.html", lambda scope: page(scope, clock_at=clock_at), clock_at)


@require_safe
def finance(request: HttpRequest) -> HttpResponse:
    """Show budgets, the forecast of the month, what stands out, and the bill beside the ledger."""
    return _shown(request, "dashboards/finance.html", finance_page.page, datetime.now(UTC))


def _shown(
    request: HttpRequest, template: str, values: Callable[[Scope], dict[str, Any]], clock_at: datetime
) -> HttpResponse:
    known = organisations()
    if not known:
        return render(request, "dashboards/empty.html")
    query = request.GET
    try:
        scope = resolve(
            clock_at=clock_at,
            organisation=query.get("org"),
            first_day=query.get("from"),
            end_day=query.get("to"),
            timezone=query.get("tz"),
        )
    except BadScope as error:
        return render(request, "dashboards/bad_request.html", {"message": str(error)}, status=400)
    return render(request, template, {**values(scope), "organisations": known})
