"""The door of the organisation map: its rules, a form for a change, what it would move, and the change itself."""

from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlencode

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.views.decorators.http import require_http_methods

from aiobserve.pipeline.organise import apply_change
from aiobserve.reports.organisation import BadRule, all_rules, mapped_accounts, preview
from aiobserve.reports.scope import BadScope, Scope
from dashboards.query import PAGES, scope_of, scope_query

TEXTS = ("action", "rule", "at", "priority", "account", "user", "site", "model", "job_name", "label", "team", "project",
         "valid_from", "valid_to", "reason", "tz")  # fmt: skip
# Name, heading and help of each field of the form.
CONDITIONS = (
    ("account", "Account", "exactly"),
    ("user", "User", "exactly"),
    ("site", "Site", "exactly"),
    ("model", "Model", "exactly"),
    ("job_name", "Job name", "* any text, ? any character"),
    ("label", "Label", "that the job carries"),
)
RESULTS = (
    ("team", "Team", ""),
    ("project", "Project", ""),
    ("priority", "Priority", "the higher counts; 100"),
    ("valid_from", "From", "2026-10-15 or 2026-10-15T06:00"),
    ("valid_to", "Until, exclusive", "empty: without end"),
    ("reason", "Why", "for whoever reads it later"),
)


@require_http_methods(["GET", "HEAD", "POST"])
def organisation(request: HttpRequest) -> HttpResponse:
    """Show the rules and a form; on a POST show what a change would move, or carry it out."""
    clock_at = datetime.now(UTC)
    try:
        scope = scope_of(request.GET, clock_at=clock_at)
    except BadScope as error:
        return render(request, "dashboards/bad_request.html", {"message": str(error), "pages": PAGES}, status=400)
    if request.method != "POST":
        return _page(request, scope, texts=_editing(request, scope))
    texts = {name: request.POST.get(name, "") for name in TEXTS}
    try:
        if request.POST.get("do") == "apply":
            done = apply_change(scope.organisation.pk, texts, clock_at=clock_at)
            query = {**scope_query(scope), "done": texts["action"] or "add", "due": done.days_due}
            return HttpResponseRedirect(f"/organisation?{urlencode(query)}")
        return _page(request, scope, texts=texts, found=preview(scope, texts))
    except BadRule as error:
        return _page(request, scope, texts=texts, errors=error.errors, status=400)


def _editing(request: HttpRequest, scope: Scope) -> dict[str, str]:
    """Return the form's first texts: empty, or those of the rule to be changed."""
    row = next((one for one in all_rules(scope.organisation.pk) if str(one.pk) == request.GET.get("rule")), None)
    if row is None:
        return {"action": "add"}
    return {
        "action": "change",
        "rule": str(row.pk),
        **{
            name: str(getattr(row, name))
            for name in ("priority", *(one[0] for one in CONDITIONS), "team", "project", "reason")
        },
        "valid_from": f"{row.valid_from_at:%Y-%m-%dT%H:%MZ}",
        "valid_to": f"{row.valid_to_at:%Y-%m-%dT%H:%MZ}" if row.valid_to_at else "",
    }


def _page(
    request: HttpRequest,
    scope: Scope,
    *,
    texts: dict[str, str],
    found: Any = None,
    errors: dict[str, str] | None = None,
    status: int = 200,
) -> HttpResponse:
    errors = errors or {}
    fields = {
        name: (name, title, words, texts.get(name, ""), errors.get(name, ""))
        for name, title, words in CONDITIONS + RESULTS
    }
    rows = all_rules(scope.organisation.pk)
    context = {
        "here": "organisation",
        "pages": PAGES,
        "scope": scope,
        "rules": [row for row in rows if row.withdrawn_at is None],
        "withdrawn": [row for row in rows if row.withdrawn_at is not None],
        "accounts": mapped_accounts(scope.organisation.pk),
        "conditions": [fields[name] for name, _, _ in CONDITIONS],
        "results": [fields[name] for name, _, _ in RESULTS],
        "texts": texts,
        "resend": [(name, text) for name, text in texts.items() if text],
        "errors": errors,
        "other_errors": [(name, words) for name, words in errors.items() if name not in fields],
        "found": found,
        "done": request.GET.get("done", ""),
        "due": request.GET.get("due", ""),
        "query": urlencode(scope_query(scope)),
    }
    return render(request, "dashboards/organisation.html", context, status=status)
