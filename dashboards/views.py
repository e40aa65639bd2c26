"""The doors of the pages that only show: read the query, ask for the page, render it."""

from datetime import UTC, datetime

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from aiobserve.reports.explain import explain as explain_figure
from aiobserve.reports.explain import question_of
from aiobserve.reports.scope import BadScope, organisations
from aiobserve.reports.spend import UnknownDimension
from dashboards import explain_page, runs_page
from dashboards.overview import page
from dashboards.query import FILTER, scope_of


@require_safe
def overview(request: HttpRequest) -> HttpResponse:
    """Show what was spent, what it emitted, what is planned."""
    clock_at = datetime.now(UTC)
    known = organisations()
    if not known:
        return render(request, "dashboards/empty.html")
    try:
        scope = scope_of(request.GET, clock_at=clock_at)
    except BadScope as error:
        return _refused(request, error)
    return render(request, "dashboards/overview.html", {**page(scope, clock_at=clock_at), "organisations": known})


@require_safe
def explain(request: HttpRequest) -> HttpResponse:
    """Show where a figure came from."""
    query = request.GET
    filters = {name.removeprefix(FILTER): values for name, values in query.lists() if name.startswith(FILTER)}
    try:
        scope = scope_of(query, clock_at=datetime.now(UTC))
        asked = {name: query.get(name) for name in ("figure", "window", "device")}
        found = explain_figure(question_of(scope, filters, **asked))
    except (BadScope, UnknownDimension) as error:
        return _refused(request, error)
    return render(request, "dashboards/explain.html", explain_page.page(found))


@require_safe
def runs(request: HttpRequest) -> HttpResponse:
    """Show what training runs cost, and what of it was wasted."""
    try:
        scope = scope_of(request.GET, clock_at=datetime.now(UTC))
    except BadScope as error:
        return _refused(request, error)
    return render(request, "dashboards/runs.html", runs_page.page(scope, all_types=request.GET.get("types") == "all"))


def _refused(request: HttpRequest, error: Exception) -> HttpResponse:
    return render(request, "dashboards/bad_request.html", {"message": str(error)}, status=400)
