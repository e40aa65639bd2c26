"""What the resources share of a query: the scope, filters by dimension, and the refusal of what is not known."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from drf_spectacular.utils import OpenApiParameter
from rest_framework import serializers
from rest_framework.request import Request

from aiobserve.api.problems import BadParameter
from aiobserve.reports.scope import Scope, resolve
from aiobserve.reports.sharing import IDLE_POLICIES, OVERHEAD_POLICIES

SCOPE = ("org", "from", "to", "tz")
SHARING = ("idle", "overhead", "utilisation_floor")
FILTER = "filter."
ORG = OpenApiParameter("org", str, description="Slug of the organisation; the first one by default")
TZ = OpenApiParameter("tz", str, description="IANA time zone in which days begin and end; UTC by default")
SCOPE_PARAMETERS = [
    ORG,
    OpenApiParameter("from", str, description="First local day, 2026-10-01; by default 30 days before `to`"),
    OpenApiParameter("to", str, description="Local day after the last; by default the day after the last posting"),
    TZ,
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


class FromSerializer(serializers.Serializer):
    """Something that begins on a local date. `from` is no name that a class body could have."""

    def get_fields(self) -> dict[str, serializers.Field]:
        """Return the fields with `from` before the others."""
        return {"from": serializers.DateField(), **super().get_fields()}


class FromToSerializer(FromSerializer):
    """Local dates `[from, to)`."""

    to = serializers.DateField(help_text="Exclusive")


def text(request: Request, name: str) -> str | None:
    """Return a parameter of the query; None where it is not given or empty."""
    return request.query_params.get(name) or None


def refuse_unknown(request: Request, known: Sequence[str], *, filters: bool = False) -> None:
    """Raise for a parameter that nobody reads, and for a NUL, which no name has.

    Args:
        filters: whether `filter.<dimension>` is known besides.

    Raises:
        BadParameter: the message names it and those that are known.
    """
    for name, values in request.query_params.lists():
        if any("\0" in one for one in (name, *map(str, values))):
            raise BadParameter("a parameter holds a NUL character, which no name has")
        if name not in known and not (filters and name.startswith(FILTER)):
            more = " and filter.<dimension>" if filters else ""
            raise BadParameter(f"unknown parameter {name!r}; known are {', '.join(known)}{more}")


def scope_of(request: Request, *, more: Sequence[str] = (), filters: bool = False) -> Scope:
    """Return the scope of a query that knows the scope's parameters and `more`.

    Args:
        more: names that the resource reads besides; with those of `SHARING` the scope says who bears idle and overhead.
        filters: whether the resource reads `filter.<dimension>`.

    Raises:
        BadParameter, BadScope: a parameter is unknown or cannot be understood.
    """
    refuse_unknown(request, (*SCOPE, *more), filters=filters)
    return resolve(
        clock_at=datetime.now(UTC),
        organisation=text(request, "org"),
        first_day=text(request, "from"),
        end_day=text(request, "to"),
        timezone=text(request, "tz"),
        **{name: text(request, name) for name in SHARING},
    )


def repeated_filters(request: Request) -> dict[str, list[str]]:
    """Return filters by dimension; a parameter that is repeated has several values, and a comma is part of a name."""
    lists: Any = request.query_params.lists()
    return {name.removeprefix(FILTER): list(values) for name, values in lists if name.startswith(FILTER)}
