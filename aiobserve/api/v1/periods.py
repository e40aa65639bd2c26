"""`GET /api/v1/periods`: the months that were closed, with the hashes that seal them."""

from typing import Any

from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from aiobserve.api.problems import BadParameter
from aiobserve.reports.periods import PeriodRow, periods
from aiobserve.reports.scope import organisation_of


class LedgerPeriodSerializer(serializers.Serializer):
    """A month that was closed; `closed` is false when it is open again."""

    month = serializers.CharField(help_text="2026-10")
    tz = serializers.CharField()
    start = serializers.DateTimeField()
    end = serializers.DateTimeField(help_text="Exclusive")
    closed = serializers.BooleanField()
    closed_at = serializers.DateTimeField()
    closed_by = serializers.CharField()
    reopened_at = serializers.DateTimeField(allow_null=True)
    hash = serializers.CharField(help_text="SHA-256 over the previous hash and the sums of every window and bearer")
    previous_hash = serializers.CharField(allow_blank=True)
    sums = serializers.DictField(
        child=serializers.CharField(), help_text="What was charged, by measure: the ledger's own integers, as text"
    )


class LedgerPeriodListSerializer(serializers.Serializer):
    """Every month that was ever closed, in order."""

    object = serializers.CharField()
    organisation = serializers.CharField()
    data = LedgerPeriodSerializer(many=True)  # type: ignore[assignment]  # DRF's own `data` is the rendered form


class PeriodsView(APIView):
    """The closed months of the books."""

    @extend_schema(
        operation_id="listPeriods",
        summary="Closed months of the ledger",
        description="The sums of a closed month never change: late figures are corrections in the open one.",
        parameters=[OpenApiParameter("org", str, description="Slug of the organisation; the first one by default")],
        responses=LedgerPeriodListSerializer,
    )
    def get(self, request: Request) -> Response:
        """Return the months."""
        unknown = sorted(set(request.query_params) - {"org"})
        if unknown:
            raise BadParameter(f"unknown parameter {unknown[0]!r}; known is org")
        organisation = organisation_of(request.query_params.get("org"))
        found = [_period(one) for one in periods(organisation.pk)]
        return Response({"object": "list", "organisation": organisation.slug, "data": found})


def _period(one: PeriodRow) -> dict[str, Any]:
    return {
        "month": f"{one.month:%Y-%m}",
        "tz": one.timezone,
        "start": one.start_at.isoformat(),
        "end": one.end_at.isoformat(),
        "closed": one.reopened_at is None,
        "closed_at": one.closed_at.isoformat(),
        "closed_by": one.closed_by,
        "reopened_at": one.reopened_at and one.reopened_at.isoformat(),
        "hash": one.hash,
        "previous_hash": one.previous_hash,
        "sums": {name: str(amount) for name, amount in one.sums.items()},
    }
