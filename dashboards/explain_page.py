"""Arranges the page that explains a figure: the text of the report, and a form to go deeper."""

from typing import Any

from aiobserve.reports.explain import FIGURES, Explanation
from dashboards.query import FILTER, scope_query


def page(found: Explanation) -> dict[str, Any]:
    """Return everything that the template shows."""
    question = found.question
    hidden = list(scope_query(question.scope).items())
    hidden += [(f"{FILTER}{name}", value) for name, values in question.filters.items() for value in values]
    return {
        "scope": question.scope,
        "found": found,
        "figures": list(FIGURES),
        "hidden": hidden,
        "window": f"{found.window_at:%Y-%m-%dT%H:%MZ}" if found.window_at else "",
        "device": question.device,
    }
