"""The doors of the pages that only show: read the query, ask for the page, render it."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from aiobserve.reports.explain import explain as explain_figure
from aiobserve.reports.explain import question_of
from aiobserve.reports.scope import BadScope, Scope, organisations
from aiobserve.reports.spend import UnknownDimension
from dashboards import explain_page, runs_page
from dashboards.finance import page as finance_page
from dashboards.models_page import models_page
from dashboards.overview import page
from dashboards.query import FILTER, PAGES, scope_of


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


@require_safe
def runs(request: HttpRequest) -> HttpResponse:
    """Show what training runs cost, and what of it was wasted."""
    all_types = request.GET.get("types") == "all"
    return _scoped(request, datetime.now(UTC), "runs", lambda scope: runs_page.page(scope, all_types=all_types))


@require_safe
def explain(request: HttpRequest) -> HttpResponse:
    """Show where a figure came from."""
    query = request.GET
    filters = {name.removeprefix(FILTER): values for name, values in query.lists() if name.startswith(FILTER)}
    asked = {name: query.get(name) for name in ("figure", "window", "device")}

    def contents(scope: Scope) -> dict[str, Any]:
        return explain_page.page(explain_figure(question_of(scope, filters, **asked)))

    return _scoped(request, datetime.now(UTC), "explain", contents)


def _scoped(
    request: HttpRequest, clock_at: datetime, here: str, contents: Callable[[Scope], dict[str, Any]]
) -> HttpResponse:
    """Render the page of a scope that the query names, or say what is wrong with the query."""
    known = organisations()
    if not known:
        return render(request, "dashboards/empty.html", {"here": here, "pages": PAGES})
    try:
        scope = scope_of(request.GET, clock_at=clock_at)
        context = {**contents(scope), "here": here, "pages": PAGES, "organisations": known}
        return render(request, f"dashboards/{here}.html", context)
    except (BadScope, UnknownDimension) as error:
        return render(request, "dashboards/bad_request.html", {"message": str(error), "pages": PAGES}, status=400)
