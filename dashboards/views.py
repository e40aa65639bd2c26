"""The doors of the pages: read the query, ask for the page, render it."""

from datetime import UTC, datetime

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from aiobserve.reports.scope import BadScope, organisations, resolve
from dashboards.overview import page


@require_safe
def overview(request: HttpRequest) -> HttpResponse:
    """Show what was spent, what it emitted, what is planned."""
    clock_at = datetime.now(UTC)
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
            idle=query.get("idle"),
            overhead=query.get("overhead"),
            utilisation_floor=query.get("utilisation_floor"),
        )
    except BadScope as error:
        return render(request, "dashboards/bad_request.html", {"message": str(error)}, status=400)
    return render(request, "dashboards/overview.html", {**page(scope, clock_at=clock_at), "organisations": known})
