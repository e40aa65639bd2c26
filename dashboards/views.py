"""The doors of the pages: read the query, ask for the page, render it."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from aiobserve.reports.scope import BadScope, Scope, organisations, resolve
from dashboards.finance import page as finance_page
from dashboards.models_page import models_page
from dashboards.overview import page

# Every page of the navigation: its name, address and title.
PAGES = (("overview", "/", "Overview"), ("models", "/models", "Models"), ("finance", "/finance", "Finance"))


@require_safe
def overview(request: HttpRequest) -> HttpResponse:
    """Show what was spent, what it emitted, what is planned."""
    clock_at = datetime.now(UTC)
    return _scoped(request, clock_at, "overview", lambda scope: page(scope, clock_at=clock_at))


@require_safe
def models(request: HttpRequest) -> HttpResponse:
    """Show what tokens cost, by model and tenant."""
    return _scoped(request, datetime.now(UTC), "models", models_page)


@require_safe
def finance(request: HttpRequest) -> HttpResponse:
    """Show budgets, the forecast of the month, what stands out, and the bill beside the ledger."""
    return _scoped(request, datetime.now(UTC), "finance", finance_page)


def _scoped(
    request: HttpRequest, clock_at: datetime, here: str, contents: Callable[[Scope], dict[str, Any]]
) -> HttpResponse:
    """Render the page of a scope that the query names, or say what is wrong with the query."""
    known = organisations()
    if not known:
        return render(request, "dashboards/empty.html", {"here": here, "pages": PAGES})
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
        return render(request, "dashboards/bad_request.html", {"message": str(error), "pages": PAGES}, status=400)
    return render(
        request, f"dashboards/{here}.html", {**contents(scope), "here": here, "pages": PAGES, "organisations": known}
    )
