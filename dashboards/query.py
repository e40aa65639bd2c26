"""What the pages share: the navigation, the scope that a query names, and links that carry it on."""

from collections.abc import Mapping
from datetime import datetime
from urllib.parse import urlencode

from django.http import QueryDict

from aiobserve.reports.scope import Scope, resolve
from aiobserve.reports.sharing import described

FILTER = "filter."
# Every page of the navigation: its name, address and title.
PAGES = (
    ("overview", "/", "Overview"),
    ("models", "/models", "Models"),
    ("runs", "/runs", "Training"),
    ("finance", "/finance", "Finance"),
    ("organisation", "/organisation", "Organisation"),
)


def scope_of(query: QueryDict, *, clock_at: datetime) -> Scope:
    """Return the scope that a query names.

    Raises:
        BadScope: a text cannot be understood.
    """
    return resolve(
        clock_at=clock_at,
        organisation=query.get("org"),
        first_day=query.get("from"),
        end_day=query.get("to"),
        timezone=query.get("tz"),
        idle=query.get("idle"),
        overhead=query.get("overhead"),
        utilisation_floor=query.get("utilisation_floor"),
    )


def scope_query(scope: Scope) -> dict[str, str]:
    """Return the query that names a scope."""
    sharing = {name: text for name, text in described(scope.sharing).items() if text and text != "separate"}
    return {
        "org": scope.organisation.slug,
        "from": scope.first_day.isoformat(),
        "to": scope.end_day.isoformat(),
        "tz": scope.timezone,
        **sharing,
    }


def explain_url(scope: Scope, figure: str, filters: Mapping[str, list[str]] | None = None) -> str:
    """Return the address of a figure's explanation."""
    named = {f"{FILTER}{name}": values for name, values in (filters or {}).items()}
    return f"/explain?{urlencode({**scope_query(scope), 'figure': figure, **named}, doseq=True)}"
