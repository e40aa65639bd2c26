"""What the resources share of a query: the scope, filters by dimension, and the refusal of what is not known."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from drf_spectacular.utils import OpenApiParameter
from rest_framework.request import Request

from aiobserve.api.problems import BadParameter
from aiobserve.reports.scope import Scope, resolve
from aiobserve.reports.sharing import IDLE_POLICIES, OVERHEAD_POLICIES

SCOPE = ("org", "from", "to", "tz")
SHARING = ("idle", "overhead", "utilisation_floor")
FILTER = "filter."
SCOPE_PARAMETERS = [
    OpenApiParameter("org", str, description="Slug of the organisation; the first one by default"),
    OpenApiParameter("from", str, description="First local day, 2026-10-01; by default 30 days before `to`"),
    OpenApiParameter("to", str, description="Local day after the last; by default the day after the last posting"),
    OpenApiParameter("tz", str, description="IANA time zone in which days begin and end; UTC by default"),
]
SHARING_PARAMETERS = [
    OpenApiParameter("idle", str, enum=list(IDLE_POLICIES), description="Who bears idle capacity; separate by default"),
    OpenApiParameter(
        "overhead", str, enum=list(OVERHEAD_POLICIES), description="Who bears overhead; separate by default"
    ),
    OpenApiParameter(
        "utilisation_floor",
        str,
        description="0.8: with idle=by_use or even, users bear idle only as if the fleet were so used",
    ),
]


def refuse_unknown(request: Request, known: Sequence[str], *, filters: bool = False) -> None:
    """Refuse a parameter that the resource does not know, and characters that no name has.

    Raises:
        BadParameter: the message lists what is known.
    """
    for name, values in request.query_params.lists():
        if any("\0" in text for text in (name, *map(str, values))):
            raise BadParameter("a parameter holds a NUL character, which no name has")
        if name not in known and not (filters and name.startswith(FILTER)):
            more = " and filter.<dimension>" if filters else ""
            raise BadParameter(f"unknown parameter {name!r}; known are {', '.join(known)}{more}")


def scope_of(request: Request) -> Scope:
    """Return the scope that a query names.

    Raises:
        BadScope: a text cannot be understood.
    """
    query = request.query_params
    return resolve(
        clock_at=datetime.now(UTC),
        organisation=query.get("org"),
        first_day=query.get("from"),
        end_day=query.get("to"),
        timezone=query.get("tz"),
        **{name: query.get(name) for name in SHARING},
    )


def repeated_filters(request: Request) -> dict[str, list[str]]:
    """Return filters by dimension; a parameter that is repeated has several values, and a comma is part of a name."""
    lists: Any = request.query_params.lists()
    return {name.removeprefix(FILTER): list(values) for name, values in lists if name.startswith(FILTER)}
