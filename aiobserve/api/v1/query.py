"""What the resources of finance share: the scope that a query names, and its parameters in the schema."""

from collections.abc import Sequence
from datetime import UTC, datetime

from drf_spectacular.utils import OpenApiParameter
from rest_framework import serializers
from rest_framework.request import Request

from aiobserve.api.problems import BadParameter
from aiobserve.reports.scope import Scope, resolve

SCOPE = ("org", "from", "to", "tz")
ORG = OpenApiParameter("org", str, description="Slug of the organisation; the first one by default")
TZ = OpenApiParameter("tz", str, description="IANA time zone in which days begin and end; UTC by default")
PARAMETERS = [
    ORG,
    OpenApiParameter("from", str, description="First local day, 2026-10-01; by default 30 days before `to`"),
    OpenApiParameter("to", str, description="Local day after the last; by default the day after the last posting"),
    TZ,
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


def refuse_unknown(request: Request, known: Sequence[str]) -> None:
    """Raise for a parameter that nobody reads, and for a NUL, which no name has.

    Raises:
        BadParameter: the message names it and those that are known.
    """
    for name, value in request.query_params.dict().items():
        if "\0" in name or "\0" in str(value):
            raise BadParameter("a parameter holds a NUL character, which no name has")
        if name not in known:
            raise BadParameter(f"unknown parameter {name!r}; known are {', '.join(known)}")


def scope_of(request: Request, *, more: Sequence[str] = ()) -> Scope:
    """Return the scope of a query that knows the scope's parameters and `more`.

    Raises:
        BadParameter, BadScope: a parameter is unknown or cannot be understood.
    """
    refuse_unknown(request, (*SCOPE, *more))
    return resolve(
        clock_at=datetime.now(UTC),
        organisation=text(request, "org"),
        first_day=text(request, "from"),
        end_day=text(request, "to"),
        timezone=text(request, "tz"),
    )
